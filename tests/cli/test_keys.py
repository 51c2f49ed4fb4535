"""Keys from the command line, on both databases: what it prints, and what a server that runs then lets in."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError

import pytest

from cli.program import called, serving

CONFIG = """
[server]
listen = "127.0.0.1:0"
drain_s = 0
{database}
[secrets]
master_key = "{master_key}"

[[upstreams]]
name = "sim"
provider = "simulator"
base_url = "http://127.0.0.1:1"
credentials = ["sk-upstream"]

[[models]]
name = "M"
deployments = [{{ upstream = "sim", model = "gpt-5.5" }}]
price = {{ input = "3", output = "15" }}

[[accounts]]
name = "demo"
balance_usd = "10"
"""
ASK = {"model": "M", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
REACHED = 502  # the key was let in, and the upstream is not there; Anthropic's word for it is 529


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    url = (
        "" if request.param == "sqlite" else f'[database]\nurl = "{request.getfixturevalue("postgres_url")}"'
    )
    path = tmp_path / "allgate.toml"
    path.write_text(CONFIG.format(database=url, master_key="ab" * 32))
    assert called("apply", "-f", path).code == 0
    return path


def made(config: Path, *limits: str, name: str = "k") -> str:
    run = called("keys", "create", "demo", name, *limits, "-c", config)
    assert run.code == 0, run.err
    return run.out.strip()


def status(url: str, secret: str, path: str = "/v1/chat/completions") -> tuple[int, str]:
    """How a question ends, and the error's code or type."""
    sent = urllib.request.Request(url + path, json.dumps(ASK).encode(), {"x-api-key": secret})
    try:
        urllib.request.urlopen(sent, timeout=20)
    except HTTPError as refusal:
        with refusal:
            error = json.load(refusal)["error"]
            return refusal.code, error.get("code") or error["type"]
    raise AssertionError("nobody answers there")


def eventually(ask: Callable[[], int], wanted: int) -> bool:
    """Asked until it is so: a node of many looks twice a second. The test's deadline ends what never comes."""
    while ask() != wanted:
        pass
    return True


def test_a_key_is_found_by_its_beginning_or_by_itself(config: Path):
    secret, _ = made(config), made(config, name="other")
    for text in (secret[:15], secret):
        assert (
            called("keys", "list", "--prefix", text, "-c", config).out
            == f"demo/k  {secret[:15]}…  active    console\n"
        )
    assert called("keys", "list", "--prefix", "sk-else", "-c", config).out == "no such key\n"
    assert called("keys", "list", "--prefix", secret + "x", "-c", config).out == "no such key\n"


def test_what_limits_a_key_is_listed(config: Path):
    made(
        config, "--model", "M", "--dialect", "anthropic", "--network", "10.0.0.0/8", "--expires", "2099-01-01"
    )
    listed = called("keys", "list", "-c", config).out
    assert listed.rstrip().endswith("expires 2099-01-01  models M  dialects anthropic  from 10.0.0.0/8")


def test_a_key_with_a_budget_is_listed_with_it_and_refused_by_it(config: Path):
    with serving("serve", "--config", config) as server:
        limits = ("--budget-total", "5", "--budget-daily", "0.000001")
        secret = made(config, *limits)
        assert called("keys", "list", "-c", config).out.rstrip().endswith("$5 in all  $0.000001 a day")
        assert eventually(lambda: status(server.url, secret)[0], 429)
        assert status(server.url, secret)[1] == "insufficient_quota"
        assert server.stop() == 0


@pytest.mark.parametrize("amount", ["-1", "much", "0.0000000001"])
def test_a_budget_that_is_no_amount_makes_no_key(config: Path, amount: str):
    run = called("keys", "create", "demo", "k", "--budget-monthly", amount, "-c", config)
    assert (run.code, run.out) == (2, "")
    assert "keys.demo/k" in run.err
    assert "budget.monthly" in run.err
    assert called("keys", "list", "-c", config).out.startswith("no keys")


def test_a_rotated_key_is_shown_once_with_the_end_of_the_old_one(config: Path):
    old = made(config)
    run = called("keys", "rotate", "demo", "k", "--overlap", "24h", "-c", config)
    new = run.out.strip()
    assert run.code == 0
    assert new.startswith("sk-allgate-")
    assert new != old
    assert "the old secret opens until 2" in run.err
    (line,) = called("keys", "list", "-c", config).out.splitlines()
    assert line.startswith(f"demo/k  {new[:15]}…  active    console  {old[:15]}… until 2")
    assert called("keys", "list", "--prefix", old, "-c", config).out == f"{line}\n"


@pytest.mark.parametrize("overlap", ["soon", "1w", "-1h", "91d", "1.5h", ""])
def test_an_overlap_that_is_none_changes_nothing(config: Path, overlap: str):
    made(config)
    before = called("keys", "list", "-c", config).out
    run = called("keys", "rotate", "demo", "k", f"--overlap={overlap}", "-c", config)
    assert (run.code, run.out) == (2, "")
    assert "overlap: " in run.err
    assert called("keys", "list", "-c", config).out == before


def test_a_server_lets_both_secrets_in_and_then_one(config: Path):
    old = made(config)
    with serving("serve", "--config", config) as server:
        new = called("keys", "rotate", "demo", "k", "-c", config).out.strip()
        assert eventually(lambda: status(server.url, new)[0], REACHED)
        assert status(server.url, old)[0] == REACHED
        newest = called("keys", "rotate", "demo", "k", "--overlap", "0", "-c", config).out.strip()
        assert eventually(lambda: status(server.url, new)[0], 401)
        assert status(server.url, old)[0] == 401
        assert status(server.url, newest)[0] == REACHED
        called("keys", "disable", "demo", "k", "-c", config)
        assert eventually(lambda: status(server.url, newest)[0], 401)


def test_a_key_opens_its_door_and_no_other(config: Path):
    secret = made(config, "--dialect", "anthropic")
    elsewhere = made(config, "--network", "10.0.0.0/8", name="elsewhere")
    ended = made(config, "--expires", "2001-01-01", name="ended")
    with serving("serve", "--config", config) as server:
        assert status(server.url, secret) == (403, "dialect_not_allowed")
        assert status(server.url, secret, "/v1/messages")[0] == 529
        for path in ("/v1/chat/completions", "/v1/messages"):
            assert status(server.url, elsewhere, path)[0] == 403
            assert status(server.url, ended, path)[0] == 401
