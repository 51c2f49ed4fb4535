"""Signatures and seals: ours are recognised, anything else is not."""

from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st

from allgate.simulator.signing import opened, seal, sign, verified

KEY, OTHER = b"one", b"another"


@given(st.text())
def test_a_signature_holds_for_its_content_kind_and_key_only(text: str):
    signature = sign(KEY, "k", text)
    assert verified(KEY, "k", text, signature)
    assert not verified(KEY, "k", text + "!", signature)
    assert not verified(KEY, "other kind", text, signature)
    assert not verified(OTHER, "k", text, signature)


@given(st.text())
def test_a_seal_gives_its_content_back_to_its_owner_only(text: str):
    sealed = seal(KEY, "k", text)
    assert opened(KEY, "k", sealed) == text
    assert opened(OTHER, "k", sealed) is None
    assert opened(KEY, "other kind", sealed) is None


@given(st.text())
def test_whatever_text_comes_back_is_an_answer_and_not_a_crash(text: str):
    assert opened(KEY, "k", text) is None
    assert not verified(KEY, "k", "content", text)


def test_both_are_padded_standard_base64_and_hide_their_content():
    for value in (sign(KEY, "k", "secret thought"), seal(KEY, "k", "secret thought")):
        assert b"secret" not in b64decode(value, validate=True)
