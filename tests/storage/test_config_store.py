import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from allgate.admin.apply import changes_between, plan_apply
from allgate.admin.records import Document, document_of
from allgate.admin.rows import (
    AccountRow,
    Declaration,
    DeploymentRow,
    KeyRow,
    ModelRow,
    PriceRow,
    SheetRow,
    UpstreamRow,
)
from allgate.catalogue.rows import RuleRow
from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.storage.config_store import RevisionMoved, publish, read_number, read_published
from allgate.storage.sqlite.schema import open_writing

KEY = "sk-allgate-0123456789abcdef0123456789"


def document(output_price: str = "15", upstreams: int = 1) -> Document:
    return document_of(
        Declaration(
            upstreams=tuple(
                UpstreamRow(
                    name=f"u{number}",
                    provider="openai",
                    dialects=("openai_chat",),
                    credentials=(Secret("env:A"), Secret("sk-literal")),
                    proxy="http://proxy:1",
                )
                for number in range(upstreams)
            ),
            models=(
                ModelRow(
                    name="M",
                    deployments=(
                        DeploymentRow(upstream="u0", model="m", caps={"openai_chat": {"stop_max": 1}}),
                        DeploymentRow(upstream="u0", model="n", priority=1),
                    ),
                    price=PriceRow(input="3", output=output_price),
                ),
                ModelRow(name="N", price="shared"),
            ),
            prices=(SheetRow(name="shared", input="1", output="2"),),
            accounts=(
                AccountRow(
                    name="demo",
                    balance_usd="10",
                    keys=(KeyRow(name="k", secret=Secret(KEY), models=("M",), networks=("10.0.0.0/8",)),),
                ),
            ),
        ),
        lambda reference, _: reference,
    )


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_writing(tmp_path / "t.db")
    yield connection
    connection.close()


def store(connection: sqlite3.Connection, wanted: Document, now_ms: int = 1_000) -> int:
    published = read_published(connection)
    plan = plan_apply(published.document, wanted)
    return publish(
        connection,
        seen=published.number,
        changes=plan.changes,
        document=plan.document,
        sheet_id=lambda row: f"{row.name}@{row.output}",
        now_ms=now_ms,
    )


def table(connection: sqlite3.Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


def test_nothing_published_is_an_empty_document(connection: sqlite3.Connection):
    published = read_published(connection)
    assert (published.number, published.document) == (0, Document())


def test_what_is_published_is_read_back_equal_secrets_included(connection: sqlite3.Connection):
    assert store(connection, document()) == 1
    published = read_published(connection)
    assert (published.number, read_number(connection)) == (1, 1)
    assert published.document == document()
    assert published.document.upstreams["u0"].record.credentials[1].reveal() == "sk-literal"


def test_every_table_holds_its_rows(connection: sqlite3.Connection):
    store(connection, document())
    assert table(
        connection, "SELECT name, provider, dialects, proxy, managed_by, disabled FROM upstreams"
    ) == [("u0", "openai", '["openai_chat"]', "http://proxy:1", "file", 0)]
    assert table(connection, "SELECT * FROM credentials ORDER BY position") == [
        ("u0", 0, "env:A"),
        ("u0", 1, "sk-literal"),
    ]
    assert table(connection, "SELECT name, sheet FROM models ORDER BY name") == [("M", "M"), ("N", "shared")]
    assert table(connection, "SELECT position, upstream, model, priority, weight, caps FROM deployments") == [
        (0, "u0", "m", 0, 1, '{"openai_chat":{"stop_max":1}}'),
        (1, "u0", "n", 1, 1, "{}"),
    ]
    assert table(connection, "SELECT name, price_id FROM sheets ORDER BY name") == [
        ("M", "M@15"),
        ("shared", "shared@2"),
    ]
    assert table(connection, "SELECT name, opening_nano_usd FROM accounts") == [("demo", 10_000_000_000)]
    assert table(connection, "SELECT account, name, hint, models, networks, expires FROM keys") == [
        ("demo", "k", "sk-allgate-0123", '["M"]', '["10.0.0.0/8"]', None)
    ]


def test_no_table_and_no_document_holds_a_key(connection: sqlite3.Connection):
    store(connection, document())
    assert KEY not in "\n".join(connection.iterdump())


def test_what_a_row_says_of_its_family_stands_in_columns_of_its_own(connection: sqlite3.Connection):
    row = ModelRow(
        name="O",
        family="claude-opus-4-7",
        aliases=("best",),
        thinking="adaptive",
        rules=(RuleRow(clear=("seed",), why="w"),),
        deployments=(DeploymentRow(upstream="u0", rules=(RuleRow(refuse=("n",), why="v"),)),),
        free=True,
    )
    wanted = document_of(Declaration(models=(row, ModelRow(name="P"))), lambda reference, _: reference)
    store(connection, wanted)
    query = "SELECT family, aliases, profile, rules, family_rules, free FROM models ORDER BY name"
    assert table(connection, query) == [
        (
            "claude-opus-4-7",
            '["best"]',
            '{"thinking":"adaptive"}',
            '[{"clear":["seed"],"why":"w"}]',
            1,
            1,
        ),
        (None, None, None, None, 1, 0),
    ]
    assert table(connection, "SELECT model, rules FROM deployments") == [("", '[{"refuse":["n"],"why":"v"}]')]
    assert read_published(connection).document == wanted


def test_a_changed_price_is_another_row_and_the_old_one_stays(connection: sqlite3.Connection):
    store(connection, document("15"), now_ms=1)
    store(connection, document("16"), now_ms=2)
    prices = table(connection, "SELECT id, output, valid_from_ms FROM prices WHERE name = 'M' ORDER BY id")
    assert prices == [("M@15", "15", 1), ("M@16", "16", 2)]
    assert table(connection, "SELECT price_id FROM sheets WHERE name = 'M'") == [("M@16",)]


def test_a_changed_row_forgets_its_former_members(connection: sqlite3.Connection):
    store(connection, document())
    fewer = document()
    upstream = fewer.upstreams["u0"]
    row = changed(upstream.record, credentials=(Secret("env:B"),))
    store(connection, changed(fewer, upstreams={"u0": changed(upstream, record=row)}))
    assert table(connection, "SELECT * FROM credentials") == [("u0", 0, "env:B")]


def test_a_vanished_row_is_disabled_and_stays(connection: sqlite3.Connection):
    store(connection, document(upstreams=2))
    store(connection, document(upstreams=1), now_ms=5)
    assert table(connection, "SELECT name, disabled, changed_ms FROM upstreams ORDER BY name") == [
        ("u0", 0, 1_000),
        ("u1", 1, 5),
    ]


def test_a_change_planned_from_an_older_revision_is_refused(connection: sqlite3.Connection):
    store(connection, document())
    with pytest.raises(RevisionMoved, match="at revision 1, not at 0"):
        publish(
            connection,
            seen=0,
            changes=changes_between(Document(), document()),
            document=document(),
            sheet_id=lambda row: row.name,
            now_ms=1,
        )
    assert read_number(connection) == 1
