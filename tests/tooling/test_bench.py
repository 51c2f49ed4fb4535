"""The benchmarks' own tools: the mock and the load client against each other, and the arithmetic of the table."""

import json
import shutil
import subprocess

import pytest

from bench import programs, targets, wire
from bench.measure import Sample
from bench.report import Run, markdown, median
from bench.scenarios import SCENARIOS, Route, Scenario, table
from bench.soak import WARM_UP, slope_per_100_000
from bench.wire.form import CHUNKS

UNARY = Scenario("openai_chat", "openai_chat", "unary", 4)
BURST = UNARY._replace(answer="burst")


@pytest.fixture(scope="module", autouse=True)
def tools(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("NO C COMPILER: the benchmarks' tools cannot be built")
    out = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "OUT", out)
        patch.setattr(programs, "LOAD_CORE", min(programs.os.sched_getaffinity(0)))
        patch.setattr(programs.os, "sched_getaffinity", lambda pid: {0, 1})
        programs.build()
        yield out


def load(out, scenario: Scenario, *options: str, fault_every: int | None = None) -> dict[str, float]:
    body = out / "request.json"
    body.write_bytes(wire.request(scenario).body)
    with targets.mocks([scenario.route], fault_every) as mock:
        address = [str(mock.ports[scenario.route]), "/v1", str(scenario.connections), str(body)]
        run = subprocess.run([out / "load", *options, *address], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def test_every_request_is_answered_and_counted(tools):
    figures = load(tools, UNARY, "-n", "100")
    assert (figures["completed"], figures["refused"], figures["broken"], figures["unfinished"]) == (
        100,
        0,
        0,
        0,
    )


def test_a_body_of_a_megabyte_is_sent_whole(tools):
    assert load(tools, UNARY._replace(prompt_bytes=1_000_000), "-n", "8")["completed"] == 8


def test_every_chunk_of_a_stream_is_counted_and_timed(tools):
    figures = load(tools, BURST, "-n", "10")
    assert figures["chunks"] == 10 * CHUNKS
    assert (
        0 <= figures["chunk_p50_us"] < 60_000_000
    )  # a stamp not overwritten would read as the age of the machine


def test_a_paced_stream_arrives_whole(tools, monkeypatch):
    monkeypatch.setitem(wire.INTERVAL_US, "paced", 100)
    assert load(tools, UNARY._replace(answer="paced"), "-n", "8")["chunks"] == 8 * CHUNKS


def test_aborts_are_counted_apart(tools):
    figures = load(tools, BURST, "-n", "100", "-a", "10")
    assert (figures["completed"], figures["aborted"]) == (90, 10)


@pytest.mark.parametrize("scenario", [UNARY, BURST])
def test_faults_are_a_reset_a_500_and_a_cut_in_turn(tools, scenario):
    figures = load(tools, scenario._replace(connections=1), "-n", "60", fault_every=10)
    assert (figures["completed"], figures["refused"], figures["broken"]) == (54, 2, 4)


@pytest.mark.parametrize("route", sorted({row.route for row in SCENARIOS}))
def test_a_reply_is_well_formed(route):
    if route.answer == "unary":
        assert json.loads(wire.reply(route))
    else:
        events = wire.reply(route).decode().removesuffix("\n\n").split("\n\n")
        payloads = [line[6:] for event in events for line in event.splitlines() if line.startswith("data: ")]
        assert len(events) == len(payloads) == CHUNKS
        assert all(payload == "[DONE]" or json.loads(payload) for payload in payloads)


def test_a_prompt_has_the_size_of_its_row():
    body = json.loads(wire.request(UNARY._replace(prompt_bytes=100_000)).body)
    assert len(body["messages"][1]["content"]) == 100_000


def test_each_table_is_part_of_the_next():
    short, promised, full = ([*table(name)] for name in ("short", "promised", "full"))
    assert 0 < len(short) < len(promised) < len(full) == len(set(SCENARIOS))
    assert {*short} < {*promised} < {*full}


def test_every_crossing_has_a_goal_in_the_table_of_what_is_promised():
    crossings = [(row.unit, row.goal_us) for row in table("promised") if row.client != row.upstream]
    assert sorted(crossings) == [("chunk", 25)] * 12 + [("request", 150)] * 12


def test_the_gateways_configuration_is_toml():
    import tomllib

    config = targets.gateway_config(
        1, programs.OUT / "x.db", {Route("anthropic", "unary"): "http://127.0.0.1:9"}
    )
    assert tomllib.loads(config)["upstreams"][0]["base_url"] == "http://127.0.0.1:9"


def sample(cpu_us: float | None, lag_ms: float | None = None, p50_us: float = 100) -> Sample:
    return Sample(cpu_us, 1000, p50_us, 200, 50, lag_ms, 40 if cpu_us else None)


def test_a_median_is_of_each_figure_and_a_lag_is_the_worst():
    middle = median([sample(10, 1), sample(30, 9), sample(20, 2)])
    assert (middle.cpu_us, middle.loop_lag_ms) == (20, 9)


def test_the_table_shows_what_is_added_to_going_direct():
    run = Run(
        {UNARY: {"direct": [sample(None)], "allgate": [sample(70, p50_us=350)]}}, {"allgate": [0.5, 0.7]}, {}
    )
    table = markdown(run)
    assert "| openai_chat, unary | 4 | 1 KB | request | – | 70.0 | – | 1,000 | – | 0.25 | – |" in table
    assert "allgate: start to ready 600 ms" in table


def test_a_skipped_row_is_named_with_its_reason():
    assert "SKIPPED: openai_chat, unary, 4 connections, 1000 bytes: refused" in markdown(
        Run({UNARY: {}}, {}, {UNARY: "refused"})
    )


def test_a_slope_leaves_the_warm_up_out():
    warming = [(WARM_UP - 10_000, 10.0), (WARM_UP - 5_000, 50.0)]
    settled = [(WARM_UP, 50.1), (WARM_UP + 5_000, 50.2), (WARM_UP + 10_000, 50.3)]
    assert slope_per_100_000(warming + settled) == pytest.approx(2.0)
