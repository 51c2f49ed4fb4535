import os
import subprocess
import sys
from pathlib import Path

import pytest

from allgate.storage.sqlite.lock import DatabaseLock, Holder, Locked


def test_a_second_taker_learns_who_holds_it_and_where_he_listens(tmp_path: Path):
    lock = DatabaseLock(tmp_path / "t.db")
    lock.tell("/run/somewhere.sock")
    with pytest.raises(Locked, match=f"in use by process {os.getpid()}") as caught:
        DatabaseLock(tmp_path / "t.db")
    assert caught.value.holder == Holder(pid=os.getpid(), control="/run/somewhere.sock")
    lock.release()


def test_released_it_can_be_taken_again(tmp_path: Path):
    DatabaseLock(tmp_path / "t.db").release()
    DatabaseLock(tmp_path / "t.db").release()


def test_two_databases_have_two_locks(tmp_path: Path):
    first, second = DatabaseLock(tmp_path / "a.db"), DatabaseLock(tmp_path / "b.db")
    first.release()
    second.release()


def test_a_holder_that_wrote_nothing_readable_is_unknown(tmp_path: Path):
    lock = DatabaseLock(tmp_path / "t.db")
    (tmp_path / "t.db.lock").write_bytes(b"\xff")
    with pytest.raises(Locked, match="process unknown"):
        DatabaseLock(tmp_path / "t.db")
    lock.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path):
    program = (
        "import pathlib, sys, time\n"
        "from allgate.storage.sqlite.lock import DatabaseLock\n"
        "lock = DatabaseLock(pathlib.Path(sys.argv[1]))\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "t.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Locked):
            DatabaseLock(tmp_path / "t.db")
        holder.kill()
        holder.wait()
    DatabaseLock(tmp_path / "t.db").release()
