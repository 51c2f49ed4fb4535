"""Commands on a real database: what is published, what is refused before it is, and what travels over the socket."""

import asyncio
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from allgate.admin.commands import Apply, CreateKey, DisableKey
from allgate.admin.keys import new_secret
from allgate.admin.records import Document, document_of, key_record
from allgate.admin.rows import AccountRow, ConfigError, Declaration, KeyRow, ModelRow, UpstreamRow
from allgate.core.secret import Secret
from allgate.wiring.configuration import Configuration
from allgate.wiring.control import ControlServer, send
from allgate.wiring.database import opened
from allgate.wiring.registry import Snapshot, packaged_providers


def declared(base_url: str = "http://127.0.0.1:1") -> Document:
    rows = Declaration(
        upstreams=(
            UpstreamRow(
                name="u", provider="simulator", base_url=base_url, credentials=(Secret("sk-upstream"),)
            ),
        ),
        models=(ModelRow(name="M"),),
        accounts=(AccountRow(name="demo", balance_usd="1"),),
    )
    return document_of(rows, lambda reference, _: reference)


NOTHING = Apply(declared=Document())


def new_key(name: str = "k", expires: str | None = None) -> CreateKey:
    row = KeyRow(name=name, secret=new_secret(), expires=expires)
    return CreateKey(record=key_record("demo", row, row.secret))


@contextmanager
def configuration(folder: Path) -> Generator[tuple[Configuration, list[Snapshot]]]:
    with opened(folder / "t.db") as database:
        published: list[Snapshot] = []
        yield (
            Configuration(
                database.writer,
                packaged_providers(),
                lambda reference, _: reference,
                loopback=True,
                on_published=published.append,
            ),
            published,
        )


def test_a_change_is_published_and_handed_out(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        done = commands.run(Apply(declared=declared()))
        assert (done.number, len(done.changes)) == (1, 3)
        assert [one.catalogue.revision for one in handed_out] == [1]
        assert commands.published().document == declared()


def test_what_changes_nothing_is_no_revision(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        commands.run(Apply(declared=declared()))
        assert commands.run(Apply(declared=declared())).changes == ()
        assert commands.run(Apply(declared=declared())).number == 1
        assert len(handed_out) == 1


def test_a_dry_run_shows_and_does_nothing(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        assert len(commands.run(Apply(declared=declared(), dry_run=True)).changes) == 3
        assert (commands.published().number, handed_out) == (0, [])


def test_what_could_not_be_served_is_not_published_dry_or_not(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        commands.run(Apply(declared=declared()))
        for dry_run in (True, False):
            with pytest.raises(ConfigError, match=r"upstreams\.u: base_url"):
                commands.run(Apply(declared=declared("ftp://x"), dry_run=dry_run))
        with pytest.raises(ConfigError, match="is no ISO date"):
            commands.run(new_key(expires="soon"))
        assert commands.published().document == declared()
        assert len(handed_out) == 1


def test_a_console_key_survives_the_next_apply(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        commands.run(Apply(declared=declared()))
        command = new_key()
        commands.run(command)
        commands.run(Apply(declared=declared("http://127.0.0.1:2")))
        assert command.record.hash in handed_out[-1].callers
        commands.run(DisableKey(account="demo", name="k"))
        assert handed_out[-1].callers == {}
        assert commands.published().document.keys["demo/k"].disabled


def test_it_is_all_there_after_a_restart(tmp_path: Path):
    with configuration(tmp_path) as (commands, _):
        commands.run(Apply(declared=declared()))
    with configuration(tmp_path) as (commands, _):
        assert commands.published().number == 1
        assert commands.run(Apply(declared=declared())).changes == ()


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
