"""Our streams. Numbers are those of the list of peers' bugs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.gemini import GEMINI
from allgate.dialects.gemini.signatures import unsealed
from allgate.dialects.seals import is_envelope
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
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import (
    Annotation,
    Inline,
    Media,
    Opaque,
    Part,
    Seal,
    Text,
    Thinking,
    ToolCall,
)
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire.json import encode_text
from dialects.gemini.exchange import (
    ARRAY,
    BOX,
    REQUEST,
    SHOWING,
    chunks_in,
    events_of,
    parts_in,
    reply,
    sse,
    told,
)

NATIVE = Seal(origin="gemini", scope="", form="thought", value="c2ln")
FOREIGN = Seal(origin="openai", scope="openai/main", form="encrypted", value="gAAA")
CALL = ToolCall(call_id="call_1", name="f", input='{"a": 1}')
USAGE = Usage(input_tokens=3, output_tokens=4)


def answer(*parts, finish=None) -> ChatResponse:
    choice = Choice(index=0, parts=parts, finish=finish or Finish(reason="stop"))
    return ChatResponse(id="up", model="up", choices=(choice,), usage=USAGE)


def stream_of(*parts, request=SHOWING, **more) -> list[dict]:
    return chunks_in(told(unfold(answer(*parts, **more)), request))


def test_a_stream_of_text_byte_by_byte():
    events = [
        Start(id="x", model="y"),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text='He"l'),
        Tick(),
        Delta(index=0, channel="text", text="lo\n"),
        Closed(index=0, part=Text(text='He"llo\n')),
        UsageSeen(usage=USAGE),
        Finished(finish=Finish(reason="length")),
        Ended(usage=USAGE),
    ]
    tail = b'],"role":"model"},"index":0}],"modelVersion":"public","responseId":"resp-1"}\n\n'
    assert told(events) == (
        b'data: {"candidates":[{"content":{"parts":[{"text":"He\\"l"}' + tail + b"\n"
        b'data: {"candidates":[{"content":{"parts":[{"text":"lo\\n"}' + tail
        + b'data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],'
        b'"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7},'
        b'"modelVersion":"public","responseId":"resp-1"}\n\n'
    )  # fmt: skip


def test_regression_22_nothing_but_data_and_blank_lines():
    stream = told([*unfold(answer(Thinking(text="t"), Text(text="x"), CALL)), Tick()])
    for line in stream.split(b"\n"):
        assert line == b"" or line.startswith(b"data: {")
    assert b"[DONE]" not in stream


def test_regression_23_only_the_last_chunk_has_an_empty_text():
    """As Google's own: Python's chat sessions forget a turn with a chunk that has no part at all."""
    chunks = stream_of(Thinking(text="t"), Text(text="x"), CALL)
    assert [part for chunk in chunks[:-1] for part in parts_in([chunk]) if part.get("text") == ""] == []
    assert parts_in(chunks[-1:]) == [{"text": ""}]


def test_the_last_chunk_has_the_finish_and_all_usage():
    chunks = stream_of(CALL, finish=Finish(reason="tool_calls"))
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks] == [None, "STOP"]
    assert chunks[-1]["usageMetadata"]["totalTokenCount"] == 7
    assert "usageMetadata" not in chunks[0]


def test_a_call_is_one_whole_part():
    (part,) = parts_in(stream_of(CALL)[:-1])
    assert part["functionCall"] == {"id": "call_1", "name": "f", "args": {"a": 1}}


def test_the_first_call_that_nobody_signed_bears_our_mark_and_the_thinking_before_it():
    """Passed through to Gemini it would be refused; DeepSeek wants the thinking back, which Gemini's clients drop."""
    for request in (SHOWING, REQUEST):
        stream = parts_in(
            stream_of(Thinking(text="hm"), CALL, changed(CALL, call_id="call_2"), request=request)
        )
        first, second = (part for part in stream if "functionCall" in part)
        assert "thoughtSignature" not in second
        opened = BOX.unwrap(first["thoughtSignature"])
        assert opened is not None
        assert opened.seal == unsealed("hm")
    signed = changed(CALL, seals=(NATIVE,))
    assert parts_in(stream_of(Thinking(text="hm"), signed))[1]["thoughtSignature"] == NATIVE.value


