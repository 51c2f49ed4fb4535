"""The vendors' own clients, two majors each in Python and in Node, against the command that a newcomer starts first.

A tour does what a user of the SDK does: lists models, asks, streams, calls a tool and brings its result, lets the model
think, shows it a picture and a PDF, wants a form filled in, meets each kind of error, and a stream that breaks. Each
goes to three models of three vendors, so two of three answers come from a format that is not the SDK's own. The tours
print what they saw as JSON; what it must be stands here, once for all of them.
"""

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from subprocess import PIPE, Popen, run
from typing import Any, NamedTuple

import pytest

from cli.program import ENVIRONMENT, READY

HERE = Path(__file__).parent
KEY = "sk-allgate-demo-0000000000000000"
MODELS = ("GPT-5.5", "Claude-Sonnet-4.6", "Gemini-3-Pro")
TOUR_S_MAX = 120
"""A tour takes 3 s alone; beside other tests on two cores it has taken ten times that."""

THOUGHT = "The user wrote 22 characters. I will answer them."
UNSEEN = {("chat", "GPT-5.5"), ("messages", "GPT-5.5"), ("generate", "GPT-5.5")}
"""OpenAI's Chat Completions tell nobody what the model thought, and that is where these doors lead."""


class Tour(NamedTuple):
    """A vendor's tour: what its SDK's base URL ends in, and the finish words of its doors: of a text, and of a call."""

    name: str
    base: str
    doors: dict[str, tuple[str, str]]
    classes: dict[str, set[str]]


STATUS_CLASSES = {
    "wrong_key": {"AuthenticationError"},
    "wrong_model": {"NotFoundError"},
    "wrong_body": {"BadRequestError"},
    "limited": {"RateLimitError"},
    "overloaded": {"InternalServerError", "ServiceUnavailableError", "OverloadedError"},
    "broken": {"APIError", "APIStatusError"},
}
BY_SIDE = {error: {"ClientError", "ApiError"} for error in STATUS_CLASSES} | {
    "overloaded": {"ServerError", "ApiError"},
    "broken": {"ServerError", "ApiError"},
}
OPENAI = Tour(
    "openai_tour",
    "/v1",
    {"chat": ("stop", "tool_calls"), "responses": ("completed", "completed")},
    STATUS_CLASSES,
)
ANTHROPIC = Tour("anthropic_tour", "", {"messages": ("end_turn", "tool_use")}, STATUS_CLASSES)
GOOGLE = Tour("google_genai_tour", "", {"generate": ("STOP", "STOP")}, BY_SIDE)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """`allgate up` on a free port, for as long as the tours take."""
    command = [Path(sys.executable).with_name("allgate"), "up", "--port", "0"]
    with Popen(
        [*command, "--state", tmp_path_factory.mktemp("up")], stdout=PIPE, text=True, env=ENVIRONMENT
    ) as process:
        welcome = ""
        while "Ctrl-C" not in welcome:
            line = process.stdout.readline()
            assert line, f"allgate up ended: {welcome}"
            welcome += line
        yield READY.search(welcome)[0]
        process.terminate()


@pytest.mark.parametrize("tour", [OPENAI, ANTHROPIC, GOOGLE], ids=lambda tour: tour.name)
def test_the_present_python_sdk_finds_its_way(url: str, tour: Tour) -> None:
    _check(tour, _toured([sys.executable, HERE / f"{tour.name}.py"], url, tour))


@pytest.mark.full
@pytest.mark.parametrize(
    ("tour", "environment"),
    [(OPENAI, "openai-2"), (ANTHROPIC, "anthropic-0"), (GOOGLE, "google-genai-2")],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_older_python_sdk_finds_its_way(url: str, old_sdk, tour: Tour, environment: str) -> None:
    _check(tour, _toured([old_sdk(environment), HERE / f"{tour.name}.py"], url, tour))


@pytest.mark.full
@pytest.mark.parametrize(
    ("tour", "package"),
    [
        (OPENAI, "openai"),
        (OPENAI, "openai-6"),
        (ANTHROPIC, "@anthropic-ai/sdk"),
        (ANTHROPIC, "anthropic-0"),
        (GOOGLE, "@google/genai"),
        (GOOGLE, "google-genai-2"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_node_sdks_find_their_way(url: str, node, tour: Tour, package: str) -> None:
    script = HERE.with_name("node") / f"{tour.name}.cjs"
    _check(tour, _toured([node.executable, script, package], url, tour, NODE_PATH=str(node.modules)))


def _toured(command: list[object], url: str, tour: Tour, **environment: str) -> dict[str, Any]:
    direct = os.environ | {"NO_PROXY": "127.0.0.1"} | environment
    done = run(
        [*command, url + tour.base, KEY, *MODELS],
        env=direct,
        capture_output=True,
        text=True,
        timeout=TOUR_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _check(tour: Tour, told: dict[str, Any]) -> None:
    for model in MODELS:
        for door, (finish, call_finish) in tour.doors.items():
            facts = told[model][door]
            _check_answers(facts, finish, call_finish)
            assert facts["thinking"] == ("" if (door, model) in UNSEEN else THOUGHT), (door, model)
            _check_errors(tour, facts)


def _check_answers(facts: dict[str, Any], finish: str, call_finish: str) -> None:
    assert set(facts.get("models", MODELS)) == set(MODELS)
    assert facts["text"] == facts["stream"] == "You said: Say hello to the tour."
    assert facts["finish"] == finish
    assert facts["tokens"] == facts.get("stream_tokens", facts["tokens"]) > 0
    assert facts.get("counted", 1) > 0
    assert facts["call"] == ["weather", ["city"], call_finish]
    assert facts["after_call"] == "The tools said: rain, 12 degrees"
    assert facts.get("signed", True)
    assert facts["picture"] == facts["document"] == "You said: What do you see?"
    assert facts["form"] == ["title", "year"]


def _check_errors(tour: Tour, facts: dict[str, Any]) -> None:
    statuses = {
        "wrong_key": {401},
        "wrong_model": {404},
        "wrong_body": {400},
        "limited": {429},
        "overloaded": {503, 529},
    }
    for error, allowed in statuses.items():
        if error in facts:
            name, status = facts[error]
            assert (name in tour.classes[error], status in allowed) == (True, True), (error, name, status)
    heard, name = facts["broken"]
    assert heard
    assert name in tour.classes["broken"]
