import pickle

import pytest

from allgate.core.secret import Secret


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("sk-very-secret")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        str([secret]),
        repr({"key": secret}),
        repr([secret]),
    ]
    assert not any("very" in text for text in shown)
    assert secret.reveal() == "sk-very-secret"


def test_a_secret_is_not_serialized() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))


def test_secrets_compare_by_content() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
