"""Codex CLI, as it was recorded: every request is read, says the same to OpenAI, and reaches any other server.

Codex acts on `output_item.done` alone, runs nothing but a custom call for a custom tool, and finds a namespaced function
only with its namespace: what a foreign model answers must come back in exactly the form that was declared.
"""

import json
from pathlib import Path

import pytest

from allgate.core.errors import WireError
from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import Text, Thinking, ToolCall
from allgate.operations.chat.tools import Custom
from allgate.wire.message import WireRequest
from dialects.openai_responses.exchange import (
    BOX,
    PLAIN,
    VENDOR,
    answer,
    body_of,
    call,
    completed,
    decoded,
    encoded,
    folded,
    frames_in,
    function_call,
    sent,
    told,
)
from dialects.openai_responses.same_body import differences

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "client_requests" / "codex"
REQUESTS_RECORDED = 26  # 24 by HTTP and 2 websocket frames, which hold the same body


def recorded() -> list[dict]:
    found = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return [one for one in found if isinstance(one.get("body"), dict) and "model" in one["body"]]


REQUESTS = recorded()
needs_recordings = pytest.mark.skipif(not REQUESTS, reason=f"RECORDINGS ABSENT: {FOLDER}")


def request_of(record: dict):
    headers = tuple(
        (str(k).lower().encode(), str(v).encode()) for k, v in dict(record.get("headers") or {}).items()
    )
    body = json.dumps(record["body"]).encode()
    return OPENAI_RESPONSES.decode_request(
        WireRequest(method="POST", path="/v1/responses", headers=headers, body=body), BOX
    )


def lite():
    return request_of(
        next(one for one in REQUESTS if one["body"]["input"][0].get("type") == "additional_tools")
    )


@needs_recordings
def test_every_recorded_request_says_the_same_to_the_vendor():
    """Nothing is lost: namespaces, grammars, additional_tools, tool_search, reasoning, compaction, client_metadata."""
    assert len(REQUESTS) == REQUESTS_RECORDED
    for one in REQUESTS:
        request = request_of(one)
        assert not request.notes
        made = call(request)
        assert not made.notes
        assert differences({**one["body"], "model": "up"}, json.loads(made.body)) == [], one["scenario"]


@needs_recordings
def test_the_corpus_holds_what_the_test_above_is_about():
    said = json.dumps([one["body"] for one in REQUESTS])
    for word in ("namespace", "grammar", "additional_tools", "tool_search_output", "reasoning", "compaction_trigger",
                 '"compaction"', "client_metadata", "internal_chat_message_metadata_passthrough", "custom_tool_call_output"):  # fmt: skip
        assert word in said


@needs_recordings
def test_every_recorded_request_reaches_a_server_that_knows_functions_only():
    for one in REQUESTS:
        request = request_of(one)
        if any(part.get("type") == "compaction_trigger" for part in one["body"]["input"]):
            continue
        body = encoded(request, PLAIN)
        kinds = {tool["type"] for tool in body.get("tools", [])} | {item["type"] for item in body["input"]}
        assert kinds <= {"function", "message", "function_call", "function_call_output"}, one["scenario"]
        names = [tool["name"] for tool in body.get("tools", [])]
        assert len(names) == len(set(names))
        calls = {item["name"] for item in body["input"] if item["type"] == "function_call"}
        assert all(len(name) <= 64 for name in (*names, *calls))
        assert "web_search" not in names


def test_what_only_codex_says_of_itself_stays_with_its_own_vendor():
    """Regression 68: a server of another format answered members that it did not know with an empty stream."""
    request = decoded(include=["reasoning.encrypted_content"], client_metadata={"session": "s"})
    for name in ("openai_chat", "anthropic", "gemini"):
        body = CHAT_DIALECTS[name].encode_request(request, "up", Caps()).body
        assert b'include"' not in body
        assert b"client_metadata" not in body


