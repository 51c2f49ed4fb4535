"""A disk that remembers: every write, sync and truncation of SQLite's files and of the outbox, in their order.

SQLite does its I/O through a table of functions (its "VFS"). `recorded` puts one of ours in front of the system's, by ctypes, in
the very library that the interpreter uses; the files are written as ever. `left_by_a_power_cut` makes of the record what a
disk may hold if the power fails between two of these calls: what was synced is there; of what was written after the last
sync of its file, any part, in sectors, in any order. And `Disk.fault` makes SQLite's writes or syncs fail.
"""

import ctypes
import os
import random
from collections.abc import Generator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""


class Call(NamedTuple):
    """`what`: write (`bytes_` at `at`), truncate (to `at`), sync, delete; or ack: whoever `name` is was told."""

    what: str
    name: str
    at: int = 0
    bytes_: bytes = b""


class Disk:
    """The record, and what fails now: `write`, `sync` or nothing."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.fault = ""


FAULTS = {"write": 10 | 3 << 8, "sync": 10 | 4 << 8}
"""SQLITE_IOERR_WRITE and SQLITE_IOERR_FSYNC."""


class _Methods(Structure):
    _fields_ = [
        ("version", c_int),
        *((name, c_void_p) for name in (
            "close", "read", "write", "truncate", "sync", "file_size", "lock", "unlock", "check_reserved_lock",
            "file_control", "sector_size", "device_characteristics", "shm_map", "shm_lock", "shm_barrier", "shm_unmap",
            "fetch", "unfetch",
        )),
    ]  # fmt: skip


class _File(Structure):
    _fields_ = [("methods", POINTER(_Methods))]


class _Vfs(Structure):
    _fields_ = [
        ("version", c_int),
        ("file_bytes", c_int),
        ("path_bytes_max", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        *((name, c_void_p) for name in (
            "open", "delete", "access", "full_path", "dl_open", "dl_error", "dl_sym", "dl_close", "randomness", "sleep",
            "time", "last_error", "time_64", "set_call", "get_call", "next_call",
        )),
    ]  # fmt: skip


_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(_File), c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class _Recorder:
    """The VFS before the system's. All that C holds a pointer to is kept here."""

    def __init__(self, library: ctypes.CDLL, disk: Disk) -> None:
        self._disk, self._calls = disk, disk.calls
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        library.sqlite3_vfs_find.argtypes = [c_char_p]
        self.system = library.sqlite3_vfs_find(None)
        self.vfs = _Vfs.from_buffer_copy(self.system.contents)
        self.vfs.name, self.vfs.next = b"recorded", None
        self._names: dict[int, str] = {}
        self._methods: dict[int, _Methods] = {}
        self._open, self._delete = _OPEN(self.system.contents.open), _DELETE(self.system.contents.delete)
        self._callbacks: list[object] = []
        self.vfs.open, self.vfs.delete = self._kept(_OPEN(self.open)), self._kept(_DELETE(self.delete))

    def open(self, _vfs, path, file, flags, out) -> int:
        """`path` stays the pointer that SQLite gave: the system keeps it for as long as the file is open."""
        answer = self._open(ctypes.addressof(self.system.contents), path, file, flags, out)
        if answer == 0 and path is not None:
            self._names[ctypes.addressof(file.contents)] = os.path.basename(ctypes.string_at(path).decode())
            file.contents.methods = ctypes.pointer(self._recording(file.contents.methods))
        return answer

    def delete(self, _vfs, path, sync_folder) -> int:
        answer = self._delete(ctypes.addressof(self.system.contents), path, sync_folder)
        if answer == 0:
            self._calls.append(Call("delete", os.path.basename(path.decode())))
        return answer

    def _recording(self, system) -> _Methods:
        """The system's methods for a kind of file, with three of ours."""
        address = ctypes.addressof(system.contents)
        if address not in self._methods:
            methods = _Methods.from_buffer_copy(system.contents)
            write, truncate, sync = _WRITE(methods.write), _TRUNCATE(methods.truncate), _SYNC(methods.sync)

            def recorded_write(file, data, count, at) -> int:
                if self._disk.fault == "write":
                    return FAULTS["write"]
                self._calls.append(Call("write", self._names[file], at, ctypes.string_at(data, count)))
                return write(file, data, count, at)

            def recorded_truncate(file, size) -> int:
                self._calls.append(Call("truncate", self._names[file], size))
                return truncate(file, size)

            def recorded_sync(file, flags) -> int:
                if self._disk.fault == "sync":
                    return FAULTS["sync"]
                answer = sync(file, flags)
                self._calls.append(Call("sync", self._names[file]))
                return answer

            methods.write = self._kept(_WRITE(recorded_write))
            methods.truncate = self._kept(_TRUNCATE(recorded_truncate))
            methods.sync = self._kept(_SYNC(recorded_sync))
            self._methods[address] = methods
        return self._methods[address]

    def _kept(self, callback) -> int:
        self._callbacks.append(callback)
        return ctypes.cast(callback, c_void_p).value or 0


