import stat
from pathlib import Path

import pytest

from allgate.admin.rows import ConfigError
from allgate.wiring.master_key import FILE_NAME, KEY_BYTES, master_keys
from allgate.wiring.settings import Secrets

HEX = "ab" * KEY_BYTES


def test_one_is_generated_once_for_its_owner_only(tmp_path: Path):
    (first,) = master_keys(Secrets(), tmp_path, {}, Path())
    assert len(first) == KEY_BYTES
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert master_keys(Secrets(), tmp_path, {}, Path()) == (first,)
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_configured_keys_are_read_and_none_is_generated(tmp_path: Path):
    (tmp_path / "key").write_text(HEX)
    settings = Secrets(master_key="file:key", previous_master_keys=("env:OLD",))
    assert master_keys(settings, tmp_path, {"OLD": "cd" * KEY_BYTES}, tmp_path) == (
        b"\xab" * KEY_BYTES,
        b"\xcd" * KEY_BYTES,
    )
    assert not (tmp_path / FILE_NAME).exists()


def test_nodes_of_one_database_must_be_given_theirs(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"secrets\.master_key: is needed, the same for all nodes"):
        master_keys(Secrets(), None, {}, tmp_path)
    assert master_keys(Secrets(master_key=HEX), None, {}, tmp_path) == (b"\xab" * KEY_BYTES,)


@pytest.mark.parametrize(
    ("key", "complaint"), [("ab", "has 1 bytes; 64 hex digits"), ("x" * 64, "hex digits")]
)
def test_a_key_of_another_form_is_refused_and_not_shown(tmp_path: Path, key: str, complaint: str):
    with pytest.raises(ConfigError, match=rf"secrets\.master_key: .*{complaint}") as caught:
        master_keys(Secrets(master_key=key), tmp_path, {}, Path())
    assert key not in str(caught.value).replace("hex digits", "")
