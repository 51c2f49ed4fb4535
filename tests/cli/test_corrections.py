"""Corrections and debits from the command line, with and without a server: each acts once, or changes nothing."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from allgate.simulator.in_thread import running
from cli.program import called, process, serving

KEY = "sk-allgate-test-0123456789abcdef0123456789abcdef"
CONFIG = """
[server]
listen = "127.0.0.1:0"
[[upstreams]]
name = "sim"
provider = "simulator"
base_url = "{url}"
credentials = ["sk-up"]
[[models]]
name = "m"
deployments = [{{ upstream = "sim", model = "gpt-5.5" }}]
price = {{ input = "3", output = "15" }}
[[accounts]]
name = "demo"
balance_usd = "10"
keys = [{{ name = "k", secret = "{key}" }}]
"""
PAID = "0.0045"
"""For 1,000 tokens in and 100 out."""


@pytest.fixture(scope="module")
def charged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A database with one charged request, and that request's id."""
    path = tmp_path_factory.mktemp("charged") / "allgate.toml"
    with running() as sim:
        path.write_text(CONFIG.format(url=sim.url, key=KEY))
        with serving("serve", "--config", path) as server:
            request_id = ask(server.url)
            server.stop()
    return path, request_id


@pytest.fixture
def books(charged: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    """A copy of it."""
    path, request_id = charged
    for file in path.parent.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / path.name, request_id


def ask(url: str) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": "!scene echo input=1000 output=100\nhi"}]}
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    with urlopen(Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), headers)) as reply:
        return reply.headers["x-request-id"]


def correct(books: tuple[Path, str], amount: str, *more: str, request: str | None = None):
    path, request_id = books
    return called(
        "ledger",
        "correct",
        "--config",
        path,
        f"--amount={amount}",
        "--reason",
        "a bug",
        *more,
        request or request_id,
    )


def debit(books: tuple[Path, str], amount: str, *more: str, account: str = "demo"):
    return called("accounts", "debit", "--config", books[0], *more, "--", account, amount)


def balance(books: tuple[Path, str]) -> str:
    return called("accounts", "list", "--config", books[0]).out.split("$")[1].strip()


def verified(books: tuple[Path, str]) -> bool:
    return called("ledger", "verify", "--config", books[0]).code == 0


def test_a_correction_gives_back_and_the_same_one_again_changes_nothing(books: tuple[Path, str]):
    assert correct(books, "0.0015").out == "demo  $9.997  (id 1)\n"
    again = correct(books, "0.0015")
    assert (again.code, again.out) == (0, "demo  $9.997  (id 1)\n")
    assert "nothing was changed" in again.err
    assert correct(books, "0.003", "--id", "2").out == "demo  $10  (id 2)\n"
    assert verified(books)


@pytest.mark.parametrize(
    ("amount", "more", "request_id", "complaint"),
    [
        ("0.005", (), None, "the account paid $0.0045 for"),
        ("-1", (), None, "above zero"),
        ("0", (), None, "above zero"),
        ("NaN", (), None, "not a finite amount"),
        ("1e400", (), None, "outside int64"),
        ("0.0000000001", (), None, "finer than a nano-USD"),
        ("ten", (), None, "not an amount"),
        ("9223372036", (), None, "would not fit 64 bits"),
        ("0.001", ("--id", "x" * 121), None, "1 to 120 characters"),
        ("0.002", ("--id", "one"), None, "this id was used before, for $0.001"),
        ("0.004", (), None, "and $0.001 of it was given back before"),
        ("0.001", (), "req_nobody", "no request 'req_nobody' was charged"),
        ("0.001", (), "opening:demo", "no request 'opening:demo' was charged"),
    ],
)
def test_a_correction_that_makes_no_sense_changes_nothing(
    books: tuple[Path, str], amount: str, more: tuple[str, ...], request_id: str | None, complaint: str
):
    assert correct(books, "0.001", "--id", "one").code == 0
    before = balance(books)
    said = correct(books, amount, *more, request=request_id)
    assert (said.code, complaint in said.err) == (2, True), said
    assert balance(books) == before
    assert verified(books)