def test_arguments_over_several_lines_do_not_break_a_frame():
    for end in ("\n", "\r", "\r\n"):
        (part,) = parts_in(stream_of(changed(CALL, input='{"a":' + end + " 1}"))[:-1])
        assert part["functionCall"]["args"] == {"a": 1}


def test_a_call_that_cannot_be_read_is_left_out_with_its_own_finish():
    chunks = stream_of(changed(CALL, input="{"), finish=Finish(reason="tool_calls"))
    assert len(chunks) == 1
    assert chunks[0]["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"


def test_thoughts_are_chunks_of_their_own_for_who_asked():
    thinking = Thinking(text="a\n\nb", form="summary", segments=("a", "b"))
    parts = parts_in(stream_of(thinking, Text(text="x")))
    assert parts[:3] == [{"thought": True, "text": "a"}, {"thought": True, "text": "\n\nb"}, {"text": "x"}]
    assert parts_in(stream_of(thinking, Text(text="x"), request=REQUEST))[0] == {"text": "x"}


def test_signatures_follow_what_has_left_and_stand_on_what_has_not():
    parts = parts_in(
        stream_of(
            Thinking(text="t", seals=(NATIVE,)),
            Text(text="x", seals=(NATIVE,)),
            changed(CALL, seals=(NATIVE,)),
        )
    )
    assert [(part.get("text"), part.get("thought"), part.get("thoughtSignature")) for part in parts[:-1]] == [
        ("t", True, None), ("", True, "c2ln"), ("x", None, None), ("", None, "c2ln"), (None, None, "c2ln"),
    ]  # fmt: skip


def test_a_foreign_thoughts_seal_rides_on_the_next_part():
    for following in (Text(text="xy"), CALL):
        parts = parts_in(stream_of(Thinking(form="hidden", seals=(FOREIGN,)), following, request=REQUEST))
        assert parts[0]["thoughtSignature"].startswith("QUdTTDE6")
        assert parts[0].keys() & {"text", "functionCall"}
    alone = parts_in(stream_of(Thinking(form="hidden", seals=(FOREIGN,))))
    assert alone[0]["thoughtSignature"].startswith("QUdTTDE6")


def test_a_foreign_seal_rides_on_a_text_that_goes_on_after_the_thought():
    spoken = [Text(text="a"), Thinking(text="b", seals=(FOREIGN,)), Text(text="c"), Text(text="d")]
    parts = parts_in(stream_of(*spoken))
    assert [(part["text"], "thoughtSignature" in part) for part in parts] == [
        ("a", False),
        ("b", False),
        ("c", True),
        ("d", False),
        ("", False),
    ]


PIECES = st.tuples(
    st.integers(0, 1), st.sampled_from(["text", "text", "refusal", "summary", "input"]), st.sampled_from(["", "a", "b"])
)  # fmt: skip


@given(st.lists(PIECES, max_size=8))
def test_every_piece_is_a_chunk_of_its_candidate_whatever_came_before(pieces):
    events = [Delta(index=0, choice=choice, channel=channel, text=text) for choice, channel, text in pieces]
    said = [chunk["candidates"][0] for chunk in chunks_in(told(events))]
    assert [(one["index"], one["content"]["parts"]) for one in said] == [
        (choice, [{"thought": True, "text": text} if channel == "summary" else {"text": text}])
        for choice, channel, text in pieces
        if text and channel != "input"
    ]


def test_media_leave_whole():
    png = Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))
    assert parts_in(stream_of(png))[0] == {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}


def test_sources_stand_in_the_last_chunk_in_bytes_of_the_whole_text():
    cited = Text(
        text="äö x", annotations=(Annotation(kind="url", url="https://a", title="A", start=3, end=4),)
    )
    grounds = stream_of(Text(text="ä"), CALL, cited)[-1]["candidates"][0]["groundingMetadata"]
    assert grounds["groundingSupports"] == [
        {"segment": {"startIndex": 7, "endIndex": 8, "text": "x"}, "groundingChunkIndices": [0]}
    ]


def test_every_candidate_finishes_in_the_last_chunk():
    choices = tuple(
        Choice(index=n, parts=(Text(text=str(n)),), finish=Finish(reason="stop")) for n in range(2)
    )
    chunks = chunks_in(told(unfold(ChatResponse(id="u", model="u", choices=choices))))
    assert [candidate["index"] for candidate in chunks[-1]["candidates"]] == [0, 1]
    assert "usageMetadata" not in chunks[-1]


