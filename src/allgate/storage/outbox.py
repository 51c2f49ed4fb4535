"""The outbox: a file of this node's own where charges are kept while the database does not take them (ruling 10).

Rules
- A record counts when `append` has returned: it is written and synced, and survives a power cut like a commit.
- Records are read back in the order in which they were written, until `taken` says that somebody else keeps them. The
  file shrinks only when all are taken (`clear`), so a record may be read again after a crash: who takes them must not
  mind a repetition.
- The room is reserved when the file is opened, so that a disk that is full still takes charges. (A file system that
  copies on write, such as btrfs, does not keep that promise; there, give the outbox a disk of its own.)
- One process has the file: it is locked.

A record is its length and its CRC-32 (8 bytes, little-endian), then its bytes. Reading ends at the first that is not whole:
the rest is what a power cut left of an append that nobody was told about. Should it ever be more than that, it is kept
beside the file as `.torn`, and said.

    bytes: │ length │ crc │ record │ length │ crc │ record │ 0 0 0 … reserved … │

Known wart: if an append fails, and taking back its bytes fails as well, the record may be read after a restart although
its writer was told that it is not kept. Nothing more is appended then.
"""

import fcntl
import logging
import os
from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from struct import Struct
from zlib import crc32

OUTBOX_BYTES_MAX = 16 * 1024 * 1024
"""A charge with its line of the request log takes 1 to 1.3 KB, so this is room for 12,000: everything that may wait
(`group_commit.WAITING_MAX`) and 2,000 requests under way. While the database is gone, no new ones begin."""

_HEAD = Struct("<II")

_log = logging.getLogger("allgate.outbox")


class OutboxFull(Exception):
    """The records would not fit into the file's limit. Nothing was written."""


class OutboxTaken(Exception):
    """Another process has the file open."""


class Outbox:
    """See the module's essay. `append` and `clear` block on the disk and belong in one thread; the rest is for the loop."""

    def __init__(self, path: Path, *, bytes_max: int = OUTBOX_BYTES_MAX) -> None:
        """Open or make the file, and read what it holds. Raises: OutboxTaken; OSError: it cannot be used."""
        self.path = path
        self.bytes_max = bytes_max
        self.refused = 0
        self._broken = False
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor, path)
            records, self._end, rest = read_records(_whole(self._descriptor))
            if rest:
                self._keep_torn(rest)
            self._cut(self._end)
            _sync_folder(path)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._records = deque(records)

    @property
    def depth(self) -> int:
        """Records that nobody else keeps yet."""
        return len(self._records)

    def append(self, records: Sequence[bytes]) -> None:
        """Keep the records, in their order, all or none. Blocks until they would survive a power cut.

        Raises: OutboxFull; OSError: the disk does not take them. None of them is kept then.
        """
        frames = b"".join([_HEAD.pack(len(record), crc32(record)) + record for record in records])
        if self._end + len(frames) > self.bytes_max:
            raise OutboxFull(f"{self.path} would be longer than {self.bytes_max} bytes")
        if self._broken:
            raise OSError(f"{self.path} could not be written before, so it is not trusted any more")
        try:
            _write_all(self._descriptor, frames, self._end)
            os.fdatasync(self._descriptor)
        except OSError:
            self._take_back()
            raise
        self._end += len(frames)
        self._records.extend(records)

    def oldest(self, count: int) -> list[bytes]:
        """The first records that are not taken, at most so many."""
        return list(islice(self._records, count))

    def taken(self, count: int) -> None:
        """Somebody else keeps the first `count` records now."""
        for _ in range(count):
            self._records.popleft()

    def set_aside(self, record: bytes, why: str) -> None:
        """Keep a record that can never be brought in, for its operator: beside the file, as `.refused`, one per line."""
        beside = self.path.with_name(f"{self.path.name}.refused")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _write_all(descriptor, record + b"\n", os.fstat(descriptor).st_size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.refused += 1
        _log.error("a charge of the outbox was refused", extra={"reason": why, "path": str(beside)})

    def clear(self) -> None:
        """Empty the file, if every record is taken. Raises: OSError: it stays as it is, and its records come again."""
        if not self._records and self._end:
            self._cut(0)
            self._end = 0

    def close(self) -> None:
        """Let go of the file. What is in it stays."""
        os.close(self._descriptor)

    def _take_back(self) -> None:
        """Nothing of a failed append may be read later."""
        try:
            self._cut(self._end)
        except OSError as error:
            self._broken = True
            _log.error("the outbox cannot be used any more", extra={"error": repr(error)})

    def _cut(self, end: int) -> None:
        """Only zeros behind `end`, on the disk; and room for all that may come, where the disk has it."""
        os.ftruncate(self._descriptor, end)
        try:
            os.posix_fallocate(self._descriptor, 0, self.bytes_max)
        except OSError as error:
            _log.warning("no room could be reserved for the outbox", extra={"error": repr(error)})
        os.fsync(self._descriptor)

    def _keep_torn(self, rest: bytes) -> None:
        """Almost always the half of an append that a power cut ended, which nobody was told about."""
        beside = self.path.with_name(f"{self.path.name}.torn")
        beside.write_bytes(rest)
        _log.warning(
            "the outbox ends in a record that is not whole; its bytes are kept beside it",
            extra={"bytes": len(rest), "path": str(beside)},
        )


def read_records(text: bytes) -> tuple[list[bytes], int, bytes]:
    """The whole records of a file, where they end, and what stands behind them besides zeros."""
    records: list[bytes] = []
    end = 0
    while end + _HEAD.size <= len(text):
        length, checksum = _HEAD.unpack_from(text, end)
        record = text[end + _HEAD.size : end + _HEAD.size + length]
        if not length or len(record) < length or crc32(record) != checksum:
            break
        records.append(record)
        end += _HEAD.size + length
    return records, end, text[end:].rstrip(b"\0")


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutboxTaken(f"{path} is in use by another process") from None


def _whole(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _write_all(descriptor: int, frames: bytes, at: int) -> None:
    written = 0
    while written < len(frames):
        written += os.pwrite(descriptor, frames[written:], at + written)


def _sync_folder(path: Path) -> None:
    """So that the file's name survives a power cut, too."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
