"""A turn that Anthropic pauses goes on by itself for clients that cannot go on with it: one answer, one charge."""

import json
from decimal import Decimal

import pytest

from stand import Reply, Stand, stand

QUESTION = "what is new"
ASKED = {
    "openai_chat": (
        "/v1/chat/completions",
        {"model": "m", "messages": [{"role": "user", "content": QUESTION}], "web_search_options": {}},
    ),
    "openai_responses": (
        "/v1/responses",
        {"model": "m", "input": QUESTION, "tools": [{"type": "web_search"}]},
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}], "tools": [{"googleSearch": {}}]},
    ),
}
ANSWER = f"You said: {QUESTION}"
PRICE = '{ input = "3", output = "15", web_search = "0" }'


async def ask(s: Stand, client: str, *, stream: bool) -> Reply:
    path, body = ASKED[client]
    if client == "gemini":
        return await s.post(
            path.replace(":generate", ":streamGenerate") + "?alt=sse" if stream else path, body
        )
    extra = {"stream_options": {"include_usage": True}} if client == "openai_chat" and stream else {}
    return await s.post(path, {**body, "stream": stream, **extra})


def said(client: str, reply: Reply, *, stream: bool) -> str:
    """The text of an answer, read from its last word where a stream repeats itself there."""
    replies = reply.frames if stream else [reply.json]
    match client:
        case "openai_chat":
            return reply.text
        case "openai_responses":
            response = replies[-1]["response"] if stream else replies[-1]
            parts = [part for item in response["output"] for part in item.get("content", ())]
            return "".join(part["text"] for part in parts if part["type"] == "output_text")
        case _:
            parts = [
                part for one in replies for part in one["candidates"][0].get("content", {}).get("parts", ())
            ]
            return "".join(part.get("text", "") for part in parts)


def total_tokens(client: str, reply: Reply, *, stream: bool) -> int:
    last = reply.frames[-1] if stream else reply.json
    if client == "openai_responses":
        return (last["response"] if stream else last)["usage"]["total_tokens"]
    return last["usageMetadata"]["totalTokenCount"] if client == "gemini" else last["usage"]["total_tokens"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", ASKED)
async def test_a_paused_turn_is_one_answer_with_all_its_usage(client: str, stream: bool) -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"], price=PRICE) as s:
        s.sim.script("pause annotations=1", "pause annotations=1", "echo annotations=1")
        reply = await ask(s, client, stream=stream)
        assert reply.status == 200, reply.body
        assert reply.framed
        assert said(client, reply, stream=stream) == ANSWER
        lines = s.sim.ledger.lines
        assert [line.status for line in lines] == [200, 200, 200]
        used = sum(line.input_tokens + line.output_tokens for line in lines)
        assert total_tokens(client, reply, stream=stream) == used
        (row,) = s.rows
        assert (row.usage.input_tokens, row.outcome) == (sum(line.input_tokens for line in lines), "ok")
        charge = sum(line.input_tokens * 3 + line.output_tokens * 15 for line in lines)
        assert row.charged_nano_usd == Decimal(charge) * 1000


async def test_what_was_said_is_sent_back_as_it_was() -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"], price=PRICE) as s:
        s.sim.script("pause thinking='Let me look.' annotations=1", "echo annotations=1")
        path, body = ASKED["openai_responses"]
        await s.post(path, {**body, "reasoning": {"effort": "high"}, "max_output_tokens": 9000})
        first, second = (s.sim.ledger.body(line) for line in s.sim.ledger.lines)
        assert second["messages"][:-1] == first["messages"]
        thought, call = second["messages"][-1]["content"]
        assert (second["messages"][-1]["role"], thought["type"], call["type"]) == (
            "assistant",
            "thinking",
            "server_tool_use",
        )
        assert thought["signature"]
        assert {key: value for key, value in second.items() if key != "messages"} == {
            key: value for key, value in first.items() if key != "messages"
        }


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_was_paused_is_shown_once_with_its_result(stream: bool) -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"], price=PRICE) as s:
        s.sim.script("pause annotations=1", "echo annotations=1")
        reply = await ask(s, "openai_responses", stream=stream)
        response = reply.frames[-1]["response"] if stream else reply.json
        kinds = [(item["type"], item.get("status")) for item in response["output"]]
        assert kinds == [("web_search_call", "completed"), ("message", "completed")]
        if stream:
            places = [
                frame["output_index"]
                for frame in reply.frames
                if frame["type"] == "response.output_item.added"
            ]
            assert places == [0, 1]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_turn_that_never_ends_is_told_as_it_stands(stream: bool) -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"], price=PRICE) as s:
        s.sim.script(*["pause"] * 6)
        reply = await ask(s, "openai_chat", stream=stream)
        assert reply.status == 200
        assert len(s.sim.ledger.lines) == 6
        assert '"finish_reason":"stop"' in reply.body.decode()


async def test_a_client_of_the_vendor_goes_on_itself() -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"], price=PRICE) as s:
        s.sim.script("pause")
        tool = {"type": "web_search_20250305", "name": "web_search"}
        messages = [{"role": "user", "content": QUESTION}]
        reply = await s.post(
            "/v1/messages", {"model": "m", "max_tokens": 99, "messages": messages, "tools": [tool]}
        )
        assert reply.json["stop_reason"] == "pause_turn"
        assert len(s.sim.ledger.lines) == 1


@pytest.mark.parametrize("scene", ["status=529", "status=400", "reset=read", "cut=2", "error_at=2"])
async def test_a_turn_that_cannot_go_on_is_an_error_and_only_what_left_is_charged(scene: str) -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"], price=PRICE) as s:
        s.sim.script("pause", scene)
        reply = await ask(s, "openai_responses", stream=True)
        assert reply.frames[-1]["type"] == "response.failed"
        assert reply.framed
        (row,) = s.rows
        assert row.outcome == "cut"
        assert row.usage.input_tokens == s.sim.ledger.lines[0].input_tokens + (
            s.sim.ledger.lines[1].input_tokens if scene in ("cut=2", "error_at=2") else 0
        )


@pytest.mark.parametrize("scene", ["status=529", "reset=read"])
async def test_a_whole_answer_that_cannot_go_on_is_asked_for_elsewhere(scene: str) -> None:
    places = {"m": ["claude-sonnet-4-6", "claude-sonnet-4-6"]}
    async with stand(places, dialects=["anthropic"], price=PRICE) as s:
        s.sim.script("pause", scene, "echo annotations=1")
        reply = await ask(s, "openai_chat", stream=False)
        assert (reply.status, reply.text) == (200, ANSWER)
        assert reply.headers["x-allgate-upstream"] == "sim1"
        assert json.loads(reply.body)["usage"]["prompt_tokens"] == s.sim.ledger.lines[-1].input_tokens


@pytest.mark.parametrize(("text", "good"), [('{"a": 1}', True), ("no json", False)])
@pytest.mark.parametrize("stream", [False, True])
async def test_what_was_promised_is_judged_by_the_whole_of_a_paused_turn(
    stream: bool, text: str, good: bool
) -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"], price=PRICE) as s:
        s.sim.script("pause annotations=1", f"echo text='{text}'")
        path, body = ASKED["openai_chat"]
        reply = await s.post(path, {**body, "stream": stream, "response_format": {"type": "json_object"}})
        assert len(s.sim.ledger.lines) == 2
        if good:
            assert (reply.status, json.loads(reply.text)) == (200, {"a": 1})
        else:
            assert reply.error is not None
            assert "not JSON" in reply.error["message"]
