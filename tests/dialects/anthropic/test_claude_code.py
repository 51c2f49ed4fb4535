"""Recorded requests of Claude Code 2.1: all are read, and written for our own dialect with nothing lost."""

import json
from pathlib import Path

import pytest

from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.anthropic.count import counting
from allgate.operations.chat.features import features_of
from allgate.operations.chat.parts import Media, Text, ToolResult
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.tools import Builtin, Function
from allgate.wire.message import WireRequest
from dialects.anthropic.exchange import ADAPTIVE, BOX, BUDGET

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "client_requests" / "claude-code"
REQUESTS_MIN = 45  # of the 48 recorded ones, three are no calls of the Messages API

ALL = {
    path.stem: json.loads(path.read_text())
    for path in sorted(FOLDER.glob("*.json"), key=lambda path: int(path.stem))
}
CALLS = {name: exchange for name, exchange in ALL.items() if isinstance(exchange["body"], dict)}


def wire(exchange: dict) -> WireRequest:
    path, _, query = exchange["path"].partition("?")
    headers = tuple((name.lower().encode(), value.encode()) for name, value in exchange["headers"].items())
    body = json.dumps(exchange["body"]).encode()
    return WireRequest(method=exchange["method"], path=path, query=query.encode(), headers=headers, body=body)


def read(name: str) -> ChatRequest:
    return ANTHROPIC.decode_request(wire(CALLS[name]), BOX)


def of_scenario(scenario: str, seq: int = 1) -> ChatRequest | None:
    for name, exchange in CALLS.items():
        if (exchange["scenario"], exchange["seq"]) == (scenario, seq):
            return read(name)
    return None


def canonical(body: dict) -> dict:
    """The same request with one spelling for what the vendor takes in two."""
    body = {key: value for key, value in body.items() if value not in (None, [], False)}
    messages: list[dict] = []
    for raw in body["messages"]:
        message = {**raw, "content": [_canonical_block(block) for block in _blocks(raw["content"])]}
        if messages and messages[-1]["role"] == message["role"] != "system":
            messages[-1]["content"] += message["content"]
        else:
            messages.append(message)
    return {**body, "messages": messages} | ({"system": _blocks(body["system"])} if "system" in body else {})


def _blocks(content) -> list[dict]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _canonical_block(block: dict) -> dict:
    if block["type"] != "tool_result":
        return block
    rest = {key: value for key, value in block.items() if (key, value) != ("is_error", False)}
    return {**rest, "content": _blocks(block["content"])}


@pytest.mark.skipif(not FOLDER.is_dir(), reason="RECORDED CLIENT REQUESTS ABSENT")
def test_enough_requests_ran():
    assert len(CALLS) >= REQUESTS_MIN


@pytest.mark.parametrize("name", CALLS)
def test_a_recorded_request_comes_out_as_it_went_in(name):
    body = CALLS[name]["body"]
    caps = (
        changed(BUDGET, output_max=128_000) if body.get("thinking", {}).get("type") == "enabled" else ADAPTIVE
    )
    request = read(name)
    assert request.notes == ()
    call = ANTHROPIC.encode_request(request, body["model"], caps)
    written = json.loads(call.body)
    if "max_tokens" not in body:  # a count_tokens call has none
        assert [note.path for note in call.notes] == ["max_tokens"]
        del written["max_tokens"]
    else:
        assert call.notes == ()
    assert canonical(written) == canonical(body)
    sent_headers = dict(call.headers)
    recorded = {name.lower(): value for name, value in CALLS[name]["headers"].items()}
    assert sent_headers[b"anthropic-version"].decode() == recorded["anthropic-version"]
    assert sent_headers.get(b"anthropic-beta", b"").decode() == recorded.get("anthropic-beta", "")


@pytest.mark.parametrize("name", CALLS)
def test_the_head_says_what_the_whole_says(name):
    request, head = read(name), ANTHROPIC.read_head(wire(CALLS[name]))
    assert head.model == request.model
    assert head.stream == request.stream
    assert head.output_tokens_max == request.sampling.max_tokens
    assert head.features == features_of(request)
    assert head.fields == frozenset(CALLS[name]["body"])


@pytest.mark.parametrize("name", CALLS)
def test_pass_through_changes_the_model_only(name):
    request = wire(CALLS[name])
    head = ANTHROPIC.read_head(request)
    call = ANTHROPIC.passthrough(request, head, "upstream-model", ADAPTIVE)
    expected = CALLS[name]["body"] | {"model": "upstream-model"}
    if head.output_tokens_max is None:
        expected = {"max_tokens": 32_000} | expected
    assert json.loads(call.body) == expected
    assert call.path == "/v1/messages?beta=true"
    assert not {b"x-api-key", b"authorization", b"host", b"content-length"} & {
        name for name, _ in call.headers
    }


@pytest.mark.parametrize("name", [n for n, e in CALLS.items() if "count_tokens" in e["path"]])
def test_a_count_is_asked_for_without_an_output_bound(name):
    call = counting(ANTHROPIC.encode_request(read(name), "up", ADAPTIVE), "up")
    assert call.path == "/v1/messages/count_tokens"
    assert json.loads(call.body).keys() == canonical(CALLS[name]["body"]).keys()


def test_regression_73_a_system_message_keeps_its_place():
    request = of_scenario("claude_basic")
    if request is None:
        pytest.skip("this recording is kept aside")
    assert [turn.role for turn in request.turns] == ["user", "system"]
    assert request.turns[1].extra["anthropic"]["output_config"]


def test_regression_74_the_billing_line_is_kept_apart_from_the_system_text():
    """It changes with every request: in the system text of another dialect it would keep every cache cold."""
    lines = [
        exchange["body"]["system"][0]["text"] for exchange in CALLS.values() if exchange["body"].get("system")
    ]
    assert all(line.startswith("x-anthropic-billing-header") for line in lines)
    for name in CALLS:
        request = read(name)
        assert not any("billing-header" in text.text for text in request.system)


def test_a_deferred_tool_is_marked_and_the_rest_is_not():
    request = of_scenario("claude_bearer")
    if request is None:
        pytest.skip("this recording is kept aside")
    deferred = [tool.name for tool in request.tools if isinstance(tool, Function) and tool.deferred]
    assert deferred == ["DeferredToolPlaceholder"]


def test_a_picture_that_a_tool_read_stays_in_its_result():
    request = of_scenario("c4_image", 2)
    if request is None:
        pytest.skip("this recording is kept aside")
    results = [part for turn in request.turns for part in turn.parts if isinstance(part, ToolResult)]
    assert any(isinstance(piece, Media) for result in results for piece in result.parts)


def test_web_search_is_a_tool_that_the_provider_runs():
    request = of_scenario("c4_websearch", 2)
    if request is None:
        pytest.skip("this recording is kept aside")
    tool = request.tools[0]
    assert isinstance(tool, Builtin)
    assert (tool.kind, tool.runs, tool.config["max_uses"], tool.config["context_size"]) == (
        "web_search",
        "server",
        8,
        "high",
    )
    assert isinstance(request.turns[0].parts[0], Text)
