"""Three serving processes over one PostgreSQL, as an operator runs them, told what to do by the command line alone."""

import json
import urllib.request
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError

import pytest

from allgate.simulator.in_thread import running
from cli.program import called, process, serving
from postgres import Postgres

KEY = "sk-allgate-0123456789abcdef0123456789"
OTHER = "sk-allgate-another-0123456789abcdef"
UNKNOWN = "sk-allgate-that-nobody-ever-made-00"

CONFIG = """
[server]
listen = "127.0.0.1:0"
drain_s = 0

[database]
url = "{database}"

[secrets]
master_key = "{master_key}"

[[upstreams]]
name = "sim"
provider = "simulator"
base_url = "{upstream}"
credentials = ["sk-upstream"]

[[models]]
name = "M"
deployments = [{{ upstream = "sim", model = "sim-echo" }}]
price = {{ input = "3", output = "15" }}

[[accounts]]
name = "demo"
balance_usd = "10"
keys = [{{ name = "k", secret = "{key}" }}, {{ name = "other", secret = "{other}" }}]
"""


class Nodes(NamedTuple):
    """`urls` of the three; `config` is the file that all were given."""

    config: Path
    urls: list[str]
    database: Postgres


class Answer(NamedTuple):
    status: int
    body: dict
    headers: dict[str, str]


@pytest.fixture
def nodes(tmp_path: Path, postgres: Postgres) -> Generator[Nodes]:
    """They start at once, with the same file, on an empty database."""
    config = tmp_path / "allgate.toml"
    with ExitStack() as stack:
        upstream = stack.enter_context(running())
        config.write_text(
            CONFIG.format(
                database=postgres.database(),
                master_key="ab" * 32,
                upstream=upstream.url,
                key=KEY,
                other=OTHER,
            )
        )
        starts = [
            serving("serve", "--config", config, ALLGATE_LEDGER_OUTBOX=str(tmp_path / f"{number}.outbox"))
            for number in range(3)
        ]
        with ThreadPoolExecutor(3) as together:
            servers = list(together.map(stack.enter_context, starts))
        yield Nodes(config, [server.url for server in servers], postgres)
        for server in servers:
            assert server.stop() == 0


def fetch(url: str, key: str, body: dict | None = None) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, {"authorization": f"Bearer {key}"}), timeout=30
        ) as reply:
            return Answer(reply.status, json.load(reply), {k.lower(): v for k, v in reply.headers.items()})
    except HTTPError as refusal:
        with refusal:
            return Answer(
                refusal.code, json.load(refusal), {k.lower(): v for k, v in refusal.headers.items()}
            )


def ask(node: str, key: str = KEY) -> Answer:
    question = {"model": "M", "messages": [{"role": "user", "content": "one two three"}]}
    return fetch(f"{node}/v1/chat/completions", key, question)


def models(node: str, key: str = KEY) -> Answer:
    return fetch(f"{node}/v1/models", key)


def eventually(wanted: Callable[[], bool]) -> None:
    """Asked until it is so; the process that asks is stopped by its own deadline if it never is."""
    while not wanted():
        pass


