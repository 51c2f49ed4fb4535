"""What is plain goes a short way through the dialect, and comes out as it does of the long way.

That an ordinary exchange does go the short way is seen by its few calls too (`test_few_calls`).
"""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.core.usage import Usage
from allgate.dialects.gemini import (
    GEMINI,
    head,
    meter,
    request_decode,
    request_encode,
    response_decode,
    response_encode,
)
from allgate.dialects.gemini.address import address_of
from allgate.dialects.gemini.chunk import plain_reply
from allgate.dialects.gemini.plain_call import plain_body
from allgate.dialects.gemini.plain_request import PLAIN_BYTES_MAX, plain_request
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import ChatRequest, State, Turn
from allgate.wire.json import encode
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import BOX, CAPS, STREAM, WHOLE, asked, events_of, posted, reply, sent
from dialects.gemini.near_plain import BODIES, CHUNKS, DEPLOYMENTS, REPLIES, REQUESTS, RESPONSES


def outcome(way: Callable[[], object]) -> str:
    """What comes of it, with the types of all values; the error in its place."""
    try:
        return repr(way())
    except WireError as error:
        return repr(error.failure)


def short_request(wire: WireRequest) -> ChatRequest | None:
    return plain_request(wire.body, address_of(wire))


def long_request(wire: WireRequest) -> ChatRequest:
    return request_decode.read_members(wire.body, address_of(wire), BOX)


@settings(max_examples=500, deadline=None)
@given(BODIES, st.sampled_from([(STREAM, b"alt=sse"), (STREAM, b""), (WHOLE, b"")]))
def test_a_request_read_the_short_way_is_the_one_read_the_long_way(body, address):
    wire = WireRequest(method="POST", path=address[0], query=address[1], body=body.encode())
    assert outcome(lambda: GEMINI.decode_request(wire, BOX)) == outcome(lambda: long_request(wire))


@settings(max_examples=500, deadline=None)
@given(BODIES)
def test_what_is_seen_of_a_request_the_short_way_is_seen_the_long_way(body):
    octets = body.encode()
    if (seen := head.read_plain(octets)) is not None:
        names, *rest = head.read_members(WireRequest(method="POST", path=WHOLE, body=octets))
        assert repr((sorted(seen[0]), *seen[1:])) == repr((sorted(names), *rest))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"contents": [{"parts": [{"text": "hi"}]}]},
        {"systemInstruction": {"parts": [{"text": "Be kind."}]}},
        {"systemInstruction": {"role": "user", "parts": [{"text": "Be kind."}]}, "generationConfig": {}},
        {
            "generationConfig": {
                "maxOutputTokens": 1000,
                "temperature": 0.5,
                "topP": 1,
                "stopSequences": ["a"],
            }
        },
        {"contents": [{"role": role, "parts": [{"text": "a"}]} for role in ("user", "model", "user")]},
    ],
)
def test_an_ordinary_request_is_read_the_short_way(members):
    wire = posted(**members)
    assert short_request(wire) == long_request(wire)
    assert head.read_plain(wire.body) is not None


@pytest.mark.parametrize(
    "members",
    [
        {"tools": [{"functionDeclarations": [{"name": "f"}]}]},
        {"system_instruction": {"parts": [{"text": "Be kind."}]}},
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}},
        {"generationConfig": {"max_output_tokens": 7}},
        {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}]},
        {"contents": [{"role": "user", "parts": [{"text": "x" * PLAIN_BYTES_MAX}]}]},
    ],
)
def test_any_other_is_not(members):
    wire = posted(**members)
    assert short_request(wire) is head.read_plain(wire.body) is None


@settings(max_examples=500, deadline=None)
@given(REPLIES)
def test_a_reply_read_the_short_way_is_the_one_read_the_long_way(body):
    octets = body.encode()
    assert outcome(lambda: GEMINI.decode_response(octets, sent())) == outcome(
        lambda: response_decode.read_pieces(octets, sent())
    )
    assert outcome(lambda: GEMINI.read_facts(octets)) == outcome(lambda: meter.read_members(octets))


