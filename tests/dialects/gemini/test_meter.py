"""What passes, what waits, what is learned."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, WireError
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.dialects.gemini import GEMINI
from dialects.gemini.exchange import CAPS, reply, sse

USAGE = {"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8}
CHUNKS = [
    reply({"text": "a"}),
    reply({"text": "b", "thought": True}),
    reply({"text": "c"}, finish="STOP", usage=USAGE),
]
STREAM = sse(*CHUNKS)
ARRAY = json.dumps(CHUNKS, indent=1).encode()


def metered(**narrowed):
    return GEMINI.meter(Head(model="m"), changed(CAPS, **narrowed))


def frames() -> list[bytes]:
    return [sse(chunk) for chunk in CHUNKS]


def test_the_newest_frame_waits_for_the_next_one():
    meter = metered()
    first, second, third = frames()
    assert meter.feed(first) == b""
    assert meter.feed(second) is first
    assert meter.feed(third) is second
    assert meter.close() == third


@pytest.mark.parametrize("stream", [STREAM, ARRAY, STREAM.replace(b"\r\n", b"\n"), b"\n\n" + STREAM])
def test_all_bytes_pass_unchanged_in_any_slices(stream):
    for size in (1, 7, 64, len(stream)):
        meter = metered()
        passed = b"".join(meter.feed(stream[place : place + size]) for place in range(0, len(stream), size))
        assert passed + meter.close() == stream
        assert passed != stream


@settings(deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=6).map(sorted))
def test_what_passes_always_ends_at_a_frame(cuts):
    """So that a keep-alive may follow it."""
    meter = metered()
    for start, end in pairwise([0, *cuts, len(STREAM)]):
        assert meter.feed(STREAM[start:end])[-1:] in (b"", b"\r", b"\n")


def test_the_facts_of_a_stream():
    meter = metered()
    assert not meter.started
    meter.feed(STREAM)
    meter.close()
    facts = meter.facts()
    assert meter.started
    assert (facts.usage, facts.finished, facts.empty, facts.failure, facts.text) == (
        Usage(input_tokens=5, output_tokens=3), True, False, None, "abc",
    )  # fmt: skip


def test_content_begins_with_the_first_text_call_or_picture():
    for part in (
        {"text": "x"},
        {"functionCall": {"name": "f"}},
        {"inlineData": {"mimeType": "image/png", "data": ""}},
    ):
        meter = metered()
        meter.feed(sse(reply(usage={"promptTokenCount": 5}), reply({"text": ""})))
        assert not meter.started
        meter.feed(sse(reply(part)))
        assert meter.started


def test_an_answer_is_complete_when_every_candidate_has_finished():
    meter = metered(finish_optional=False)
    meter.feed(sse(reply({"text": "a"}), reply({"text": "b"}, index=1), reply(finish="STOP")))
    assert not meter.facts().finished
    meter.feed(sse(reply(finish="STOP", index=1), reply(groundingMetadata={"webSearchQueries": ["q"]})))
    assert meter.facts().finished


def test_a_cut_answer_gives_nothing_back():
    meter = metered()
    meter.feed(sse(reply({"text": "a"}), reply({"text": "b"})))
    assert meter.close() == b""
    assert not meter.facts().finished


def test_usage_at_the_end_counts_as_a_finish_where_the_provider_may_leave_it_out():
    stream = sse(reply({"text": "a"}), reply({"text": "b"}, usage=USAGE))
    for optional in (True, False):
        meter = metered(finish_optional=optional)
        meter.feed(stream)
        assert meter.facts().finished is optional


def test_an_error_in_band_is_a_failure_and_stays_here():
    meter = metered()
    first = sse(reply({"text": "a"}))
    assert (
        meter.feed(first + sse({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}) + first)
        == b""
    )
    assert meter.failure is not None
    assert meter.failure.kind is ErrorKind.OVERLOADED
    assert meter.facts().failure == meter.failure


def test_a_frame_that_is_no_json_is_a_failure_and_half_an_emoji_is_none():
    meter = metered()
    meter.feed(b'data: {"candidates":[{"content":{"parts":[{"text":"\\ud83d"}]}}]}\n\n')
    assert (meter.failure, meter.started) == (None, True)
    meter.feed(b"data: <html>\n\n")
    assert meter.failure is not None


def test_what_breaks_googles_sdks_does_not_pass():
    meter = metered()
    stream = b": hello\n\n" + STREAM + b"data: [DONE]\n\n"
    assert meter.feed(stream) + meter.close() == STREAM


def test_a_last_frame_without_its_empty_line_gets_one():
    meter = metered()
    assert (meter.feed(STREAM[:-4]) + meter.close()) == STREAM
    assert meter.facts().finished


def test_an_unended_array_gets_its_end():
    meter = metered()
    assert json.loads(meter.feed(ARRAY[:-2]) + meter.close()) == CHUNKS


def test_searches_and_arguments_count():
    meter = metered()
    meter.feed(
        sse(
            reply(
                {"functionCall": {"name": "f", "args": {"city": "Rome"}}},
                groundingMetadata={"webSearchQueries": ["a", "b"]},
                usage=USAGE,
                finish="STOP",
            )
        )
    )
    facts = meter.facts()
    assert facts.usage.web_search_calls == 2
    assert "Rome" in facts.text


def test_a_whole_reply_is_read():
    facts = GEMINI.read_facts(json.dumps(CHUNKS[2]).encode())
    assert (facts.usage, facts.finished, facts.empty, facts.text) == (
        Usage(input_tokens=5, output_tokens=3),
        True,
        False,
        "c",
    )
    assert GEMINI.read_facts(ARRAY).text == "abc"
    blocked = GEMINI.read_facts(b'{"promptFeedback":{"blockReason":"SAFETY"}}')
    assert (blocked.finished, blocked.empty) == (True, True)


def test_what_is_no_reply_is_an_error():
    for body in (b"", b"<html>", b'{"foo":1}', b"[[]]"):
        with pytest.raises(WireError):
            GEMINI.read_facts(body)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=4))
def test_no_bytes_make_a_meter_raise(pieces):
    meter = metered()
    for piece in pieces:
        meter.feed(piece)
    meter.close()
    meter.facts()


def test_usage_that_counts_the_prompt_alone_is_no_finish():
    """What an answer is cut after: its output would be free."""
    early = {"promptTokenCount": 10, "totalTokenCount": 10}
    meter = metered(finish_optional=True)
    meter.feed(sse(reply({"text": "a"}, usage=early), reply({"text": "b"}, usage=early)))
    assert (meter.facts().finished, meter.facts().text) == (False, "ab")