def test_three_nodes_are_one_gateway(nodes: Nodes):
    """One file, applied once; one balance, whoever charges it; a receipt and a balance from any of them."""
    answers = [ask(node) for node in nodes.urls for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 9
    charge = float(answers[0].headers["x-allgate-cost-usd"])
    balances = [fetch(f"{node}/v1/balance", KEY).body for node in nodes.urls]
    assert {balance["balance_usd"] for balance in balances} == {f"{10 - 9 * charge:.9f}".rstrip("0")}
    request_id = answers[0].headers["x-request-id"]
    for node in nodes.urls:
        assert fetch(f"{node}/v1/requests/{request_id}", KEY).body["id"] == request_id
        assert ask(node, UNKNOWN).status == 401
    run = called("ledger", "verify", "-c", nodes.config)
    assert (run.code, run.err) == (0, "")
    assert "9 lines of the request log recomputed; 0 charges without a line; drift: 0" in run.out
    assert called("apply", "-f", nodes.config).out == "nothing to change (revision 1)\n"


def test_what_the_command_line_changes_is_so_on_every_node(nodes: Nodes):
    made = called("keys", "create", "demo", "new", "-c", nodes.config).out.strip()
    for node in nodes.urls:
        eventually(lambda node=node: models(node, made).status == 200)
    called("keys", "disable", "demo", "k", "-c", nodes.config)
    for node in nodes.urls:
        eventually(lambda node=node: models(node, KEY).status == 401)
        assert ask(node, KEY).status == 401
    top_up = called("accounts", "topup", "demo", "5", "--id", "one", "-c", nodes.config)
    again = called("accounts", "topup", "demo", "5", "--id", "one", "-c", nodes.config)
    assert (top_up.out, again.out) == ("demo  $15  (id one)\n",) * 2
    for node in nodes.urls:
        assert fetch(f"{node}/v1/balance", OTHER).body["balance_usd"] == "15"


def test_changes_at_once_from_many_commands_are_all_there(nodes: Nodes):
    with ThreadPoolExecutor(4) as together:
        runs = list(
            together.map(
                lambda number: process("keys", "create", "demo", f"n{number}", "-c", nodes.config), range(4)
            )
        )
    assert [run.code for run in runs] == [0] * 4
    listed = called("keys", "list", "-c", nodes.config).out
    assert all(f"demo/n{number} " in listed for number in range(4))
    for node in nodes.urls:
        for run in runs:
            eventually(lambda node=node, run=run: models(node, run.out.strip()).status == 200)


def test_without_the_database_known_keys_are_believed_and_unknown_ones_get_503(nodes: Nodes):
    nodes.database.stop()
    try:
        for node in nodes.urls:
            eventually(lambda node=node: models(node, UNKNOWN).status == 503)
            refused = models(node, UNKNOWN)
            assert refused.body["error"]["code"] == "database_unreachable"
            assert refused.headers["retry-after"] == "1"
            assert models(node, KEY).status == 200
        run = called("keys", "list", "-c", nodes.config)
        assert run.code == 2
        assert len(run.err.splitlines()) == 1
    finally:
        nodes.database.start()
    for node in nodes.urls:
        eventually(lambda node=node: models(node, UNKNOWN).status == 401)
        eventually(lambda node=node: ask(node).status == 200)
    assert called("ledger", "verify", "-c", nodes.config).code == 0


def test_three_nodes_keep_one_budget(nodes: Nodes):
    """One that comes while they serve knows what was spent, and is in force on each; it holds for all together."""
    charge = float(ask(nodes.urls[0]).headers["x-allgate-cost-usd"])
    limit = f'{{ name = "k", budget = {{ total = "{9 * charge:.9f}" }},'
    nodes.config.write_text(nodes.config.read_text().replace('{ name = "k",', limit))
    assert called("apply", "-f", nodes.config).code == 0
    for node in nodes.urls:
        eventually(lambda node=node: ask(node).status == 429)
    refused = [ask(node) for node in nodes.urls for _ in range(3)]
    assert {answer.status for answer in refused} == {429}
    assert "The total budget of the key demo/k" in refused[0].body["error"]["message"]
    assert [ask(node, OTHER).status for node in nodes.urls] == [200] * 3


def test_nodes_are_not_started_without_a_master_key_or_a_database(tmp_path: Path, postgres_url: str):
    config = tmp_path / "allgate.toml"
    text = CONFIG.format(
        database=postgres_url, master_key="", upstream="http://127.0.0.1:1", key=KEY, other=OTHER
    )
    config.write_text(text)
    run = process("serve", "--config", config)
    assert run.code == 2
    assert "secrets.master_key: is needed, the same for all nodes of this database" in run.err
    config.write_text(
        text.replace("allgate@", "allgate:sesame@").replace(postgres_url.rpartition("/")[2], "nothing")
    )
    run = process("serve", "--config", config)
    assert run.code == 2
    assert "database.url: 127.0.0.1" in run.err
    assert "sesame" not in run.err
