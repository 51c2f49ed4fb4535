"""What a client of this dialect is sent: whole bodies and streams, which say the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.operations.chat.events import Closed, Delta, Failed, Finished, Opened, Start, Tick
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import (
    Annotation,
    Hosted,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Refusal,
    Seal,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from allgate.operations.chat.response import Finish
from dialects.openai_responses.exchange import (
    BOX,
    REQUEST,
    answer,
    asked,
    body_of,
    decoded,
    events_of,
    frames_in,
    posted,
    sent,
    told,
)

SIGNATURE = Seal(origin="anthropic", scope="a", form="signature", value="sig==")
THOUGHT = Seal(origin="gemini", scope="g", form="thought", value="dGg=")
NATIVE = Seal(origin="openai", scope="openai/org", form="encrypted", value="gAAA")
CITED = Text(
    text="Grüße 😀", annotations=(Annotation(kind="url", url="https://e.x", title="E", start=0, end=5),)
)
SEARCH = Hosted(
    call_id="ws_9",
    tool="web_search",
    queries=("q",),
    result=HostedResult(hits=(SearchHit(url="https://e.x"),)),
)
CODE = Hosted(call_id="x", tool="code_execution", input="1+1", result=HostedResult(stdout="2"))
PICTURE = Media(kind="image", source=Inline(mime="image/png", base64="iVBO"))
CALL = ToolCall(call_id="call_a", name="add", input='{"a": 9007199254740993}')
MANY = (
    Thinking(text="hm", seals=(SIGNATURE,)), CITED, Refusal(text="but"), SEARCH, CODE, PICTURE, CALL,
    ToolCall(call_id="call_b", name="now", input=""),
)  # fmt: skip


def output_of(*parts, finish: str = "stop", request=REQUEST) -> list[dict]:
    """The output, which must be the same whole and streamed."""
    given_answer = answer(*parts, finish=finish, usage=Usage(input_tokens=1, output_tokens=1))
    whole = body_of(given_answer, request)
    frames = frames_in(told(unfold(given_answer), request))
    streamed = frames[-1]["response"]
    assert whole == streamed
    assert [frame["item"] for frame in frames if frame["type"] == "response.output_item.done"] == whole[
        "output"
    ]
    return whole["output"]


def types_of(stream: bytes) -> list[str]:
    return [frame["type"].removeprefix("response.") for frame in frames_in(stream)]


def test_a_text_streams_in_the_vendors_order():
    events = [
        Start(id="up", model="up"),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="Hel"),
        Delta(index=0, channel="text", text="lo"),
        Delta(index=0, channel="annotation", annotation=CITED.annotations[0]),
        Closed(index=0, part=changed(CITED, text="Hello")),
        *unfold(answer())[1:],
    ]
    stream = told(events)
    assert types_of(stream) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.annotation.added", "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    frames = frames_in(stream)
    assert [frame["sequence_number"] for frame in frames] == list(range(11))
    assert {frame["response"]["id"] for frame in frames if "response" in frame} == {"resp_1"}
    delta = frames[4]
    assert (delta["delta"], delta["output_index"], delta["content_index"], delta["logprobs"]) == (
        "Hel",
        0,
        0,
        [],
    )
    assert delta["item_id"] == frames[2]["item"]["id"] == frames[9]["item"]["id"] == "msg_ag10"


def test_golden_bytes_of_a_text_delta():
    """SOURCE: written by hand after OpenAI's API reference."""
    encoder = OPENAI_RESPONSES.stream_encoder(asked())
    encoder.emit(Start(id="up", model="up"))
    encoder.emit(Opened(index=0, part=Text(text="")))
    assert encoder.emit(Delta(index=0, channel="text", text='a"\n😀')) == (
        b"event: response.output_text.delta\n"
        b'data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_ag10","output_index":0,'
        b'"content_index":0,"delta":"a\\"\\n\xf0\x9f\x98\x80","logprobs":[]}\n\n'
    )