_RECORDERS: list[_Recorder] = []
"""SQLite may look at a VFS after it was taken out of the list: none is ever given back."""


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Generator[Disk]:
    """Every connection that is opened inside, and every outbox, is recorded. Skips where SQLite is no library of its own."""
    disk = Disk()
    library = ctypes.CDLL(str(_library()))
    recorder = _Recorder(library, disk)
    _RECORDERS.append(recorder)
    _record_outbox(disk.calls, monkeypatch)
    assert library.sqlite3_vfs_register(ctypes.byref(recorder.vfs), 1) == 0
    try:
        yield disk
    finally:
        library.sqlite3_vfs_register(recorder.system, 1)
        library.sqlite3_vfs_unregister(ctypes.byref(recorder.vfs))
        monkeypatch.undo()


def _library() -> Path:
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = {line.split(maxsplit=5)[-1] for line in lines if "libsqlite3" in line}
    if not paths:
        pytest.skip("this Python has SQLite built in: its files cannot be watched from here")
    return Path(paths.pop())


def _record_outbox(calls: list[Call], monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox writes with `os`; what else does (a lock) is left out by its name."""

    def name_of(descriptor: int) -> str:
        return os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))

    def watched(function: str, what: str, *, before: bool) -> None:
        original = getattr(os, function)

        def called(descriptor: int, *arguments):
            call = None
            if (name := name_of(descriptor)).endswith(".outbox"):
                data, at = arguments if what == "write" else (b"", *arguments[:1]) if arguments else (b"", 0)
                call = Call(what, name, at, bytes(data))
            if call and before:
                calls.append(call)
            answer = original(descriptor, *arguments)
            if call and not before:
                calls.append(call)
            return answer

        monkeypatch.setattr(os, function, called)

    watched("pwrite", "write", before=True)
    watched("ftruncate", "truncate", before=True)
    watched("fdatasync", "sync", before=False)
    watched("fsync", "sync", before=False)


def left_by_a_power_cut(calls: list[Call], dice: random.Random) -> dict[str, bytes]:
    """The files after the last of these calls. What is not synced is there by the dice: all, nothing, or a part."""
    whole: dict[str, bytearray] = {}
    pending: dict[str, list[Call]] = {}
    for call in calls:
        if call.what == "sync":
            for one in pending.pop(call.name, ()):
                _apply(whole.setdefault(call.name, bytearray()), one)
        elif call.what == "delete":
            pending.pop(call.name, None)
            whole.pop(call.name, None)
        elif call.what != "ack":
            pending.setdefault(call.name, []).append(call)
    chance = dice.choice((0.0, 0.5, 0.9, 1.0))
    for name, left in pending.items():
        for call in left:
            for part in _sectors(call):
                if dice.random() < chance:
                    _apply(whole.setdefault(name, bytearray()), part)
    return {name: bytes(text) for name, text in whole.items()}


def _sectors(call: Call) -> list[Call]:
    if call.what != "write":
        return [call]
    first = SECTOR_BYTES - call.at % SECTOR_BYTES
    cuts = [0, *range(first, len(call.bytes_), SECTOR_BYTES), len(call.bytes_)]
    return [
        Call("write", call.name, call.at + start, call.bytes_[start:end]) for start, end in pairwise(cuts)
    ]


def _apply(text: bytearray, call: Call) -> None:
    if call.what == "truncate":
        del text[call.at :]
        text.extend(bytes(call.at - len(text)))
        return
    text.extend(bytes(max(0, call.at - len(text))))
    text[call.at : call.at + len(call.bytes_)] = call.bytes_
