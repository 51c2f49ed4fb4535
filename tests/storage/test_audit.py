"""The audit sees whatever is changed behind the ledger's back."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from allgate.billing.book import Book
from allgate.billing.ledger import Hold, Settlement
from allgate.billing.prices import Charge
from allgate.core.money import NanoUsd
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.storage.audit import Drift, audit
from allgate.storage.sqlite.lines import write_lines
from allgate.storage.sqlite.postings import Posting, write_postings
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.transfers import open_account, top_up
from storage.logged import ROW

PRICE = "M@1"
USAGE = Usage(
    input_tokens=1_000, output_tokens=100, cache_read_tokens=400, web_search_calls=1, estimated=True
)
COST = 600 * 3_000 + 400 * 300 + 100 * 15_000 + 10_000_000
"""By hand: $3, $0.30 and $15 a million tokens, $0.01 a search."""


@pytest.fixture
def books(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """One account with $1 and a top-up, one charge with its line, one overage that was not covered."""
    connection = open_writing(tmp_path / "t.db")
    connection.execute(
        "INSERT INTO prices (id, name, input, output, cache_read, web_search, source, valid_from_ms)"
        f" VALUES ('{PRICE}', 'M', '3', '15', '0.3', '0.01', '', 0)"
    )
    connection.execute("INSERT INTO accounts VALUES ('demo', 1000000000, NULL, 'file', 0, 0)")
    assert open_account(connection, "demo", NanoUsd(10**9), 1)
    assert top_up(connection, "demo", NanoUsd(5), top_up_id="x", reason="", at_ms=1)
    book = Book()
    book.restore({"demo": 10**9 + 5})
    for number, (held, cost) in enumerate([(COST, COST), (7, 10**10)]):
        hold = Hold(
            request_id=f"r{number}", account_id="demo", key_id="demo/k", amount_nano_usd=NanoUsd(held)
        )
        book.hold(hold)
        charge = Charge(amount_nano_usd=NanoUsd(cost), sheet_id=PRICE)
        settlement = Settlement(hold=hold, charge=charge, reason="ok")
        assert write_postings([Posting(settlement, book.settle(settlement), None, 1)], connection) is None
    line = changed(ROW, request_id="r0", usage=USAGE, charged_nano_usd=COST, price_id=PRICE)
    void = changed(ROW, request_id="r9", usage=Usage(), charged_nano_usd=0, price_id=PRICE)
    write_lines([line, void], connection)
    yield connection
    connection.close()


def test_books_that_are_right_have_no_drift_and_say_what_was_looked_at(books: sqlite3.Connection):
    found = audit(books)
    assert (found.drifts, found.drift_count) == ((), 0)
    assert (found.accounts, found.transfers, found.lines, found.unlogged) == (4, 2 + 1 + 3, 2, 1)


@pytest.mark.parametrize(
    ("tampering", "drift"),
    [
        (
            "UPDATE balances SET balance_nano_usd = 1 WHERE account = 'demo'",
            Drift(what="balance", where="demo", kept=1, must_be=0),
        ),
        (
            "UPDATE transfers SET amount_nano_usd = 8 WHERE id = 'r1' AND kind = 'charge'",
            Drift(what="balance", where="demo", kept=0, must_be=-1),
        ),
        (
            "DELETE FROM transfers WHERE id = 'r0'",
            Drift(what="charge of a line", where="r0", kept=0, must_be=COST),
        ),
        (
            "UPDATE requests SET output_tokens = 101 WHERE request_id = 'r0'",
            Drift(what="recomputed charge", where="r0", kept=COST, must_be=COST + 15_000),
        ),
        (
            "UPDATE requests SET usage_rest = NULL WHERE request_id = 'r0'",
            Drift(what="recomputed charge", where="r0", kept=COST, must_be=COST - 10_000_000),
        ),
        ("DELETE FROM prices", Drift(what="recomputed charge", where="r0", kept=COST, must_be=None)),
        (
            "UPDATE requests SET charged_nano_usd = 3 WHERE request_id = 'r9'",
            Drift(what="charge of a line", where="r9", kept=0, must_be=3),
        ),
        (
            "UPDATE accounts SET opening_nano_usd = 4",
            Drift(what="opening balance", where="demo", kept=10**9, must_be=4),
        ),
        (
            "DELETE FROM balances WHERE account = 'house:revenue'",
            Drift(what="sum of all balances", where="", kept=-(10**10) - COST, must_be=0),
        ),
    ],
)
def test_what_was_tampered_with_is_named(books: sqlite3.Connection, tampering: str, drift: Drift):
    books.execute(tampering)
    assert drift in audit(books).drifts


def test_an_account_below_zero_is_drift(books: sqlite3.Connection):
    books.execute("INSERT INTO transfers VALUES ('z', 'charge', 'demo', 'house:revenue', 2, 1, '', '', '')")
    books.execute("UPDATE balances SET balance_nano_usd = -2 WHERE account = 'demo'")
    assert Drift(what="balance below zero", where="demo", kept=-2, must_be=0) in audit(books).drifts