def test_every_part_becomes_its_item():
    items = output_of(*MANY, finish="tool_calls")
    assert [item["type"] for item in items] == [
        "reasoning", "message", "web_search_call", "code_interpreter_call", "image_generation_call", "function_call",
        "function_call",
    ]  # fmt: skip
    reasoning, said, search, code, picture, call, empty = items
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert BOX.unwrap(reasoning["encrypted_content"]).seal == SIGNATURE
    assert [part["type"] for part in said["content"]] == ["output_text", "refusal"]
    assert said["content"][0]["annotations"] == [
        {"type": "url_citation", "url": "https://e.x", "title": "E", "start_index": 0, "end_index": 5}
    ]
    assert search["action"] == {"type": "search", "query": "q", "queries": ["q"], "sources": [{"type": "url", "url": "https://e.x"}]}  # fmt: skip
    assert (code["code"], code["outputs"]) == ("1+1", [{"type": "logs", "logs": "2"}])
    assert (picture["result"], picture["output_format"]) == ("iVBO", "png")
    assert (call["call_id"], call["name"], call["arguments"]) == ("call_a", "add", '{"a": 9007199254740993}')
    assert (call["status"], empty["arguments"]) == ("completed", "{}"), "regression 58: a call without status"


def test_ids_and_indexes_are_unique_and_dense():
    """Regressions 54 and 56: an announced call without call_id; a call and a text both at index 0."""
    frames = frames_in(told(unfold(answer(CALL, CITED, finish="tool_calls"))))
    added = [frame for frame in frames if frame["type"] == "response.output_item.added"]
    assert [frame["output_index"] for frame in added] == [0, 1]
    assert added[0]["item"]["call_id"] == "call_a"
    assert len({frame["item"]["id"] for frame in added}) == 2


def test_an_id_of_the_provider_is_kept_and_one_in_another_form_is_not():
    ours = answer(
        Thinking(text="a", id="rs_0a", seals=(NATIVE,)),
        Text(text="b", id="msg_0b"),
        changed(CALL, id="toolu_1"),
    )
    assert [item["id"] for item in body_of(ours)["output"]] == ["rs_0a", "msg_0b", "fc_ag12"]
    assert body_of(ours)["output"][0]["encrypted_content"] == "gAAA", "a native seal stands bare"


