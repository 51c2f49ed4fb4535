"""The file that keeps charges while the database is gone: what is appended is there again, whatever happened to the file."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from allgate.storage.outbox import Outbox, OutboxFull, OutboxTaken, read_records

RECORDS = [b"first", b"second" * 20, b"\x00third", b"x"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.outbox"


def opened(path: Path, *, bytes_max: int = 4_096) -> Outbox:
    return Outbox(path, bytes_max=bytes_max)


def kept(path: Path) -> list[bytes]:
    outbox = opened(path)
    records = outbox.oldest(100)
    outbox.close()
    return records


def test_what_is_appended_is_read_again_in_order(path: Path):
    outbox = opened(path)
    outbox.append(RECORDS[:1])
    outbox.append(RECORDS[1:])
    assert (outbox.depth, outbox.oldest(2), outbox.oldest(100)) == (4, RECORDS[:2], RECORDS)
    outbox.close()
    assert kept(path) == RECORDS


def test_the_file_is_for_its_owner_only(path: Path):
    opened(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_records_stay_until_all_are_taken_and_the_file_is_cleared(path: Path):
    outbox = opened(path)
    outbox.append(RECORDS)
    outbox.taken(3)
    outbox.clear()  # one is left: nothing happens
    assert (outbox.depth, outbox.oldest(9)) == (1, RECORDS[3:])
    assert read_records(path.read_bytes())[0] == RECORDS
    outbox.taken(1)
    assert read_records(path.read_bytes())[0] == RECORDS  # a crash here brings all of them again
    outbox.clear()
    assert path.read_bytes() == bytes(4_096)
    outbox.append([b"next"])
    outbox.close()
    assert kept(path) == [b"next"]


def test_a_file_that_is_cut_anywhere_gives_the_records_before_the_cut(path: Path):
    outbox = opened(path)
    outbox.append(RECORDS)
    outbox.close()
    text = path.read_bytes()
    ends = [0]
    for record in RECORDS:
        ends.append(ends[-1] + 8 + len(record))
    for cut in range(ends[-1] + 1):
        whole = sum(end <= cut for end in ends) - 1
        for rest in (b"", bytes(len(text) - cut)):
            assert read_records(text[:cut] + rest)[:2] == (RECORDS[:whole], ends[whole])


def test_a_record_that_is_not_whole_is_kept_beside_and_never_comes_back(
    path: Path, caplog: pytest.LogCaptureFixture
):
    """The third is torn and the fourth whole, as a disk that writes out of order leaves them. Written over by a record of the
    third's length, the fourth would stand behind it again."""
    outbox = opened(path)
    outbox.append(RECORDS)
    outbox.close()
    text = bytearray(path.read_bytes())
    third = text.index(RECORDS[2])
    text[third] ^= 1
    path.write_bytes(text)
    outbox = opened(path)
    assert outbox.oldest(9) == RECORDS[:2]
    assert "not whole" in caplog.text
    assert (path.parent / "t.outbox.torn").read_bytes().startswith(text[third - 8 : third])
    outbox.append([bytes(len(RECORDS[2]))])
    outbox.close()
    assert kept(path) == [*RECORDS[:2], bytes(len(RECORDS[2]))]


def test_what_does_not_fit_is_refused_whole(path: Path):
    outbox = opened(path, bytes_max=64)
    outbox.append([b"a" * 20])
    with pytest.raises(OutboxFull, match="64 bytes"):
        outbox.append([b"b", b"c" * 30])
    outbox.append([b"d" * 28])
    outbox.close()
    assert kept(path) == [b"a" * 20, b"d" * 28]


def test_its_room_is_reserved_so_a_full_disk_does_not_matter(path: Path):
    outbox = opened(path, bytes_max=1024 * 1024)
    assert os.stat(path).st_blocks * 512 >= 1024 * 1024
    outbox.append([b"x"])
    outbox.taken(1)
    outbox.clear()
    assert os.stat(path).st_blocks * 512 >= 1024 * 1024
    outbox.close()


def failing(times: int, original: Callable[[int], None]) -> Callable[[int], None]:
    """A disk that fails so often, then works."""

    def sync(descriptor: int) -> None:
        nonlocal times
        if times:
            times -= 1
            raise OSError(5, "Input/output error")
        original(descriptor)

    return sync


def test_an_append_that_fails_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch):
    outbox = opened(path)
    outbox.append([b"before"])
    monkeypatch.setattr(os, "fdatasync", failing(1, os.fdatasync))
    with pytest.raises(OSError, match="Input/output"):
        outbox.append([b"lost"])
    assert outbox.depth == 1
    outbox.append([b"after"])
    outbox.close()
    assert kept(path) == [b"before", b"after"]


def test_one_that_cannot_even_be_taken_back_ends_the_outbox(path: Path, monkeypatch: pytest.MonkeyPatch):
    outbox = opened(path)
    monkeypatch.setattr(os, "fdatasync", failing(1, os.fdatasync))
    monkeypatch.setattr(os, "fsync", failing(1, os.fsync))
    for _ in range(2):
        with pytest.raises(OSError, match=r"Input/output|not trusted"):
            outbox.append([b"lost"])
    outbox.close()


def test_one_process_has_it(path: Path):
    outbox = opened(path)
    with pytest.raises(OutboxTaken):
        opened(path)
    outbox.close()
    opened(path).close()


def test_what_can_never_be_brought_in_is_set_aside(path: Path):
    outbox = opened(path)
    outbox.set_aside(b'{"a": 1}', "too large")
    outbox.set_aside(b'{"b": 2}', "too large")
    assert outbox.refused == 2
    assert (path.parent / "t.outbox.refused").read_bytes() == b'{"a": 1}\n{"b": 2}\n'
    outbox.close()
