import json

import pytest

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.operations.chat.events import (
    Closed,
    Delta,
    Ended,
    Failed,
    Finished,
    Opened,
    Start,
    Tick,
    UsageSeen,
)
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import (
    Annotation,
    Hosted,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Part,
    Refusal,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
    Url,
)
from allgate.operations.chat.request import Reasoning
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.operations.chat.tools import Function
from dialects.anthropic.exchange import BOX, REQUEST, THINKING, USER, frames_of, native, other_seal, told

START = Start(id="up", model="up")
STOP = Finished(finish=Finish(reason="stop"))
SILENT = changed(REQUEST, reasoning=Reasoning(mode="adaptive", show="none"))


def answer(*parts: Part, reason="stop", usage: Usage | None = None) -> ChatResponse:
    return ChatResponse(
        id="up",
        model="up",
        usage=usage,
        choices=(Choice(index=0, parts=parts, finish=Finish(reason=reason)),),
    )


def shown(*parts: Part, request=THINKING) -> list[dict]:
    """The blocks of the stream, put together again."""
    blocks: list[dict] = []
    for frame in frames_of(told(unfold(answer(*parts)), request)):
        if frame["type"] == "content_block_start":
            assert frame["index"] == len(blocks)
            blocks.append(dict(frame["content_block"]))
        elif frame["type"] == "content_block_delta":
            assert frame["index"] == len(blocks) - 1
            _add(blocks[-1], frame["delta"])
    for block in blocks:
        if isinstance(block.get("input"), str):
            block["input"] = json.loads(block["input"])
    return blocks


def _add(block: dict, delta: dict) -> None:
    match delta["type"]:
        case "text_delta":
            assert block["type"] == "text"
            block["text"] += delta["text"]
        case "thinking_delta":
            assert block["type"] == "thinking"
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            assert block["type"] == "thinking"
            block["signature"] = delta["signature"]
        case "input_json_delta":
            assert block["type"].endswith("tool_use")
            block["input"] = (block["input"] or "") + delta["partial_json"]
        case "citations_delta":
            block.setdefault("citations", []).append(delta["citation"])


def test_the_frames_of_a_small_stream():
    events = [
        START, Opened(index=0, part=Text(text="")), Delta(index=0, channel="text", text='a"'),
        Delta(index=0, channel="text", text="😀"), Closed(index=0, part=Text(text='a"😀')),
        UsageSeen(usage=Usage(input_tokens=9, output_tokens=2)), STOP,
        Ended(usage=Usage(input_tokens=9, output_tokens=2, cache_read_tokens=4)),
    ]  # fmt: skip
    assert told(events).decode() == (
        'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
        '"model":"public","content":[],"stop_reason":null,"stop_sequence":null,'
        '"usage":{"input_tokens":1,"output_tokens":0}}}\n\n'
        'event: ping\ndata: {"type": "ping"}\n\n'
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\\""}}\n\n'
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"😀"}}\n\n'
        'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
        '"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":2}}\n\n'
        'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )


def test_the_bytes_of_ended_are_the_terminator():
    encoder_bytes = told([START, STOP])
    assert b"message_delta" not in encoder_bytes
    assert told([START, STOP, Ended()]).endswith(b'data: {"type":"message_stop"}\n\n')


def test_regressions_3_and_4_thinking_stands_in_a_thinking_block_of_its_own():
    events = [
        START, Opened(index=0, part=Text(text="")), Closed(index=0, part=Text(text="")),
        *unfold(answer(Thinking(text="hm"), Text(text="a")))[1:],
    ]  # fmt: skip
    starts = [
        f["content_block"]["type"] for f in frames_of(told(events)) if f["type"] == "content_block_start"
    ]
    assert starts == ["thinking", "text"]


def test_regression_6_a_block_starts_empty_and_nothing_is_said_twice():
    frames = frames_of(told(unfold(answer(Text(text="Hello")))))
    assert frames[2]["content_block"] == {"type": "text", "text": ""}
    assert [frame["delta"]["text"] for frame in frames if frame["type"] == "content_block_delta"] == ["Hello"]


def test_regression_2_parallel_calls_have_dense_indexes():
    parts = tuple(ToolCall(call_id=f"c{i}", name="f", input=f'{{"i":{i}}}') for i in range(3))
    assert [(block["id"], block["input"]) for block in shown(*parts)] == [
        (f"c{i}", {"i": i}) for i in range(3)
    ]