def test_a_debit_takes_and_the_same_id_takes_once(books: tuple[Path, str]):
    assert debit(books, "2.5", "--id", "d1").out == "demo  $7.4955  (id d1)\n"
    again = debit(books, "2.5", "--id", "d1")
    assert (again.code, again.out) == (0, "demo  $7.4955  (id d1)\n")
    assert "nothing was changed" in again.err
    assert debit(books, "7.4955").out.startswith("demo  $0  (id ")
    assert verified(books)


@pytest.mark.parametrize(
    ("amount", "more", "account", "complaint"),
    [
        ("10", (), "demo", "$8.9955 of the balance of demo is available, less than $10; nothing was changed"),
        ("-1", (), "demo", "above zero"),
        ("NaN", (), "demo", "not a finite amount"),
        ("1e400", (), "demo", "outside int64"),
        ("9223372036", (), "demo", "$8.9955 of the balance of demo is available"),
        ("1", (), "nobody", "no account 'nobody'"),
        ("1", (), "house:revenue", "the gateway's own accounts"),
        ("2", ("--id", "d0"), "demo", "this id was used before, for $1"),
        ("1", ("--id", "x" * 121), "demo", "1 to 120 characters"),
    ],
)
def test_a_debit_that_makes_no_sense_changes_nothing(
    books: tuple[Path, str], amount: str, more: tuple[str, ...], account: str, complaint: str
):
    assert debit(books, "1", "--id", "d0").code == 0
    said = debit(books, amount, *more, account=account)
    assert (said.code, complaint in said.err) == (2, True), said
    assert balance(books) == "8.9955"
    assert verified(books)


def test_a_server_takes_them_at_once_and_the_receipt_shows_the_correction(books: tuple[Path, str]):
    path, request_id = books

    def told(url: str, route: str) -> dict:
        with urlopen(Request(f"{url}/v1{route}", headers={"authorization": f"Bearer {KEY}"})) as reply:
            return json.loads(reply.read())

    with serving("serve", "--config", path) as server:
        assert correct(books, "0.0015").out == "demo  $9.997  (id 1)\n"
        assert debit(books, "9", "--id", "d1").out == "demo  $0.997  (id d1)\n"
        assert debit(books, "9", "--id", "d1").out == "demo  $0.997  (id d1)\n"
        refused = debit(books, "1")
        assert refused.code == 2
        assert "$0.997 of the balance of demo is available, less than $1; nothing was changed" in refused.err
        assert told(server.url, "/balance")["available_usd"] == "0.997"
        receipt = told(server.url, f"/requests/{request_id}")
        assert (receipt["charged_usd"], receipt["corrected_usd"]) == (PAID, "0.0015")
        added = told(server.url, "/dashboard/billing/subscription")["hard_limit_usd"]
        spent = told(server.url, "/dashboard/billing/usage")["total_usage"]
        assert round(added - spent / 100, 9) == 0.997
    assert verified(books)


@pytest.mark.parametrize("order", ["topup", "debit", "correct"])
def test_the_same_order_many_times_at_once_acts_once(books: tuple[Path, str], order: str):
    path, request_id = books
    orders = {
        "topup": ("accounts", "topup", "demo", "1", "--id", "one"),
        "debit": ("accounts", "debit", "demo", "1", "--id", "one"),
        "correct": ("ledger", "correct", request_id, "--amount", "0.001", "--reason", "r"),
    }
    after = {"topup": "10.9955", "debit": "8.9955", "correct": "9.9965"}[order]
    with serving("serve", "--config", path), ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda _: process(*orders[order], "--config", path), range(4)))
        assert {one.code for one in said} == {0}
        assert sum("before" in one.err for one in said) == 3
        assert {re.findall(r"\$(\S+)", one.out)[0] for one in said} == {after}
    assert balance(books) == after
    assert verified(books)
