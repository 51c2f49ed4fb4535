"""What a client of this dialect asks, in canonical words."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.operations.chat.parts import (
    FileRef,
    Hosted,
    Inline,
    Media,
    Opaque,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from allgate.operations.chat.tools import Builtin, Custom, Function, Grammar
from allgate.wire.message import WireRequest
from dialects.openai_responses.exchange import BOX, decoded

CALL = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a":1}'}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "3"}


def turns_of(*items) -> list[tuple]:
    return [(turn.role, *turn.parts) for turn in decoded(input=list(items)).turns]


def test_a_string_is_one_user_turn():
    assert turns_of_string("hello") == [("user", Text(text="hello"))]


def turns_of_string(text: str) -> list[tuple]:
    return [(turn.role, *turn.parts) for turn in decoded(input=text).turns]


def test_instructions_and_leading_messages_become_the_system_texts():
    request = decoded(
        instructions="Be kind.",
        input=[
            {"role": "developer", "content": "Be short."},
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be wise."}]},
            {"role": "user", "content": "hi"},
            {"role": "developer", "content": "Now in French."},
        ],
    )
    assert [text.text for text in request.system] == ["Be kind.", "Be short.", "Be wise."]
    assert [turn.role for turn in request.turns] == ["user", "developer"]


def test_reasoning_message_and_calls_before_the_first_output_are_one_turn():
    """Regression 55: message and call in two turns lost the reasoning of the second."""
    turns = turns_of(
        {"role": "user", "content": "1+2?"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "add"}]},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "content": [{"type": "output_text", "text": "ok"}],
        },
        CALL,
        OUTPUT,
    )
    assert [turn[0] for turn in turns] == ["user", "assistant", "tool"]
    assert [type(part) for part in turns[1][1:]] == [Thinking, Text, ToolCall]
    assert turns[2][1].parts == (Text(text="3"),)
    assert turns[2][1].name == "add"


def test_messages_of_different_phases_are_different_turns():
    turns = decoded(
        input=[
            {"role": "assistant", "phase": "commentary", "content": "looking"},
            {"role": "assistant", "phase": "final_answer", "content": "found"},
        ]
    ).turns
    assert [turn.phase for turn in turns] == ["commentary", "final"]


def test_every_kind_of_item_is_accepted():
    """Regression 57: reasoning, local_shell and computer items were refused with 400."""
    items = [
        {"role": "user", "content": "hi"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
        {"type": "local_shell_call", "id": "lsh_1", "call_id": "s1", "action": {"type": "exec", "command": ["ls"], "env": {}}},
        {"type": "shell_call", "call_id": "s2", "action": {"commands": ["ls"]}},
        {"type": "apply_patch_call", "call_id": "s3", "operation": {"type": "delete_file", "path": "a"}},
        {"type": "computer_call", "call_id": "s4", "actions": [{"type": "screenshot"}]},
        {"type": "custom_tool_call", "call_id": "s5", "name": "exec", "input": "1"},
        {"type": "tool_search_call", "call_id": "s6", "execution": "client", "arguments": {"query": "x"}},
        {"type": "local_shell_call_output", "id": "s1", "output": "a.txt"},
        {"type": "shell_call_output", "call_id": "s2", "output": [{"stdout": "a", "stderr": "b", "outcome": {"type": "exit", "exit_code": 1}}]},
        {"type": "apply_patch_call_output", "call_id": "s3", "status": "failed", "output": "no"},
        {"type": "computer_call_output", "call_id": "s4", "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBO"}},
        {"type": "custom_tool_call_output", "call_id": "s5", "output": [{"type": "input_text", "text": "1"}]},
        {"type": "tool_search_output", "call_id": "s6", "execution": "client", "tools": [{"type": "function", "name": "found"}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "something_new", "id": "x_1"},
        {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True},
    ]  # fmt: skip
    request = decoded(input=items)
    assert not request.notes
    calls, results, later, approval = request.turns[1:]
    builtins = ["local_shell", "shell", "apply_patch", "computer", None, "tool_search"]
    assert [part.builtin for part in calls.parts[1:]] == builtins
    assert [part.builtin for part in results.parts] == builtins
    assert [part.is_error for part in results.parts] == [False, True, True, False, False, False]
    assert isinstance(results.parts[3].parts[0], Media)
    assert [type(part) for part in later.parts] == [Hosted, Opaque]
    assert approval.role == "user"
    assert [tool.name for tool in request.tools] == ["found"]


def test_content_parts_of_every_kind():
    (turn,) = decoded(
        input=[
            {
                "role": "user",
                "content": [
                    {
                        "type": "input_text",
                        "text": "see",
                        "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"},
                    },
                    {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "high"},
                    {"type": "input_image", "image_url": "https://e.x/a.png"},
                    {"type": "input_image", "file_id": "file-1"},
                    {
                        "type": "input_file",
                        "filename": "a.pdf",
                        "file_data": "data:application/pdf;base64,JVBE",
                    },
                    {"type": "input_file", "filename": "b.csv", "file_data": "YSxi"},
                    {"type": "input_file", "file_url": "https://e.x/c.pdf"},
                    {"type": "input_audio", "input_audio": {"data": "UklG", "format": "mp3"}},
                    {"type": "input_hologram", "data": 1},
                ],
            }
        ]
    ).turns
    text, *media, unknown = turn.parts
    assert text.cache.ttl == "30m"
    assert [(part.kind, part.source) for part in media] == [
        ("image", Inline(mime="image/png", base64="iVBO")),
        ("image", Url(url="https://e.x/a.png")),
        ("image", FileRef(origin="openai", ref="file-1")),
        ("document", Inline(mime="application/pdf", base64="JVBE")),
        ("document", Inline(mime="text/csv", base64="YSxi")),
        ("document", Url(url="https://e.x/c.pdf")),
        ("audio", Inline(mime="audio/mpeg", base64="UklG")),
    ]
    assert (media[0].detail, media[3].title) == ("high", "a.pdf")
    assert isinstance(unknown, Opaque)


def test_annotations_and_refusals_of_the_history():
    (turn,) = decoded(
        input=[
            {
                "type": "message",
                "role": "assistant",
                "content": [
                    {
                        "type": "output_text",
                        "text": "see here",
                        "annotations": [
                            {
                                "type": "url_citation",
                                "url": "https://e.x",
                                "title": "E",
                                "start_index": 4,
                                "end_index": 8,
                            },
                            {"type": "file_citation", "file_id": "f", "filename": "n", "index": 3},
                        ],
                    },
                    {"type": "refusal", "refusal": "no"},
                ],
            }
        ]
    ).turns
    text, refusal = turn.parts
    assert [(a.kind, a.url, a.file_id, a.start, a.end) for a in text.annotations] == [
        ("url", "https://e.x", None, 4, 8), ("file", None, "f", None, None),
    ]  # fmt: skip
    assert refusal == Refusal(text="no")


def test_tools_of_every_kind():
    tools = decoded(
        tools=[
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
            {"type": "custom", "name": "exec", "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"}},
            {"type": "namespace", "name": "clock", "description": "Time.", "tools": [{"type": "function", "name": "sleep", "defer_loading": True}]},
            {"type": "web_search_preview", "search_context_size": "low", "user_location": {"type": "approximate", "city": "Oslo"}},
            {"type": "web_search", "external_web_access": False, "filters": {"allowed_domains": ["e.x"]}},
            {"type": "code_interpreter", "container": {"type": "auto"}},
            {"type": "tool_search", "execution": "client"},
            {"type": "shell", "environment": {"type": "container_auto"}},
            {"type": "local_shell"},
            {"type": "teleport"},
        ]
    ).tools  # fmt: skip
    assert tools[0] == Function(name="f", description="d", schema={"type": "object"}, strict=True)
    assert tools[1] == Custom(name="exec", grammar=Grammar(syntax="lark", definition="start: X"))
    assert (tools[2].name, tools[2].namespace, tools[2].deferred) == ("sleep", "clock", True)
    assert [(t.kind, t.runs) for t in tools[3:]] == [
        ("web_search", "server"), ("web_search", "server"), ("code_execution", "server"), ("tool_search", "client"),
        ("shell", "server"), ("local_shell", "client"), ("other", "server"),
    ]  # fmt: skip
    assert tools[3].config == {"context_size": "low", "user_location": {"city": "Oslo"}}
    assert tools[4].config == {"allowed_domains": ["e.x"], "external_web_access": False}
    assert [t.optional for t in tools[3:5]] == [False, True]


def test_several_servers_of_one_kind_are_several_tools():
    servers = [{"type": "mcp", "server_label": label, "server_url": "https://e.x"} for label in "ab"]
    assert len(decoded(tools=servers).tools) == 2


@pytest.mark.parametrize(
    ("choice", "mode", "names"),
    [
        ("auto", "auto", ()), ("required", "any", ()), ("none", "none", ()),
        ({"type": "function", "name": "f"}, "tool", ("f",)),
        ({"type": "custom", "name": "exec"}, "tool", ("exec",)),
        ({"type": "web_search_preview"}, "tool", ("web_search",)),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}, "allowed", ("f",)),
    ],
)  # fmt: skip
def test_tool_choices(choice, mode, names):
    found = decoded(tool_choice=choice, parallel_tool_calls=False).tool_choice
    assert (found.mode, found.names, found.parallel) == (mode, names, False)


def test_settings():
    request = decoded(
        max_output_tokens=100, temperature=0.5, top_p=0.9, top_logprobs=3, stream=True, store=False,
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
        reasoning={"effort": "ultra", "summary": "auto", "context": "all_turns", "mode": "pro"},
        text={"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}},
        metadata={"k": "v"}, user="u", safety_identifier="s", service_tier="flex", prompt_cache_key="p",
        prompt_cache_options={"mode": "explicit"}, truncation="auto", client_metadata={"x": "y"},
    )  # fmt: skip
    assert request.sampling.max_tokens == 100
    assert (request.sampling.logprobs, request.sampling.top_logprobs) == (True, 3)
    reasoning = request.reasoning
    assert (reasoning.effort, reasoning.show, reasoning.context, reasoning.replay) == (
        "max",
        "summary",
        "all_turns",
        True,
    )
    assert reasoning.extra == {"openai_responses": {"mode": "pro"}}
    assert (request.output.kind, request.output.name, request.output.verbosity) == ("json_schema", "n", "low")
    assert (request.identity.user, request.identity.safety_id) == ("u", "s")
    assert (request.cache.key, request.cache.options) == ("p", {"mode": "explicit"})
    assert (request.stream, request.stream_usage, request.state.store) == (True, True, False)
    assert request.extra["openai_responses"]["client_metadata"] == {"x": "y"}


def test_state_on_the_server_is_carried():
    request = decoded(previous_response_id="resp_0", input=[OUTPUT])
    assert request.state.previous_response_id == "resp_0"
    ((role, result),) = [(turn.role, *turn.parts) for turn in request.turns]
    assert role == "tool"
    assert isinstance(result, ToolResult), "its call is in the response that the server keeps"
    assert not request.notes


def test_a_result_without_its_call_is_a_user_text_where_nothing_is_kept():
    request = decoded(input=[OUTPUT])
    assert request.turns[0].role == "user"
    assert request.notes


def test_a_native_seal_is_declared_by_the_client_and_an_envelope_is_opened():
    foreign = Seal(origin="anthropic", scope="a", form="signature", value="sig")
    request = decoded(
        input=[
            {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
            {
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "t"}],
                "encrypted_content": BOX.wrap(foreign),
            },
        ]
    )
    native, wrapped = request.turns[0].parts
    assert native.seals == (Seal(origin="openai", scope="client-declared", form="encrypted", value="gAAA"),)
    assert wrapped.seals == (foreign,)


def test_the_seal_of_a_carrier_belongs_to_the_next_item():
    thought = Seal(origin="gemini", scope="g", form="thought", value="dGhvdWdodA==")
    carrier = {"type": "reasoning", "summary": [], "encrypted_content": BOX.wrap(thought, next_part=True)}
    (call,) = decoded(input=[carrier, CALL]).turns[0].parts
    assert isinstance(call, ToolCall)
    assert call.seals == (thought,)


def test_a_forged_envelope_is_dropped_with_a_note():
    forged = BOX.wrap(Seal(origin="a", scope="", form="signature", value="x"))[:-8] + "AAAAAAA="
    request = decoded(
        input=[
            {"role": "user", "content": "x"},
            {"type": "reasoning", "summary": [], "encrypted_content": forged},
        ]
    )
    assert [turn.role for turn in request.turns] == ["user"]
    assert [note.path for note in request.notes] == ["encrypted_content"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": 5}, "model"),
        ({"model": ""}, "model"),
        ({"input": None}, "input"),
        ({"input": 5}, "input"),
        ({"input": [5]}, "input[0]"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]}, "input[0].content[0].text"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].image_url"),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": {}}]}, "input[0].arguments"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"max_output_tokens": "5"}, "max_output_tokens"),
        ({"temperature": "warm"}, "temperature"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "yaml"}}}, "text.format.type"),
        ({"conversation": {}}, "conversation.id"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_named_by_its_path(body, param):
    with pytest.raises(WireError) as caught:
        decoded(**body)
    assert caught.value.failure.param == param


def test_a_stored_prompt_may_name_the_model():
    assert decoded(model=None, prompt={"id": "pmpt_1"}).model == ""


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "role", "content", "text", "id", "call_id", "name", "arguments", "output", "summary", "tools",
                 "action", "image_url", "file_data", "encrypted_content", "format", "effort", "input_audio", "data"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)  # fmt: skip
_TYPES = st.sampled_from(
    ["message", "function_call", "function_call_output", "reasoning", "custom_tool_call", "input_image", "input_file",
     "web_search_call", "tool_search_output", "additional_tools", "shell_call_output", "namespace", "custom"]
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["input", "tools", "tool_choice", "reasoning", "text", "include", "instructions"]), _JSON),
    st.lists(st.tuples(_TYPES, _JSON), max_size=3),
)  # fmt: skip
def test_nothing_but_a_wire_error_is_raised(body, items):
    typed = [
        {**(value if isinstance(value, dict) else {"content": value}), "type": kind} for kind, value in items
    ]
    for given_body in ({"model": "m", "input": "x", **body}, {"model": "m", "input": typed, "tools": typed}):
        raw = json.dumps(given_body).encode()
        wire = WireRequest(method="POST", path="/v1/responses", body=raw)
        for read in (lambda wire: OPENAI_RESPONSES.decode_request(wire, BOX), OPENAI_RESPONSES.read_head):
            with contextlib.suppress(WireError):
                read(wire)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(body):
    wire = WireRequest(method="POST", path="/v1/responses", body=body)
    for read in (lambda wire: OPENAI_RESPONSES.decode_request(wire, BOX), OPENAI_RESPONSES.read_head):
        with pytest.raises(WireError):
            read(wire)


def test_builtins_of_unknown_types_are_kept():
    (tool,) = decoded(tools=[{"type": "teleport", "where": "Mars"}]).tools
    assert isinstance(tool, Builtin)
    assert tool.raw == {"type": "teleport", "where": "Mars"}