def test_thinking_is_signed_by_its_own_vendor_or_in_an_envelope_or_with_a_filler():
    foreign = other_seal()
    own, wrapped, filled = shown(
        Thinking(text="a", seals=(native(),)), Thinking(text="b", seals=(foreign,)), Thinking(text="c")
    )
    assert own == {"type": "thinking", "thinking": "a", "signature": "c2ln"}
    assert BOX.unwrap(wrapped["signature"]).seal == foreign
    assert BOX.unwrap(filled["signature"]).seal.origin == "allgate"


def test_thinking_that_is_only_a_seal_is_redacted_or_a_bare_signature():
    foreign = other_seal(form="encrypted", origin="openai")
    own, bare, hidden = shown(
        Thinking(form="hidden", seals=(native("ZA==", "redacted"),)),
        Thinking(form="hidden", seals=(native(),)),
        Thinking(form="hidden", seals=(foreign,)),
    )
    assert own == {"type": "redacted_thinking", "data": "ZA=="}
    assert bare == {"type": "thinking", "thinking": "", "signature": "c2ln"}
    assert BOX.unwrap(hidden["data"]).seal == foreign


def test_thinking_that_the_client_declined_keeps_its_seal_and_loses_its_text():
    sealed, unsealed = shown(
        Thinking(text="a", seals=(other_seal(),)), Thinking(text="secret"), request=SILENT
    )
    assert (sealed["thinking"], unsealed["thinking"]) == ("", "")
    assert BOX.unwrap(sealed["signature"]).seal == other_seal()
    assert BOX.unwrap(unsealed["signature"]).seal.value == "secret"


def test_the_paragraphs_of_a_summary_are_told_apart():
    thought = Thinking(text="a\n\nb", form="summary", segments=("a", "b"))
    assert shown(thought)[0]["thinking"] == "a\n\nb"


def test_regression_15_a_signed_call_stands_behind_the_carrier_of_its_seal():
    carrier, call = shown(ToolCall(call_id="c", name="f", input='{"a":1}', seals=(other_seal(),)))
    assert BOX.unwrap(carrier["data"]).next_part
    assert call == {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}


def test_a_plain_question_is_answered_without_blocks_that_only_carry_a_seal():
    """Who neither asked for thinking nor declared tools reads the first block for the answer."""
    hidden = Thinking(form="hidden", seals=(other_seal(),))
    text = Text(text="x", seals=(other_seal("Qg=="),))
    assert [block["type"] for block in shown(hidden, text, request=REQUEST)] == ["text"]
    for own in (native(form="redacted"), native(form="signature")):
        thought = Thinking(form="hidden", seals=(own,))
        assert len(shown(thought, Text(text="x"), request=REQUEST)) == 2
    assert len(shown(hidden, text, request=changed(REQUEST, tools=(Function(name="f"),)))) == 3


def test_a_seal_that_comes_late_rides_behind():
    seal = other_seal()
    part = ToolCall(call_id="c", name="f", input='{"a":1}', seals=(seal,))
    events = [
        START, Opened(index=0, part=ToolCall(call_id="c", name="f")), Delta(index=0, channel="input", text='{"a"'),
        Delta(index=0, channel="input", text=":1}"), Delta(index=0, channel="seal", seal=seal), Closed(index=0, part=part),
        STOP, Ended(),
    ]  # fmt: skip
    starts = [f["content_block"] for f in frames_of(told(events)) if f["type"] == "content_block_start"]
    assert [start["type"] for start in starts] == ["tool_use", "redacted_thinking"]
    assert BOX.unwrap(starts[1]["data"]).next_part is False
    text, carried = shown(Text(text="a", seals=(seal,)))
    assert (text["text"], BOX.unwrap(carried["data"]).seal) == ("a", seal)


