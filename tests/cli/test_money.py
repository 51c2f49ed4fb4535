"""Accounts and the books from the command line, with and without a server."""

import sqlite3
from pathlib import Path

import pytest

from allgate.storage.outbox import Outbox
from cli.program import called, serving
from cli.test_commands import CONFIG


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "allgate.toml"
    path.write_text(CONFIG)
    assert called("apply", "--file", path).code == 0
    return path


def top_up(config: Path, amount: str, *more: str, account: str = "demo"):
    return called("accounts", "topup", account, amount, "--config", config, *more)


def balances(config: Path, *more: str) -> str:
    return called("accounts", "list", "--config", config, *more).out


def test_an_account_is_opened_by_apply_and_listed(config: Path):
    assert balances(config) == "demo  $10\n"
    assert balances(config, "--house") == "demo          $10\nhouse:grants  $-10\n"


def test_a_top_up_adds_and_the_same_id_adds_once(config: Path):
    assert top_up(config, "2.5", "--id", "p1").out == "demo  $12.5  (id p1)\n"
    again = top_up(config, "2.5", "--id", "p1")
    assert (again.code, again.out) == (0, "demo  $12.5  (id p1)\n")
    assert "nothing was added" in again.err
    assert top_up(config, "0.000000001").out.startswith("demo  $12.500000001  (id ")


@pytest.mark.parametrize(
    ("amount", "more", "account", "complaint"),
    [
        ("-1", (), "demo", "above zero"),
        ("0", (), "demo", "above zero"),
        ("NaN", (), "demo", "not a finite amount"),
        ("1e400", (), "demo", "outside int64"),
        ("0.0000000001", (), "demo", "finer than a nano-USD"),
        ("ten", (), "demo", "not an amount"),
        ("9223372036", (), "demo", "would not fit"),
        ("1", (), "nobody", "no account 'nobody'"),
        ("1", (), "house:grants", "not topped up"),
        ("1", ("--id", ""), "demo", ""),
        ("1", ("--id", "x" * 121), "demo", "1 to 120 characters"),
        ("1", ("--id", "p0"), "demo", "an id is used for one top-up"),
    ],
)
def test_a_top_up_that_makes_no_sense_changes_nothing(
    config: Path, amount: str, more: tuple[str, ...], account: str, complaint: str
):
    assert top_up(config, "3", "--id", "p0").code == 0
    said = called("accounts", "topup", *more, "--config", config, "--", account, amount)
    if complaint:
        assert said.code == 2
        assert complaint in said.err
        assert balances(config) == "demo  $13\n"
    else:
        assert said.code == 0  # an empty id is none: one is made


def test_a_server_takes_a_top_up_and_has_it_after_a_kill(config: Path):
    with serving("serve", "--config", config) as running:
        assert top_up(config, "5", "--id", "p1").out == "demo  $15  (id p1)\n"
        assert called("ledger", "verify", "--config", config).code == 0
        running.stop(9)
    with serving("serve", "--config", config):
        assert top_up(config, "5", "--id", "p1").out == "demo  $15  (id p1)\n"


def test_verify_says_what_waits_in_the_outbox(config: Path):
    outbox = Outbox(config.with_name("allgate.db.outbox"))
    outbox.append([b"a charge", b"another"])
    outbox.close()
    said = called("ledger", "verify", "--config", config)
    assert said.code == 0
    assert "note: 2 charges wait in" in said.err


def test_verify_says_what_it_recomputed_and_fails_on_drift(config: Path):
    said = called("ledger", "verify", "--config", config)
    assert (said.code, said.out) == (
        0,
        "2 accounts, 1 transfers, 0 lines of the request log recomputed; 0 charges without a line; drift: 0\n",
    )
    books = sqlite3.connect(config.with_name("allgate.db"))
    books.execute("UPDATE balances SET balance_nano_usd = 1 WHERE account = 'demo'")
    books.commit()
    books.close()
    said = called("ledger", "verify", "--config", config)
    assert said.code == 1
    assert "drift: balance demo: is $0.000000001, must be $10" in said.out
