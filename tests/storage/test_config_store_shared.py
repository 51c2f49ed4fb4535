"""The configuration on PostgreSQL: the same rows as on SQLite, and of two who publish at once one wins."""

import json
import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from allgate.admin.apply import plan_apply
from allgate.admin.records import Document, document_of
from allgate.admin.rows import AccountRow, Declaration, KeyRow, ModelRow, PriceRow, UpstreamRow
from allgate.core.secret import Secret
from allgate.storage.config_store import RevisionMoved, publish, read_published
from allgate.storage.connection import Connection
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.schema import prepare
from allgate.storage.sqlite.schema import open_writing

TABLES = (
    "upstreams",
    "credentials",
    "models",
    "deployments",
    "prices",
    "sheets",
    "accounts",
    "keys",
    "revision",
)
LEDGER = ("transfers", "balances")


def document(balance_usd: str = "10", *names: str) -> Document:
    declared = Declaration(
        upstreams=(UpstreamRow(name="u", provider="openai", credentials=(Secret("env:A"),)),),
        models=(ModelRow(name="M", price=PriceRow(input="3", output="15")),),
        accounts=tuple(
            AccountRow(
                name=name,
                balance_usd=balance_usd,
                keys=(
                    KeyRow(name="k", secret=Secret(f"sk-{name}-0123456789abcdef0123"), dialects=("gemini",)),
                ),
            )
            for name in names or ("demo",)
        ),
    )
    return document_of(declared, lambda reference, _: reference)


def store(connection: Connection, wanted: Document) -> int:
    published = read_published(connection)
    plan = plan_apply(published.document, wanted)
    return publish(
        connection,
        seen=published.number,
        changes=plan.changes,
        document=plan.document,
        sheet_id=lambda row: f"{row.name}@{row.output}",
        now_ms=1_000,
    )


def rows(connection: Connection) -> dict[str, list[str]]:
    """Every row of every table of the configuration and the ledger."""
    return {
        name: sorted(json.dumps([int(cell) if isinstance(cell, bool) else cell for cell in row]) for row in
                     connection.execute(f"SELECT * FROM {name}"))
        for name in TABLES + LEDGER
    }  # fmt: skip


@contextmanager
def thread(url: str) -> Generator[PostgresThread]:
    opened = PostgresThread(url)
    try:
        opened.submit(prepare).result()
        yield opened
    finally:
        opened.close()


def test_both_databases_hold_the_same_rows(tmp_path: Path, postgres_url: str):
    steps = (document(), document("10", "demo", "late"), document("10", "late"))
    with closing(open_writing(tmp_path / "t.db")) as sqlite, thread(postgres_url) as postgres:
        for step in steps:
            store(sqlite, step)
            postgres.submit(lambda connection, step=step: store(connection, step)).result()
            assert postgres.submit(rows).result() == rows(sqlite)
        assert postgres.submit(read_published).result() == read_published(sqlite)
    assert isinstance(sqlite, sqlite3.Connection)


def test_who_publishes_second_waits_and_is_told(postgres_url: str):
    """Both planned from revision 1. The second stands at the row of the number until the first commits."""
    begun = threading.Event()

    def first(connection: Connection) -> int:
        number = store(connection, document("10", "demo", "first"))
        begun.set()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while connection.execute(waits).fetchall()[0][0] == 0:
            connection.execute("SELECT pg_stat_clear_snapshot()").fetchall()
        return number

    with thread(postgres_url) as one, thread(postgres_url) as other:
        one.submit(lambda connection: store(connection, document())).result()
        winning = one.submit(first)
        begun.wait(30)
        losing = other.submit(lambda connection: store(connection, document("10", "demo", "second")))
        assert winning.result() == 2
        with pytest.raises(RevisionMoved, match="at revision 2, not at 1"):
            losing.result()
        accounts = other.submit(read_published).result().document.accounts
    assert set(accounts) == {"demo", "first"}