def test_an_empty_sealed_text_is_its_carrier_alone():
    (carried,) = shown(Text(text="", seals=(other_seal(),)))
    assert BOX.unwrap(carried["data"]).seal == other_seal()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", {}), ("{}", {}), ('{"a": 1}', {"a": 1}), ("[1]", {"value": [1]}), ("{x", {"_raw": "{x"})],
)
def test_arguments_given_whole_are_an_object(text, expected):
    assert shown(ToolCall(call_id="c", name="f", input=text))[0]["input"] == expected


def test_a_custom_tool_s_raw_text_is_wrapped():
    assert shown(ToolCall(call_id="c", name="p", input="raw", input_kind="text"))[0]["input"] == {
        "input": "raw"
    }


def test_ids_outside_the_alphabet_are_replaced_as_in_requests():
    call_id = shown(ToolCall(call_id="a b", name="f"))[0]["id"]
    assert call_id.startswith("call_")


def test_citations_stand_on_their_text():
    note = Annotation(kind="url", url="https://e.x", title="E", start=6, end=11)
    (block,) = shown(Text(text="Hello world", annotations=(note,)))
    assert block["citations"] == [
        {
            "type": "web_search_result_location", "cited_text": "world", "url": "https://e.x", "title": "E",
            "encrypted_index": "",
        }
    ]  # fmt: skip


def test_regression_76_a_call_that_the_provider_ran_is_never_a_tool_use():
    search = Hosted(
        call_id="ws_1",
        tool="web_search",
        queries=("q",),
        result=HostedResult(hits=(SearchHit(url="https://e.x"),)),
    )
    used, found = shown(search)
    assert (used["type"], used["name"], used["input"]) == ("server_tool_use", "web_search", {"query": "q"})
    assert found["type"] == "web_search_tool_result"
    assert found["tool_use_id"] == used["id"]
    assert found["content"][0]["url"] == "https://e.x"


def test_what_has_no_block_is_told_as_text():
    picture = Media(kind="image", source=Inline(mime="image/png", base64="iVBO"))
    linked = Media(kind="image", source=Url(url="https://e.x/a.png"))
    spoken = Media(kind="audio", source=Inline(mime="audio/wav", base64=""), transcript="hello")
    texts = [block["text"] for block in shown(picture, linked, spoken, Refusal(text="no"))]
    assert texts == ["[image]", "![image](https://e.x/a.png)", "hello", "no"]


def test_an_own_block_of_no_known_kind_is_told_whole_and_a_foreign_one_not():
    raw = {"type": "container_upload", "file_id": "f"}
    assert shown(Opaque(dialect="anthropic", raw=raw), Opaque(dialect="gemini", raw={})) == [raw]


def test_a_block_without_a_type_does_no_harm():
    assert shown(Opaque(dialect="anthropic", raw={"text": None})) == [{"text": None}]


def test_the_first_count_is_the_provider_s_or_a_guess():
    guessed = frames_of(told([START]))[0]["message"]["usage"]
    assert guessed == {"input_tokens": 1, "output_tokens": 0}
    long = changed(REQUEST, turns=(changed(USER, parts=(Text(text="x" * 4_000),)),))
    assert frames_of(told([START], long))[0]["message"]["usage"]["input_tokens"] == 1_000
    known = frames_of(told([changed(START, usage=Usage(input_tokens=7, output_tokens=1))]))[0]["message"][
        "usage"
    ]
    assert (known["input_tokens"], known["output_tokens"]) == (7, 1)


def test_regressions_45_to_47_the_last_count_is_whole_and_without_what_was_cached():
    events = [
        START, STOP, UsageSeen(usage=Usage(input_tokens=100)),
        Ended(usage=Usage(output_tokens=5, cache_read_tokens=60, cache_write_5m_tokens=10, reasoning_tokens=2)),
    ]  # fmt: skip
    assert frames_of(told(events))[-2]["usage"] == {
        "input_tokens": 30, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 60, "output_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 0},
        "output_tokens_details": {"thinking_tokens": 2},
    }  # fmt: skip


def test_an_unknown_count_does_not_overwrite_the_first():
    assert frames_of(told([START, STOP, Ended()]))[-2]["usage"] == {"output_tokens": 0}


def test_a_failure_is_an_error_event_and_nothing_after_it():
    body = told([START, Failed(failure=Failure(kind=ErrorKind.OVERLOADED, message="busy"))])
    last = frames_of(body)[-1]
    assert last == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "busy"},
        "request_id": "msg_1",
    }
    assert b"message_stop" not in body


def test_a_tick_is_a_ping():
    assert told([START, Tick()]).endswith(ANTHROPIC.keep_alive)


def test_other_answers_than_the_first_are_not_told():
    extra = [
        event if isinstance(event, Start | Ended) else changed(event, choice=1)
        for event in unfold(answer(Text(text="b")))
    ]
    assert b'"b"' not in told([START, *extra[1:-1], STOP, Ended()])


def test_half_a_surrogate_pair_is_written():
    assert shown(Text(text="a\ud83d"))[0]["text"] == "a\ufffd"


def test_members_of_its_own_dialect_come_back():
    ending = Ended(
        extra={"anthropic": {"container": {"id": "c"}, "context_management": {}, "usage": {"iterations": []}}}
    )
    last = frames_of(told([START, STOP, ending]))[-2]
    assert last["delta"]["container"] == {"id": "c"}
    assert last["context_management"] == {}
    assert last["usage"]["iterations"] == []
