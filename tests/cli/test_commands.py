"""The command line as processes: exit codes, what is printed where, and a server that is told to change while it runs."""

import json
import sqlite3
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError

import pytest

from cli.program import called, process, serving

KEY = "sk-allgate-0123456789abcdef0123456789"
DEMO = "sk-allgate-demo-0000000000000000"

CONFIG = f"""
[server]
listen = "127.0.0.1:0"
drain_s = 2

[[upstreams]]
name = "sim"
provider = "simulator"
base_url = "http://127.0.0.1:1"
credentials = ["sk-upstream-secret"]

[[models]]
name = "M"
deployments = [{{ upstream = "sim", model = "gpt-5.5" }}]
price = {{ input = "3", output = "15" }}

[[accounts]]
name = "demo"
balance_usd = "10"
keys = [{{ name = "k", secret = "{KEY}" }}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "allgate.toml"
    path.write_text(CONFIG)
    return path


def models(url: str, key: str) -> list[str] | int:
    """The names of the models that a key sees, or the status that refuses it."""
    request = urllib.request.Request(f"{url}/v1/models", headers={"authorization": f"Bearer {key}"})
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=20)
    except HTTPError as error:
        with error:
            return error.code
    with answer:
        return [model["id"] for model in json.load(answer)["data"]]


def test_the_version_is_one_line_and_needs_no_server():
    assert process("--version") == called("--version")
    for word in ("--version", "version", "-V"):
        said = called(word)
        assert (said.code, said.out.split()[0]) == (0, "allgate")


def test_help_names_every_command():
    said = called("--help").out
    for command in ("up", "serve", "apply", "keys", "simulate", "version"):
        assert f"\n  {command} " in said


@pytest.mark.parametrize("words", [("frob",), ("serve", "--frob"), ("keys",), ("apply",)])
def test_what_makes_no_sense_exits_with_2(words: tuple[str, ...]):
    assert called(*words).code == 2


def test_a_wrong_file_is_one_line_and_exits_with_2(config: Path):
    config.write_text("[server]\nlissten = 1")
    for command, words in ((process, ("serve", "--config")), (called, ("apply", "-f"))):
        run = command(*words, config)
        assert (run.code, run.out) == (2, "")
        assert run.err == f"allgate: {config}:1: server: Object contains unknown field `lissten`\n"


def test_apply_shows_what_it_does_and_twice_is_as_good_as_once(config: Path):
    dry = called("apply", "-f", config, "--dry-run")
    first = called("apply", "-f", config)
    second = called("apply", "-f", config)
    assert (dry.code, first.code, second.code) == (0, 0, 0)
    assert dry.out.splitlines()[:-1] == first.out.splitlines()[:-1]
    assert "+ models M: created\n" in first.out
    assert dry.out.endswith("5 rows changed, not applied (--dry-run)\n")
    assert first.out.endswith("5 rows changed, applied (revision 1)\n")
    assert second.out == "nothing to change (revision 1)\n"


def test_apply_prints_no_secret(config: Path):
    said = called("apply", "-f", config).out
    assert "sk-upstream-secret" not in said
    assert KEY not in said


def test_the_database_lies_beside_the_file_wherever_one_stands(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    called("apply", "-f", config)
    assert (tmp_path / "allgate.db").exists()


def test_a_remark_goes_to_standard_error(config: Path):
    called("apply", "-f", config)
    config.write_text(CONFIG.replace('balance_usd = "10"', 'balance_usd = "99"'))
    run = called("apply", "-f", config)
    assert run.out == "nothing to change (revision 1)\n"
    assert run.err == ("note: accounts.demo: balance_usd acts once; $10 was granted when it was first seen\n")


def test_keys_are_made_listed_and_disabled_without_a_server(config: Path):
    called("apply", "-f", config)
    made = called("keys", "create", "demo", "new", "--expires", "2099-01-01", "--model", "M", "-c", config)
    secret = made.out.strip()
    assert made.code == 0
    assert secret.startswith("sk-allgate-")
    listed = called("keys", "list", "-c", config).out
    assert listed.splitlines() == [
        f"demo/k    {KEY[:15]}…  active    file",
        f"demo/new  {secret[:15]}…  active    console  expires 2099-01-01  models M",
    ]
    assert "- keys demo/new: disabled" in called("keys", "disable", "demo", "new", "-c", config).out
    assert "disabled  console" in called("keys", "list", "-c", config).out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("create", "nobody", "x"), "account: there is no account 'nobody'; there are: demo"),
        (("create", "demo", "k"), "name: there is a key demo/k already"),
        (("create", "demo", "x", "--expires", "soon"), "expires: is no ISO date or time: 'soon'"),
        (("create", "demo", "x", "--network", "10.0.0.1/8"), "networks: 10.0.0.1/8 has host bits set"),
        (("disable", "demo", "x"), "key: there is no key demo/x"),
    ],
)
def test_a_key_that_cannot_be_is_one_line(config: Path, words: tuple[str, ...], complaint: str):
    called("apply", "-f", config)
    run = called("keys", *words, "-c", config)
    assert (run.code, run.out) == (2, "")
    assert complaint in run.err
    assert len(run.err.splitlines()) == 1


@pytest.mark.parametrize("words", [("list",), ("create", "demo", "x"), ("disable", "demo", "x")])
def test_keys_of_no_database_are_refused_and_none_is_made(tmp_path: Path, words: tuple[str, ...]):
    run = called("keys", *words, "--database", tmp_path / "none.db")
    assert run.code == 2
    assert "there is no database at" in run.err
    assert list(tmp_path.iterdir()) == []


def test_keys_are_listed_while_a_server_runs(config: Path):
    with serving("serve", "--config", config):
        assert called("keys", "list", "-c", config).out == f"demo/k  {KEY[:15]}…  active    file\n"


def test_a_server_is_changed_while_it_runs_and_ends_with_0(config: Path, tmp_path: Path):
    with serving("serve", "--config", config) as server:
        assert models(server.url, KEY) == ["M"]
        secret = called("keys", "create", "demo", "new", "-c", config).out.strip()
        assert models(server.url, secret) == ["M"]
        config.write_text(CONFIG.replace('"M"', '"N"'))
        assert "- models M: disabled" in called("apply", "-f", config).out
        assert models(server.url, KEY) == ["N"]
        called("keys", "disable", "demo", "new", "-c", config)
        assert models(server.url, secret) == 401
        bad = CONFIG.replace('upstream = "sim"', 'upstream = "nobody"')
        config.write_text(bad)
        assert called("apply", "-f", config).code == 2
        assert models(server.url, KEY) == ["N"]
        assert server.stop() == 0
    assert not (tmp_path / "allgate.db.sock").exists()


def test_a_server_without_a_file_serves_what_the_database_holds(config: Path, tmp_path: Path):
    called("apply", "-f", config)
    with serving("serve", "--port", 0, cwd=tmp_path) as server:
        assert models(server.url, KEY) == ["M"]


def test_a_second_server_is_refused(config: Path):
    with serving("serve", "--config", config):
        run = process("serve", "--config", config)
    assert run.code == 2
    assert "a SQLite database is served by one process" in run.err


def test_a_killed_server_leaves_nothing_in_the_way(config: Path):
    with serving("serve", "--config", config) as server:
        server.process.kill()
        server.process.wait()
        assert "nothing to change" in called("apply", "-f", config).out
    with serving("serve", "--config", config) as server:
        assert models(server.url, KEY) == ["M"]


def test_a_demo_key_is_refused_where_others_can_reach_it(config: Path):
    config.write_text(CONFIG.replace(KEY, DEMO))
    with serving("serve", "-c", config) as server:
        assert models(server.url, DEMO) == ["M"]
    with serving("serve", "-c", config, ALLGATE_SERVER_LISTEN="0.0.0.0:0") as server:
        assert models(server.url, DEMO) == 401


def test_a_request_leaves_its_row(config: Path, tmp_path: Path):
    """Refused upstream (nothing listens on port 1), so it is free, logged, and still there after the end."""
    with serving("serve", "--config", config) as server:
        body = json.dumps({"model": "M", "messages": [{"role": "user", "content": "hi"}]}).encode()
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        request = urllib.request.Request(f"{server.url}/v1/chat/completions", body, headers)
        with pytest.raises(HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        with refused.value as answer:
            request_id = answer.headers["x-request-id"]
        assert server.stop() == 0
    connection = sqlite3.connect(tmp_path / "allgate.db")
    rows = connection.execute("SELECT request_id, model, outcome, charged_nano_usd FROM requests").fetchall()
    connection.close()
    assert rows == [(request_id, "M", "failed", 0)]
