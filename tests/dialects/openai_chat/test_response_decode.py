"""Whole replies of providers; what the stream tests say of deltas holds for messages too."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, WireError
from allgate.core.usage import Usage
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.dialects.passes.custom_tools import wrap_input
from allgate.operations.chat.events import Closed, Delta, Ended, Failed, Finished, Opened, Start
from allgate.operations.chat.parts import Annotation, Text, Thinking, ToolCall
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.operations.chat.tools import Custom, Function
from dialects.openai_chat.exchange import completion, events_of, sent


def answered(message: dict, finish: str = "stop", context=None, **members) -> ChatResponse:
    return OPENAI_CHAT.decode_response(completion(message, finish, **members), context or sent())


def test_an_answer_with_everything_around_it():
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    found = answered({"content": "hi"}, usage=usage, service_tier="flex", system_fingerprint="fp")
    assert found == ChatResponse(
        id="chatcmpl-up",
        model="up",
        created_s=7,
        service_tier="flex",
        usage=Usage(input_tokens=1, output_tokens=2, service_tier="flex"),
        extra={"openai_chat": {"system_fingerprint": "fp"}},
        choices=(Choice(index=0, parts=(Text(text="hi"),), finish=Finish(reason="stop", native="stop")),),
    )


@pytest.mark.parametrize(
    ("finish", "members"),
    [
        ("stop", {"usage": {"prompt_tokens": 1, "completion_tokens": 2}, "service_tier": "flex"}),
        ("stop", {"service_tier": "flex", "system_fingerprint": "fp", "model": None, "created": 0}),
        ("length", {"usage": {"prompt_tokens": 1.0}, "x_groq": {"usage": {"prompt_tokens": 9}}}),
        ("tool_calls", {"usage": {}, "x_groq": {"usage": {"prompt_tokens": 9}}}),
        (None, {"usage": None}),
        ("eos", {}),
    ],
)
@pytest.mark.parametrize("narrowed", [{}, {"think_tags": True}, {"usage_excludes_reasoning": True}])
def test_an_answer_of_one_text_is_read_like_any_other(finish, members, narrowed):
    """No pictures are none; but their member leads by way of the events."""
    context = sent(**narrowed)
    for text in ("hi", "<think>so</think>hi"):
        by_events = answered({"content": text, "images": []}, finish, context, **members)
        for nothing in ({}, {"annotations": []}, {"tool_calls": [], "refusal": None}):
            assert answered({"content": text, **nothing}, finish, context, **members) == by_events


def test_a_whole_reply_without_a_finish_has_stopped():
    assert answered({"content": "hi"}, finish=None).choices[0].finish.reason == "other"
    assert answered({"content": "hi"}, finish="").choices[0].parts == (Text(text="hi"),)


def test_an_empty_delta_beside_the_message_means_nothing():
    """Perplexity."""
    body = json.loads(completion({"content": "hi"}))
    body["choices"][0]["delta"] = {"role": "assistant", "content": ""}
    assert OPENAI_CHAT.decode_response(json.dumps(body).encode(), sent()).choices[0].parts == (
        Text(text="hi"),
    )


def test_pages_beside_the_choices_are_citations():
    found = answered({"content": "hi"}, citations=["https://e.x"])
    assert found.choices[0].parts[0].annotations == (Annotation(kind="url", url="https://e.x"),)


def tooled(*tools, **narrowed):
    return sent(ChatRequest(dialect="openai_responses", model="m", turns=(), tools=tools), **narrowed)


def called(name: str, arguments: str) -> dict:
    return {
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}]
    }


def test_a_name_comes_back_as_the_client_declared_it():
    context = tooled(Function(name="my.tool"), Function(name="sleep", namespace="clock"))
    (call,) = answered(called("my_tool", "{}"), context=context).choices[0].parts
    assert call.name == "my.tool"
    (call,) = answered(called("clock__sleep", "{}"), context=context).choices[0].parts
    assert (call.name, call.namespace) == ("sleep", "clock")


@pytest.mark.parametrize(
    ("arguments", "raw"),
    [
        (wrap_input('*** Begin\n"x"'), '*** Begin\n"x"'),
        ("{}", ""),
        ('{"patch":"***"}', "***"),
        ("*** Begin", "*** Begin"),
    ],
)
def test_a_wrapped_custom_tool_comes_back_as_raw_text(arguments, raw):
    """Regressions 61 and 64."""
    context = tooled(Custom(name="patch"))
    (call,) = answered(called("patch", arguments), context=context).choices[0].parts
    assert call == ToolCall(call_id="c", name="patch", input=raw, input_kind="text")


def test_a_wrapped_custom_tool_streams_its_text_as_it_arrives():
    context = tooled(Custom(name="patch"))
    decoder = OPENAI_CHAT.stream_decoder(context)
    seen = []
    for piece in ('{"inp', 'ut": "a\\', "nb", '"}'):
        fragment = {"index": 0, "id": "c", "function": {"name": "patch", "arguments": piece}}
        frame = {"id": "r", "choices": [{"index": 0, "delta": {"tool_calls": [fragment]}}]}
        seen += decoder.feed(b"data: " + json.dumps(frame).encode() + b"\n\n")
    assert [event.text for event in seen if isinstance(event, Delta)] == ["a", "\nb"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ErrorKind.BAD_REQUEST),
        (b"<html>", ErrorKind.BAD_REQUEST),
        (b"[]", ErrorKind.BAD_REQUEST),
        (b"{}", ErrorKind.BAD_REQUEST),
        (b'{"choices":[]}', ErrorKind.BAD_REQUEST),
        (b'{"error":{"message":"m","code":"content_filter"}}', ErrorKind.CONTENT_POLICY),
        (b'{"object":"error","message":"m","code":429}', ErrorKind.RATE_LIMIT),
    ],
)
def test_what_is_no_completion_is_an_error(body, kind):
    with pytest.raises(WireError) as caught:
        OPENAI_CHAT.decode_response(body, sent())
    assert caught.value.failure.kind is kind


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=5,
)
PIECE = st.fixed_dictionaries(
    {},
    optional={
        "index": st.integers(-1, 2) | JSON,
        "id": st.sampled_from(["a", "b", ""]) | JSON,
        "type": JSON,
        "function": JSON | st.fixed_dictionaries({}, optional={"name": st.sampled_from(["f", ""]) | JSON, "arguments": st.sampled_from(['{"a"', ":1}", "{}"]) | JSON}),
        "custom": JSON | st.fixed_dictionaries({}, optional={"name": JSON, "input": JSON}),
        "extra_content": JSON,
    },
)  # fmt: skip
DELTA = st.fixed_dictionaries(
    {},
    optional={
        "content": st.text(max_size=5) | JSON,
        "reasoning_content": st.text(max_size=5) | JSON,
        "reasoning": JSON,
        "reasoning_details": st.lists(st.fixed_dictionaries({}, optional={"text": JSON, "type": JSON, "index": JSON}), max_size=2) | JSON,
        "refusal": JSON,
        "tool_calls": st.lists(PIECE, max_size=2) | JSON,
        "function_call": JSON,
        "images": st.lists(st.fixed_dictionaries({"image_url": st.fixed_dictionaries({"url": st.sampled_from(["data:x", "data:image/png;base64,AA", "x", ""])})}), max_size=2) | JSON,
        "audio": JSON | st.fixed_dictionaries({}, optional={"data": st.sampled_from(["YQ==", "!", "YWJj"]), "transcript": JSON, "id": JSON}),
        "annotations": st.lists(st.fixed_dictionaries({"url_citation": st.fixed_dictionaries({}, optional={"url": JSON, "start_index": JSON})}), max_size=2) | JSON,
    },
)  # fmt: skip
CHOICE = st.fixed_dictionaries(
    {},
    optional={
        "index": st.integers(-1, 2) | JSON,
        "delta": DELTA | JSON,
        "message": DELTA,
        "finish_reason": st.sampled_from(["stop", "length", "tool_calls", "", None]) | JSON,
        "logprobs": JSON | st.fixed_dictionaries({"content": JSON, "refusal": JSON}),
    },
)
CHUNK = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON, "model": JSON, "created": JSON, "choices": st.lists(CHOICE, max_size=2) | JSON, "usage": JSON,
        "error": st.none() | JSON, "citations": JSON, "search_results": JSON, "x_groq": JSON, "service_tier": JSON,
    },
)  # fmt: skip
CONTEXT = sent(seal_origin="openrouter", think_tags=True)


@given(st.lists(CHUNK, max_size=6))
def test_no_stream_of_odd_chunks_breaks_the_grammar(chunks):
    """One Start first, one end last, one part open at a time, and every Closed what its deltas said."""
    events = events_of((b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), CONTEXT)
    assert isinstance(events[0], Start)
    assert isinstance(events[-1], (Ended, Failed))
    open_parts: dict[int, int] = {}
    counts: dict[int, int] = {}
    texts: dict[int, str] = {}
    for event in events[1:-1]:
        match event:
            case Opened(choice=choice, index=index):
                assert choice not in open_parts
                assert index == counts.get(choice, 0)
                open_parts[choice], texts[choice] = index, ""
                counts[choice] = index + 1
            case Delta(choice=choice, index=index):
                assert open_parts[choice] == index
                texts[choice] += event.text if event.channel in ("text", "thinking", "input") else ""
            case Closed(choice=choice, index=index):
                assert open_parts.pop(choice) == index
                match event.part:
                    case Text(text=text) | Thinking(text=text) | ToolCall(input=text):
                        assert text == texts[choice]
                    case _:
                        pass
            case Finished():
                assert not isinstance(events[-1], Failed)
            case _:
                assert not isinstance(event, (Start, Ended, Failed))
    assert not open_parts or isinstance(events[-1], Failed)


@given(CHUNK)
def test_no_odd_reply_raises_anything_but_a_wire_error(reply):
    for read in (lambda body: OPENAI_CHAT.decode_response(body, CONTEXT), OPENAI_CHAT.read_facts):
        try:
            read(json.dumps(reply).encode())
        except WireError:
            continue


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b"data: ", b"\n\n", b"{}", b"[DONE]"]), max_size=8))
def test_no_bytes_break_the_stream_decoder(pieces):
    assert isinstance(events_of(pieces, CONTEXT)[-1], (Ended, Failed))
