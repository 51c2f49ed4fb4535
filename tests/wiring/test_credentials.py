from pathlib import Path

import pytest

from allgate.admin.rows import ConfigError
from allgate.core.secret import Secret
from allgate.wiring.credentials import anchored, resolved


def test_a_text_is_itself():
    assert resolved(Secret("sk-1"), "k", {}) == Secret("sk-1")


def test_a_variable_is_looked_up_and_trimmed():
    assert resolved(Secret("env:A"), "k", {"A": " sk-1\n"}) == Secret("sk-1")


def test_a_file_is_read_and_trimmed(tmp_path: Path):
    (tmp_path / "key").write_text("sk-1\n")
    assert resolved(Secret(f"file:{tmp_path / 'key'}"), "k", {}) == Secret("sk-1")


@pytest.mark.parametrize("environment", [{}, {"A": ""}, {"A": "  "}])
def test_a_variable_that_says_nothing_is_an_error(environment: dict[str, str]):
    with pytest.raises(ConfigError, match=r"the\.place: environment variable A is not set"):
        resolved(Secret("env:A"), "the.place", environment)


def test_a_file_that_is_absent_empty_or_no_text_is_an_error(tmp_path: Path):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, complaint in (
        ("none", "cannot be read: No such file"),
        ("empty", "is empty"),
        ("bytes", "is not text"),
    ):
        with pytest.raises(ConfigError, match=complaint):
            resolved(Secret(f"file:{tmp_path / name}"), "k", {})


def test_a_relative_file_counts_from_the_folder():
    assert anchored(Secret("file:keys/a"), Path("/etc/allgate")) == Secret("file:/etc/allgate/keys/a")
    assert anchored(Secret("file:/keys/a"), Path("/etc/allgate")) == Secret("file:/keys/a")
    assert anchored(Secret("env:A"), Path("/etc/allgate")) == Secret("env:A")
