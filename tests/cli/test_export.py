"""`allgate ledger export`: what a spreadsheet or a script gets."""

import csv
import json
import subprocess
from io import StringIO
from pathlib import Path

import pytest

from allgate.core.value import changed
from allgate.storage.sqlite.lines import write_lines
from allgate.storage.sqlite.schema import open_writing
from cli.program import ALLGATE, DEADLINE_S, ENVIRONMENT, called
from cli.test_commands import CONFIG
from storage.logged import ROW


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "allgate.toml"
    path.write_text(CONFIG)
    assert called("apply", "--file", path).code == 0
    assert called("accounts", "topup", "demo", "0.000000001", "--id", "p1", "--config", path).code == 0
    connection = open_writing(tmp_path / "allgate.db")
    lines = [changed(ROW, request_id=f"req_{n}", started_ms=1_700_000_000_000 + n) for n in range(3)]
    write_lines([changed(lines[0], error='with "quotes", commas\nand lines'), *lines[1:]], connection)
    connection.close()
    return path


def export(config: Path, *more: str) -> str:
    said = called("ledger", "export", *more, "--config", config)
    assert (said.code, said.err) == (0, "")
    return said.out


def test_transfers_as_csv_with_exact_amounts(config: Path):
    rows = list(csv.DictReader(StringIO(export(config), newline="")))
    assert [
        (row["id"], row["debit"], row["credit"], row["amount_nano_usd"], row["amount_usd"]) for row in rows
    ] == [
        ("opening:demo", "house:grants", "demo", "10000000000", "10"),
        ("topup:p1", "house:grants", "demo", "1", "0.000000001"),
    ]


def test_transfers_as_lines_of_json(config: Path):
    rows = [json.loads(line) for line in export(config, "--format", "jsonl").splitlines()]
    assert [(row["kind"], row["amount_nano_usd"], row["amount_usd"]) for row in rows] == [
        ("opening", 10**10, "10"),
        ("topup", 1, "0.000000001"),
    ]


def test_requests_in_both_forms_say_the_same(config: Path):
    from_csv = list(csv.DictReader(StringIO(export(config, "requests"), newline="")))
    from_json = [json.loads(line) for line in export(config, "requests", "--format", "jsonl").splitlines()]
    assert [row["request_id"] for row in from_csv] == ["req_0", "req_1", "req_2"]
    assert from_csv[0]["error"] == from_json[0]["error"] == 'with "quotes", commas\nand lines'
    assert from_csv[0]["stream"] == "true"
    assert (
        from_json[0]["usage_rest"]
        == json.loads(from_csv[0]["usage_rest"])
        == {"images": 2, "web_search_calls": 1}
    )
    assert from_csv[0]["first_byte_ms"] == ""
    assert from_json[0]["first_byte_ms"] is None
    assert from_csv[0]["charged_usd"] == from_json[0]["charged_usd"] == "4611686018.427387904"


def test_a_range_of_time_is_utc(config: Path):
    within = ("--from", "2023-11-14T22:13:20.001", "--before", "2023-11-14T22:13:20.002Z")
    assert '"req_1"' in export(config, "requests", "--format", "jsonl", *within)
    assert len(export(config, "requests", "--format", "jsonl", *within).splitlines()) == 1
    assert export(config, "requests", "--from", "2030-01-01") == ""


def test_a_time_that_is_none_is_said(config: Path):
    said = called("ledger", "export", "--from", "yesterday", "--config", config)
    assert (said.code, said.out) == (2, "")
    assert "from: is no ISO date or time: 'yesterday'" in said.err


def test_whoever_has_seen_enough_may_go(config: Path):
    connection = open_writing(config.with_name("allgate.db"))
    write_lines([changed(ROW, request_id=f"more_{n}", notes="x" * 500) for n in range(500)], connection)
    connection.close()
    with subprocess.Popen(
        [ALLGATE, "ledger", "export", "requests", "--config", config],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as exporting:
        assert exporting.stdout
        assert exporting.stderr
        assert exporting.stdout.readline().startswith(b"request_id,")
        exporting.stdout.close()
        assert exporting.wait(DEADLINE_S) == 0
        assert exporting.stderr.read() == b""
