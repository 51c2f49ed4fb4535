"""Commands over the socket of the process that holds the database."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from allgate.admin.commands import Apply
from allgate.admin.rows import ConfigError
from allgate.core.secret import Secret
from allgate.wiring.control import ControlServer, send
from wiring.commanded import NOTHING, configuration, declared, new_key


async def test_a_command_travels_to_the_process_that_holds_the_database(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        control = ControlServer(commands, tmp_path / "t.db")
        await control.start()
        assert stat.S_IMODE(control.path.stat().st_mode) == 0o600
        done = await asyncio.to_thread(send, control.path, Apply(declared=declared()))
        assert (done.number, [change.kind for change in done.changes]) == (1, ["created"] * 3)
        assert commands.published().document.upstreams["u"].record.credentials == (Secret("sk-upstream"),)
        command = new_key()
        await asyncio.to_thread(send, control.path, command)
        assert command.record.hash in handed_out[-1].callers
        with pytest.raises(ConfigError, match="name: there is a key demo/k already"):
            await asyncio.to_thread(send, control.path, command)
        await control.close()
        assert not control.path.exists()


async def test_what_is_no_command_is_answered_and_changes_nothing(tmp_path: Path):
    with configuration(tmp_path) as (commands, _):
        control = ControlServer(commands, tmp_path / "t.db")
        await control.start()
        for text in (b"", b"hello", b'{"type":"reboot"}', b"\xff" * 300_000):
            reader, writer = await asyncio.open_unix_connection(control.path)
            writer.write(text)
            writer.write_eof()
            assert b'"type":"failed"' in await reader.read()
            writer.close()
            await writer.wait_closed()
        assert commands.published().number == 0
        await control.close()


async def test_a_socket_of_a_killed_process_is_replaced(tmp_path: Path):
    with configuration(tmp_path) as (commands, _):
        (tmp_path / "t.db.sock").touch()
        control = ControlServer(commands, tmp_path / "t.db")
        await control.start()
        assert (await asyncio.to_thread(send, control.path, NOTHING)).number == 0
        await control.close()


async def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path: Path):
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    with configuration(folder) as (commands, _):
        control = ControlServer(commands, folder / "t.db")
        await control.start()
        assert len(os.fsencode(control.path)) < 100
        assert stat.S_IMODE(control.path.parent.stat().st_mode) == 0o700
        assert (await asyncio.to_thread(send, control.path, NOTHING)).number == 0
        await control.close()
        assert not control.path.parent.exists()