def test_summaries_keep_their_paragraphs():
    thinking = Thinking(text="a\n\nb", form="summary", segments=("a", "b"))
    (item,) = output_of(thinking)
    assert item["summary"] == [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    assert "content" not in item
    kinds = types_of(told(unfold(answer(thinking))))
    assert kinds[3:11] == [
        "reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done",
        "reasoning_summary_part.done",
    ] * 2  # fmt: skip


def test_a_client_that_asked_for_a_summary_finds_raw_thinking_there():
    request = decoded(reasoning={"summary": "auto"})
    (item,) = output_of(Thinking(text="hm"), request=request)
    assert item["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert item["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert "reasoning_summary_text.delta" in types_of(told(unfold(answer(Thinking(text="hm"))), request))
    assert "reasoning_text.delta" in types_of(told(unfold(answer(Thinking(text="hm")))))


def test_reasoning_that_nobody_sealed_is_marked_so_that_it_is_never_passed_through():
    """OpenAI answers 404 to reasoning that it neither made nor can decrypt."""
    (item,) = output_of(Thinking(text="hm"))
    (streamed,) = frames_in(told(unfold(answer(Thinking(text="hm")))))[-1]["response"]["output"]
    assert item["encrypted_content"] == streamed["encrypted_content"]
    history = [{"role": "user", "content": "x"}, item, {"role": "user", "content": "y"}]
    assert OPENAI_RESPONSES.read_head(posted(input=history)).sealed
    assert decoded(input=history).turns[1].parts == (Thinking(text="hm", id=item["id"]),)
    (theirs,) = output_of(Thinking(text="hm", id="rs_0a"))
    assert "encrypted_content" not in theirs, "OpenAI keeps it under its id"


def test_the_seal_of_a_call_travels_before_it_and_that_of_a_text_behind_it():
    items = output_of(changed(CALL, seals=(THOUGHT,)), changed(CITED, seals=(THOUGHT,)), Text(text="more"))
    assert [item["type"] for item in items] == [
        "reasoning",
        "function_call",
        "message",
        "reasoning",
        "message",
    ]
    before, behind = BOX.unwrap(items[0]["encrypted_content"]), BOX.unwrap(items[3]["encrypted_content"])
    assert (before.seal, before.next_part) == (THOUGHT, True)
    assert (behind.seal, behind.next_part) == (THOUGHT, False)
    back = decoded(input=[{"role": "user", "content": "x"}, *items]).turns[1].parts
    assert back[0].seals == (THOUGHT,)
    assert isinstance(back[0], ToolCall)


def test_a_call_whose_pieces_go_on_is_announced_with_the_second():
    encoder = OPENAI_RESPONSES.stream_encoder(asked())
    encoder.emit(Start(id="up", model="up"))
    assert encoder.emit(Opened(index=0, part=changed(CALL, input=""))) == b""
    assert encoder.emit(Delta(index=0, channel="input", text="{")) == b""
    said = types_of(encoder.emit(Delta(index=0, channel="input", text="}")))
    assert said == ["output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"]


def test_usage_has_all_five_counts_or_is_null():
    """Regression 93: Codex rejects a usage that lacks one."""
    assert body_of(answer(CITED, usage=Usage(input_tokens=3, output_tokens=2)))["usage"] == {
        "input_tokens": 3, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 5,
    }  # fmt: skip
    full = Usage(
        input_tokens=9,
        output_tokens=8,
        cache_read_tokens=3,
        cache_write_5m_tokens=2,
        cache_write_1h_tokens=1,
        reasoning_tokens=4,
    )
    usage = body_of(answer(CITED, usage=full))["usage"]
    assert usage["input_tokens_details"] == {"cached_tokens": 3, "cache_write_tokens": 3}
    assert usage["output_tokens_details"] == {"reasoning_tokens": 4}
    assert body_of(answer(CITED))["usage"] is None


@pytest.mark.parametrize(
    ("finish", "parts", "status", "reason"),
    [
        ("stop", (CITED,), "completed", None),
        ("stop_sequence", (CITED,), "completed", None),
        ("tool_calls", (CALL,), "completed", None),
        ("length", (CITED,), "incomplete", "max_output_tokens"),
        ("context_length", (CITED,), "incomplete", "max_output_tokens"),
        ("content_filter", (), "incomplete", "content_filter"),
        ("recitation", (), "incomplete", "content_filter"),
        ("refusal", (Refusal(text="no"),), "completed", None),
        ("refusal", (), "incomplete", "content_filter"),
        ("malformed_tool_call", (), "failed", None),
        ("malformed_tool_call", (CALL,), "completed", None),
        ("cancelled", (CITED,), "cancelled", None),
        ("other", (CITED,), "completed", None),
    ],
)
def test_finishes(finish, parts, status, reason):
    body = body_of(answer(*parts, finish=finish))
    assert body["status"] == status
    assert body["incomplete_details"] == ({"reason": reason} if reason else None)
    assert (body["error"] is not None) == (status == "failed")
    last = frames_in(told(unfold(answer(*parts, finish=finish))))[-1]
    assert last["response"] == body
    expected = {"completed": "completed", "failed": "failed"}.get(status, "incomplete")
    assert last["type"] == f"response.{expected}"


def test_only_the_item_that_was_cut_is_incomplete():
    items = output_of(CITED, CALL, finish="length")
    assert [item["status"] for item in items] == ["completed", "incomplete"]


def test_the_terminator_is_what_ended_brings():
    encoder = OPENAI_RESPONSES.stream_encoder(asked())
    *before, ended = unfold(answer(CITED))
    for event in before:
        assert b"response.completed" not in encoder.emit(event)
    assert types_of(encoder.emit(ended)) == ["completed"]


def test_the_response_repeats_the_request():
    request = decoded(
        instructions="Be kind.", tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
        tool_choice="required", temperature=0.2, max_output_tokens=99, store=False, reasoning={"effort": "low", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}, metadata={"k": "v"}, user="u",
    )  # fmt: skip
    body = body_of(answer(CITED), request)
    assert (body["id"], body["object"], body["model"], body["created_at"]) == (
        "resp_1",
        "response",
        "public",
        1_700_000_000,
    )
    assert (body["instructions"], body["tool_choice"], body["temperature"]) == ("Be kind.", "required", 0.2)
    assert body["tools"] == [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
    ]
    assert (body["max_output_tokens"], body["store"], body["metadata"], body["user"]) == (
        99,
        False,
        {"k": "v"},
        "u",
    )
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["text"]["format"]["name"] == "n"
    plain = body_of(answer(CITED))
    assert (plain["tools"], plain["tool_choice"], plain["parallel_tool_calls"], plain["store"]) == (
        [],
        "auto",
        True,
        True,
    )


def test_what_has_no_item_is_dropped_with_a_note():
    sound = Media(kind="audio", source=Inline(mime="audio/wav", base64="UklG"))
    _, notes = OPENAI_RESPONSES.encode_response(answer(sound, Opaque(dialect="gemini", raw={})), asked())
    assert [note.path for note in notes] == ["media", "opaque"]


def test_a_failure_after_the_start_is_inside_the_response():
    """Regressions 66, 94: an error at the top level beside a null one; a rate limit without a delay."""
    events = [
        *unfold(answer(CITED))[:3],
        Failed(failure=Failure(kind=ErrorKind.RATE_LIMIT, message="Slow down.")),
    ]
    last = frames_in(told(events))[-1]
    assert (last["type"], last["response"]["id"], last["response"]["status"]) == (
        "response.failed",
        "resp_1",
        "failed",
    )
    assert last["response"]["error"] == {
        "code": "rate_limit_exceeded",
        "message": "Slow down. Please try again in 5s.",
    }
    known = Failure(kind=ErrorKind.RATE_LIMIT, message="Slow", retry_after_s=1.5)
    assert b"Please try again in 1.5s." in OPENAI_RESPONSES.encode_stream_error(known, "req_1")
    kinds = {
        ErrorKind.CONTEXT_LENGTH: "context_length_exceeded", ErrorKind.BILLING: "insufficient_quota", ErrorKind.UPSTREAM: "upstream_error",
    }  # fmt: skip
    for kind, code in kinds.items():
        failed = frames_in(OPENAI_RESPONSES.encode_stream_error(Failure(kind=kind, message="m"), "req_1"))
        assert [frame["type"] for frame in failed] == ["error", "response.failed"]
        assert (
            failed[0]["error"]["code"] == failed[0]["code"] == failed[1]["response"]["error"]["code"] == code
        )


def test_keep_alives_are_events_that_mean_nothing():
    assert (
        told([Tick()]) == OPENAI_RESPONSES.keep_alive == b'event: keepalive\ndata: {"type":"keepalive"}\n\n'
    )


def test_further_choices_are_noted_and_not_streamed():
    two = changed(
        answer(CITED), choices=(answer(CITED).choices[0], changed(answer(CALL).choices[0], index=1))
    )
    _, notes = OPENAI_RESPONSES.encode_response(two, asked())
    assert len(notes) == 1
    assert frames_in(told(unfold(two)))[-1]["response"]["output"] == body_of(two)["output"]


TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=12)
SEALS = st.sampled_from([(), (SIGNATURE,), (THOUGHT,), (NATIVE,)])
PARTS = st.one_of(
    st.builds(Text, text=TEXT.filter(bool), seals=st.sampled_from([(), (THOUGHT,)])),
    st.builds(Thinking, text=TEXT, seals=SEALS),
    st.builds(
        lambda a, b: Thinking(text=f"{a}\n\n{b}", form="summary", segments=(a, b)),
        TEXT.filter(bool),
        TEXT.filter(bool),
    ),
    st.builds(Refusal, text=TEXT.filter(bool)),
    st.builds(
        ToolCall,
        call_id=st.sampled_from(["a", "b", "c"]),
        name=st.sampled_from(["f", "g"]),
        input=TEXT,
        seals=SEALS,
    ),
    st.sampled_from([SEARCH, CODE, PICTURE]),
)


@given(st.lists(PARTS, max_size=7), st.sampled_from(["stop", "length", "tool_calls", "refusal"]))
def test_a_stream_says_what_the_whole_answer_says(parts, finish):
    output_of(*parts, finish=finish)


@given(st.lists(PARTS, max_size=6))
def test_what_we_write_we_read_back(parts):
    """Texts of one message stay apart; seals and foreign hosted calls come back in the form of this dialect."""
    given_answer = answer(*parts, usage=Usage(input_tokens=5, output_tokens=6))
    body, _ = OPENAI_RESPONSES.encode_response(given_answer, asked())
    whole = OPENAI_RESPONSES.decode_response(body, sent())
    streamed = fold(events_of([told(unfold(given_answer))]))
    assert whole == streamed
    for kind in (Text, Refusal, ToolCall):
        said = [
            (getattr(p, "text", None), getattr(p, "input", None) or None) for p in parts if type(p) is kind
        ]
        back = [
            (getattr(p, "text", None), getattr(p, "input", None) or None)
            for p in whole.choices[0].parts
            if type(p) is kind
        ]
        if kind is ToolCall:
            said = [(text, argument or "{}") for text, argument in said]
        assert said == back
    words = "".join(p.text for p in parts if isinstance(p, Thinking))
    assert words == "".join(p.text for p in whole.choices[0].parts if isinstance(p, Thinking))
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (5, 6)


def test_json_of_the_whole_body_is_compact():
    body, _ = OPENAI_RESPONSES.encode_response(answer(CITED), asked())
    assert json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode() == body


def test_a_finish_without_any_part_is_an_empty_output():
    events = [Start(id="", model=""), Finished(finish=Finish(reason="stop")), unfold(answer())[-1]]
    assert frames_in(told(events))[-1]["response"]["output"] == []
