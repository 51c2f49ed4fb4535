"""A process's state from its settings, up and down."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from allgate.admin.commands import Apply, CreateKey
from allgate.admin.keys import new_secret
from allgate.admin.records import key_record
from allgate.admin.rows import (
    AccountRow,
    ConfigError,
    Declaration,
    KeyRow,
    ModelRow,
    PriceRow,
    UpstreamRow,
)
from allgate.core.secret import Secret
from allgate.core.usage import Usage
from allgate.gateway.ports import LogRow
from allgate.identity.caller import key_hash
from allgate.storage.sqlite.lock import DatabaseLock
from allgate.wiring.control import send
from allgate.wiring.declared import declared_document
from allgate.wiring.settings import Database, RequestLog, Server, Settings
from allgate.wiring.state import State, open_state

KEY = "sk-allgate-0123456789abcdef0123456789"
DECLARED = Declaration(
    upstreams=(
        UpstreamRow(
            name="u", provider="simulator", base_url="http://127.0.0.1:1", credentials=(Secret("x"),)
        ),
    ),
    models=(ModelRow(name="M", price=PriceRow(input="1", output="2")),),
    accounts=(AccountRow(name="demo", balance_usd="1", keys=(KeyRow(name="k", secret=Secret(KEY)),)),),
)

ROW = LogRow(
    request_id="req_1", started_ms=1_700_000_000_000, account_id="demo", key_id="demo/k", dialect="openai_chat",
    operation="chat", model="M", upstream="u", upstream_model="m", upstream_dialect="openai_chat", passthrough=True,
    stream=False, status=200, outcome="ok", attempts=1, duration_ms=1, first_byte_ms=None, usage=Usage(input_tokens=1),
    charged_nano_usd=1, hold_nano_usd=2, price_id="M@1", error="", notes="", user_agent="",
)  # fmt: skip


def settings(folder: Path, declared: Declaration | None = DECLARED, **fields: object) -> Settings:
    return Settings(
        database=Database(url="sqlite:///t.db"),
        declared=declared,
        folder=folder,
        request_log=RequestLog(retain_days=0),
        **fields,
    )


@asynccontextmanager
async def state(of: Settings) -> AsyncGenerator[State]:
    opened = await open_state(of)
    try:
        yield opened
    finally:
        await opened.close()


async def test_what_the_file_declares_is_served(tmp_path: Path):
    async with state(settings(tmp_path)) as opened:
        assert list(opened.directory.catalogue.models) == ["M"]
        assert opened.directory.caller(key_hash(KEY)) is not None
        assert opened.ledger.available_nano_usd("demo") == 1_000_000_000
        assert len(opened.seal_keys) == 1
        await opened.ready()


async def test_without_a_file_what_the_database_holds_is_served(tmp_path: Path):
    async with state(settings(tmp_path)):
        pass
    async with state(settings(tmp_path, declared=None)) as opened:
        assert list(opened.directory.catalogue.models) == ["M"]
        assert opened.directory.catalogue.revision == 1


async def test_rows_of_the_request_log_are_written_before_it_closes(tmp_path: Path):
    async with state(settings(tmp_path)) as opened:
        opened.recorder.record(ROW)
    connection = sqlite3.connect(tmp_path / "t.db")
    assert connection.execute("SELECT request_id, input_tokens FROM requests").fetchall() == [("req_1", 1)]
    connection.close()


async def test_a_log_that_is_switched_off_is_counted_and_not_written(tmp_path: Path):
    off = Settings(
        database=Database(url="sqlite:///t.db"), folder=tmp_path, request_log=RequestLog(enabled=False)
    )
    async with state(off) as opened:
        opened.recorder.record(ROW)
        assert b"gen_ai_server_request_duration_seconds_count" in opened.metrics.render()
    connection = sqlite3.connect(tmp_path / "t.db")
    assert connection.execute("SELECT count(*) FROM requests").fetchone() == (0,)
    connection.close()


async def test_a_second_process_is_refused(tmp_path: Path):
    async with state(settings(tmp_path)):
        with pytest.raises(
            ConfigError, match=r"in use by process \d+; a SQLite database is served by one process"
        ):
            await open_state(settings(tmp_path))


async def test_a_start_that_fails_lets_go_of_the_database(tmp_path: Path):
    wrong = Declaration(models=(ModelRow(name="M", price="none"),))
    with pytest.raises(ConfigError, match="no price sheet"):
        await open_state(settings(tmp_path, wrong))
    DatabaseLock(tmp_path / "t.db").release()


async def test_a_command_from_outside_is_served_without_a_restart(tmp_path: Path):
    async with state(settings(tmp_path)) as opened:
        secret = new_secret()
        record = key_record("demo", KeyRow(name="new", secret=secret), secret)
        await asyncio.to_thread(send, opened.backing.control.path, CreateKey(record=record))
        assert opened.directory.caller(key_hash(secret.reveal())) is not None
        assert opened.directory.catalogue.revision == 2
        assert b"allgate_revision 2\n" in opened.metrics.render()


async def test_a_new_account_is_granted_its_opening_balance_at_once_and_once(tmp_path: Path):
    def with_accounts(*rows: AccountRow) -> Apply:
        declared = Declaration(accounts=(*DECLARED.accounts, *rows))
        return Apply(declared=declared_document(declared, tmp_path, {}))

    async with state(settings(tmp_path)) as opened:
        for amount in ("5", "7"):
            command = with_accounts(AccountRow(name="late", balance_usd=amount))
            await asyncio.to_thread(send, opened.backing.control.path, command)
            assert opened.ledger.available_nano_usd("late") == 5_000_000_000
        assert opened.ledger.available_nano_usd("demo") == 1_000_000_000


@pytest.mark.parametrize(("listen", "in_it"), [("127.0.0.1:0", True), ("0.0.0.0:0", False)])
async def test_a_demo_key_is_known_on_loopback_only(tmp_path: Path, listen: str, in_it: bool):
    demo = "sk-allgate-demo-0000000000000000"
    declared = Declaration(accounts=(AccountRow(name="d", keys=(KeyRow(name="k", secret=Secret(demo)),)),))
    async with state(settings(tmp_path, declared, server=Server(listen=listen))) as opened:
        assert (opened.directory.caller(key_hash(demo)) is not None) is in_it


async def test_relative_paths_of_a_file_count_from_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "upstream.key").write_text("sk-from-file\n")
    upstream = UpstreamRow(
        name="u",
        provider="simulator",
        base_url="http://127.0.0.1:1",
        credentials=(Secret("file:upstream.key"),),
    )
    model = ModelRow(name="M", deployments=())
    declared = Declaration(upstreams=(upstream,), models=(model,))
    async with state(settings(tmp_path / "conf", declared)):
        pass
    monkeypatch.chdir(tmp_path)
    elsewhere = Settings(
        database=Database(url="sqlite:///conf/t.db"), folder=tmp_path, request_log=RequestLog(retain_days=0)
    )
    async with state(elsewhere) as opened:
        assert opened.directory.catalogue.revision == 1  # its credential was found from here, too


@pytest.mark.parametrize("url", ["mysql://u@h/db", "sqlite://", "sqlite:///", "allgate.db"])
async def test_another_kind_of_database_is_refused(tmp_path: Path, url: str):
    with pytest.raises(ConfigError, match=r"database\.url: must be sqlite:///PATH"):
        await open_state(Settings(database=Database(url=url), folder=tmp_path))


async def test_a_database_that_is_none_is_refused_with_its_path(tmp_path: Path):
    (tmp_path / "t.db").write_text("this is no database, whatever its name may say " * 20)
    with pytest.raises(ConfigError, match=r"t\.db: file is not a database"):
        await open_state(settings(tmp_path))


async def test_readiness_says_when_the_database_is_gone(tmp_path: Path):
    async with state(settings(tmp_path)) as opened:
        opened.database.writer.close()
        with pytest.raises(OSError, match="cannot be read"):
            await opened.ready()