def test_an_error_ends_the_stream_in_band():
    failure = Failure(kind=ErrorKind.OVERLOADED, message="busy")
    stream = told(
        [Start(id="x", model="y"), Delta(index=0, channel="text", text="a"), Failed(failure=failure)]
    )
    assert chunks_in(stream)[-1]["error"] == {"code": 503, "message": "busy", "status": "UNAVAILABLE"}


def test_a_keep_alive_is_a_blank_line():
    assert told([Tick()]) == GEMINI.keep_alive == b"\n"


def test_a_client_without_alt_sse_gets_one_array():
    encoder_type = GEMINI.for_request
    assert callable(encoder_type)
    stream = told(unfold(answer(Text(text="x"), CALL)), ARRAY)
    replies = json.loads(stream)
    assert [next(iter(parts_in([one])[0])) for one in replies] == ["text", "functionCall", "text"]
    assert replies[-1]["candidates"][0]["finishReason"] == "STOP"
    failed = json.loads(
        told(
            [
                Delta(index=0, channel="text", text="a"),
                Tick(),
                Failed(failure=Failure(kind=ErrorKind.INTERNAL, message="m")),
            ],
            ARRAY,
        )
    )
    assert failed[1]["error"]["status"] == "INTERNAL"
    assert json.loads(told([Failed(failure=Failure(kind=ErrorKind.INTERNAL, message="m"))], ARRAY))[0][
        "error"
    ]


def test_the_unseen_reaches_the_client_of_the_same_dialect():
    chunks = [
        reply({"brandNew": {"x": 1}}),
        reply({"text": "x"}, finish="STOP", safetyRatings=[{"category": "C"}]),
    ]
    written = chunks_in(told(events_of([sse(*chunks)])))
    assert parts_in(written)[:2] == [{"brandNew": {"x": 1}}, {"text": "x"}]
    assert written[-1]["candidates"][0]["safetyRatings"] == [{"category": "C"}]


TEXTS = st.text(min_size=1, max_size=8)
PARTS = st.one_of(
    st.builds(Text, text=TEXTS),
    st.builds(lambda text: Thinking(text=text, form="summary", segments=(text,)), TEXTS),
    st.builds(
        lambda place, name, value: ToolCall(call_id=f"c{place}", name=name, input=encode_text({"v": value})),
        st.integers(), st.sampled_from(["f", "g"]), st.text(max_size=4),
    ),
    st.builds(lambda: Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))),
    st.builds(lambda: Opaque(dialect="gemini", raw={"x": 1})),
)  # fmt: skip


def settled(parts) -> tuple:
    """Neighbouring texts and thoughts as one, which is all that chunks can say."""
    out: list = []
    for part in parts:
        if out and isinstance(part, (Text, Thinking)) and type(out[-1]) is type(part):
            joined = out[-1].text + part.text
            out[-1] = changed(
                part, text=joined, **({"segments": (joined,)} if isinstance(part, Thinking) else {})
            )
        else:
            out.append(part)
    return tuple(out)


def unmarked(part: Part) -> Part:
    """A call without the mark of ours that nobody signed it."""
    marked = isinstance(part, ToolCall) and any(is_envelope(seal.value) for seal in part.seals)
    return changed(part, seals=()) if marked else part


@settings(deadline=None)
@given(st.lists(PARTS, max_size=6), st.sampled_from(["stop", "length", "content_filter"]), st.booleans())
def test_what_we_stream_reads_the_same(parts, reason, array):
    calls = any(isinstance(part, ToolCall) for part in parts)
    finish = Finish(reason="tool_calls" if calls and reason == "stop" else reason)
    given_answer = ChatResponse(
        id="u", model="u", usage=USAGE, choices=(Choice(index=0, parts=tuple(parts), finish=finish),)
    )
    request = changed(SHOWING, extra=ARRAY.extra) if array else SHOWING
    stream = told(unfold(given_answer), request)
    again = fold(events_of([stream[place : place + 7] for place in range(0, len(stream), 7)]))
    assert tuple(map(unmarked, again.choices[0].parts)) == settled(parts)
    assert again.choices[0].finish.reason == finish.reason
    assert again.usage == USAGE


@pytest.mark.parametrize("text", ["\ud83d", "a\u2028b", "\x00"])
def test_odd_characters_are_one_line(text):
    (chunk,) = chunks_in(told([Delta(index=0, channel="text", text=text)]))
    assert len(parts_in([chunk])[0]["text"]) == len(text)