@settings(max_examples=300, deadline=None)
@given(st.lists(CHUNKS, max_size=8), st.sampled_from([b"\n\n", b"\r\n\r\n"]))
def test_a_stream_of_pieces_that_come_alone_is_the_one_whose_pieces_come_together(chunks, end):
    frames = [b"data: " + chunk.encode() + end for chunk in chunks]
    assert outcome(lambda: events_of(frames)) == outcome(lambda: events_of([b"".join(frames)]))


COUNTED = {"promptTokenCount": 7, "candidatesTokenCount": 1}
PIECE = reply({"text": "a"}, usage=COUNTED)
TWO = {
    **PIECE,
    "candidates": [reply({"text": text}, index=index)["candidates"][0] for index, text in enumerate("bc")],
}


def compact(*chunks: dict) -> bytes:
    """A stream as others than Google write it: its usage looks the same however its chunk was read."""
    return b"".join(b"data: " + encode(chunk) + b"\n\n" for chunk in chunks)


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize(
    "odd",
    [
        compact(reply({"text": "b", "thought": True}, usage=COUNTED)),
        compact(reply({"text": "b", "thoughtSignature": "c2ln"}, usage=COUNTED)),
        compact(reply({"text": "b"}, {"text": "c"}, usage=COUNTED)),
        compact(reply({"text": "b"}, index=1, usage=COUNTED)),
        compact(TWO),
        compact(reply({"text": "b"}, finish="MAX_TOKENS", usage=COUNTED)),
        compact(reply({"text": "b"})),
        compact(reply(usage=COUNTED)),
        compact(reply({"text": "b"}, usage={**COUNTED, "thoughtsTokenCount": 2})),
        compact(reply({"text": "b"}, usage=COUNTED, logprobsResult={"chosenCandidates": [{"token": "b", "logProbability": 0}]})),
        compact(reply({"functionCall": {"name": "f", "args": {}}}, usage=COUNTED)),
        compact(PIECE) + b":",
        compact(PIECE, PIECE),
        b"data: [DONE]\r\n\r\n",
    ],
    ids=str,
)  # fmt: skip
def test_what_comes_between_pieces_is_heard_at_its_place(odd, optional):
    frames = [compact(PIECE), compact(PIECE), compact(PIECE), odd, compact(PIECE), compact(PIECE)]
    context = sent(finish_optional=optional)
    assert events_of(frames, context) == events_of([b"".join(frames)], context)


@pytest.mark.parametrize("name", ["promptTokenCount", "prompt_token_count"])
def test_counts_are_read_in_either_spelling(name):
    usage = {name: 7, "candidatesTokenCount": 1}
    body = json.dumps(reply({"text": "a"}, finish="STOP", usage=usage)).encode()
    assert (plain_reply(body) is not None) is (name == "promptTokenCount")
    counted = Usage(input_tokens=7, output_tokens=1)
    assert GEMINI.decode_response(body, sent()).usage == GEMINI.read_facts(body).usage == counted


def test_what_a_gemini_client_wants_kept_is_not_plain():
    turns = (Turn(role="user", parts=(Text(text="a"),)),)
    for dialect, plain in (("gemini", False), ("openai_responses", True)):
        request = ChatRequest(dialect=dialect, model="m", turns=turns, state=State(store=False))
        assert (plain_body(request, CAPS) is not None) is plain


@settings(max_examples=500, deadline=None)
@given(REQUESTS, DEPLOYMENTS)
def test_a_request_is_written_the_short_way_as_it_is_the_long_way(request, caps):
    assert outcome(lambda: GEMINI.encode_request(request, "up", caps)) == outcome(
        lambda: request_encode.encode_members(request, "up", caps)
    )


@settings(max_examples=500, deadline=None)
@given(RESPONSES)
def test_an_answer_is_written_the_short_way_as_it_is_the_long_way(response):
    assert GEMINI.encode_response(response, asked()) == response_encode.encode_parts(response, asked())