@needs_recordings
def test_a_flattened_call_comes_back_with_its_namespace():
    """A bare `sleep`, `clock__sleep` or `clock.sleep` is an unsupported call to Codex."""
    request = lite()
    offered = [tool["name"] for tool in encoded(request, PLAIN)["tools"]]
    assert "clock__sleep" in offered
    reply = folded(
        completed(function_call("clock__sleep", '{"duration_ms":5}')), context=sent(request, PLAIN)
    )
    (item,) = body_of(reply, request)["output"]
    assert (item["type"], item["name"], item["namespace"]) == ("function_call", "sleep", "clock")
    assert item["arguments"] == '{"duration_ms":5}'


@needs_recordings
@pytest.mark.parametrize("arguments", ['{"input": "text(1)"}', '{"code": "text(1)"}', "text(1)", '"text(1)"'])
def test_a_wrapped_custom_tool_comes_back_as_a_custom_call(arguments):
    """Regressions 61, 64: Codex answers a function call for a custom tool with "aborted"."""
    request = lite()
    reply = folded(completed(function_call("functions__exec", arguments)), context=sent(request, PLAIN))
    (item,) = body_of(reply, request)["output"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "exec", "text(1)")
    assert item["namespace"] == "functions"
    assert (item["call_id"], item["status"]) == ("call_1", "completed")


@needs_recordings
def test_a_function_call_for_a_custom_tool_of_the_vendor_itself_comes_back_as_a_custom_call():
    request = lite()
    reply = folded(completed(function_call("exec", '{"input": "1"}')), context=sent(request, VENDOR))
    assert body_of(reply, request)["output"][0]["type"] == "custom_tool_call"


def test_the_grammar_of_a_wrapped_tool_is_told_in_words():
    """Regressions 62, 63: the shape of a custom tool reached other targets, or its grammar was lost."""
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: PATCH"}
    request = decoded(
        tools=[
            {
                "type": "namespace",
                "name": "functions",
                "tools": [{"type": "custom", "name": "apply_patch", "format": grammar}],
            }
        ]
    )
    assert isinstance(request.tools[0], Custom)
    (tool,) = encoded(request, PLAIN)["tools"]
    assert (tool["type"], tool["name"]) == ("function", "functions__apply_patch")
    assert "start: PATCH" in tool["description"]
    assert tool["parameters"]["required"] == ["input"]


def test_a_wrapped_custom_call_streams_its_raw_text():
    request = decoded(tools=[{"type": "custom", "name": "apply_patch"}])
    events = unfold(
        answer(
            ToolCall(call_id="c", name="apply_patch", input='{"input": "*** Begin\\nx"}'), finish="tool_calls"
        )
    )
    frames = frames_in(told(events, request))
    deltas = [one["delta"] for one in frames if one["type"] == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == "*** Begin\nx"
    (done,) = (one for one in frames if one["type"] == "response.output_item.done")
    assert done["item"]["input"] == "*** Begin\nx"


def test_a_length_stop_reaches_codex_as_a_complete_response():
    """Regression 92: Codex takes response.incomplete for a fault and asks again, up to five times, each one billed."""
    codex = decoded({"originator": "codex_exec", "user-agent": "codex_exec/0.169.0"})
    other = decoded({"user-agent": "OpenAI/Python 3.52.0"})
    cut = answer(Thinking(text="…"), finish="length")
    ends = [frames_in(told(unfold(cut), request))[-1] for request in (codex, other)]
    assert [end["type"] for end in ends] == ["response.completed", "response.incomplete"]
    for end in ends:
        assert end["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert body_of(cut, codex)["status"] == "completed"


@needs_recordings
def test_codex_says_to_the_vendor_that_its_tools_are_in_the_input():
    header = (b"x-openai-internal-codex-responses-lite", b"true")
    assert header in call(lite()).headers
    for one in REQUESTS:
        recorded_lite = any(str(key).lower().encode() == header[0] for key in dict(one.get("headers") or {}))
        assert (header in call(request_of(one)).headers) == recorded_lite or one["method"] == "WS"
    assert "client_program" not in encoded(decoded({"originator": "codex_exec"}))


def test_local_shell_is_offered_as_a_function_and_its_call_comes_back_as_one():
    request = decoded(tools=[{"type": "local_shell"}])
    (tool,) = encoded(request, PLAIN)["tools"]
    assert (tool["type"], tool["name"]) == ("function", "local_shell")
    reply = folded(
        completed(function_call("local_shell", '{"command": ["ls", "-l"]}')), context=sent(request, PLAIN)
    )
    (item,) = body_of(reply, request)["output"]
    assert item["type"] == "local_shell_call"
    assert item["action"] == {"type": "exec", "env": {}, "command": ["ls", "-l"]}
    assert (item["call_id"], item["status"]) == ("call_1", "completed")
    assert encoded(request, VENDOR)["tools"] == [{"type": "local_shell"}]


def test_a_tool_search_of_the_client_goes_the_same_way():
    declared = {
        "type": "tool_search",
        "execution": "client",
        "description": "BM25",
        "parameters": {"type": "object"},
    }
    request = decoded(tools=[declared])
    (tool,) = encoded(request, PLAIN)["tools"]
    assert (tool["name"], tool["description"]) == ("tool_search", "BM25")
    reply = folded(
        completed(function_call("tool_search", '{"query": "agent"}')), context=sent(request, PLAIN)
    )
    (item,) = body_of(reply, request)["output"]
    assert (item["type"], item["execution"], item["arguments"]) == (
        "tool_search_call",
        "client",
        {"query": "agent"},
    )


def test_codexs_own_web_search_is_optional_and_anyone_elses_is_not():
    optional = decoded(tools=[{"type": "web_search", "external_web_access": False}])
    assert "tools" not in encoded(optional, PLAIN)
    assert [note.path for note in call(optional, PLAIN).notes] == ["tools.web_search"]
    assert (
        OPENAI_RESPONSES.read_head(
            WireRequest(
                method="POST",
                path="/",
                body=b'{"model":"m","tools":[{"type":"web_search","external_web_access":true}]}',
            )
        ).features
        == frozenset()
    )


HISTORY = [{"role": "user", "content": "Fix the bug."}, {"role": "assistant", "content": "Which?"}]
TRIGGER = {"type": "compaction_trigger"}


def test_compaction_by_the_vendor_itself_is_left_to_it():
    request = decoded(input=[*HISTORY, TRIGGER])
    assert encoded(request)["input"][-1] == TRIGGER
    item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}
    reply = folded(completed(item), context=sent(request))
    assert body_of(reply, request)["output"] == [item]


def test_compaction_by_any_other_model_gives_exactly_one_item_which_is_read_again():
    """Regression 69: no compaction item, or a 404."""
    request = decoded(input=[*HISTORY, TRIGGER])
    asking = encoded(request, PLAIN)["input"][-1]
    assert (asking["role"], "summary" in asking["content"][0]["text"]) == ("user", True)
    reply = answer(Thinking(text="hm"), Text(text="They want the bug "), Text(text="fixed."))
    (item,) = body_of(reply, request)["output"]
    assert (item["type"], item["id"]) == ("compaction", "cmp_ag10")
    frames = frames_in(told(unfold(reply), request))
    done = [one["item"] for one in frames if one["type"] == "response.output_item.done"]
    assert done == frames[-1]["response"]["output"] == [item]
    later = decoded(input=[item, {"role": "user", "content": "go on"}])
    assert later.turns[0].parts[0].text.endswith("They want the bug fixed.")
    assert not later.notes


def test_a_summary_that_was_not_written_does_not_erase_the_conversation():
    request = decoded(input=[*HISTORY, TRIGGER])
    with pytest.raises(WireError):
        body_of(answer(Thinking(text="hm")), request)
    assert frames_in(told(unfold(answer(Thinking(text="hm"))), request))[-1]["type"] == "response.failed"
