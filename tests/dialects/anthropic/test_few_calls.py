"""How many Python functions an ordinary exchange runs through: one system text, one question, one answer, no tools.

In a gateway that does many things at once the code of a codec is seldom in the processor's cache, so its cost follows the
number of functions that it touches. The bounds are what the speed goals leave for this dialect, with some room; a walk over
what a request does not hold breaks them at once.
"""

import json
from collections.abc import Callable

import pytest

from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.contract import Head
from allgate.operations.chat.parts import Text
from allgate.wire.message import WireRequest
from dialects.anthropic.exchange import (
    BOX,
    BUDGET,
    FOREIGN,
    REQUEST,
    asked,
    block,
    ended,
    frame,
    message,
    sent,
    started,
)
from dialects.counted import calls_of

HEADERS = (
    (b"host", b"gateway"),
    (b"content-type", b"application/json"),
    (b"anthropic-version", b"2023-06-01"),
)
ORDINARY = WireRequest(
    method="POST",
    path="/v1/messages",
    headers=HEADERS,
    body=json.dumps(
        {
            "model": "m",
            "max_tokens": 1000,
            "system": "You are a helpful assistant.",
            "messages": [{"role": "user", "content": "the quick brown fox " * 60}],
        }
    ).encode(),
)
ASKED_ELSEWHERE = changed(FOREIGN, system=(Text(text="You are a helpful assistant."),))
ANSWER = message("the quick brown fox")
CONTEXT = sent(REQUEST)
DECODED = ANTHROPIC.decode_response(ANSWER, CONTEXT)

STEPS: dict[str, tuple[int, Callable[[], object]]] = {
    "head": (4, lambda: ANTHROPIC.read_head(ORDINARY)),
    "request in": (5, lambda: ANTHROPIC.decode_request(ORDINARY, BOX)),
    "request out": (12, lambda: ANTHROPIC.encode_request(ASKED_ELSEWHERE, "up", BUDGET)),
    "answer in": (6, lambda: ANTHROPIC.decode_response(ANSWER, CONTEXT)),
    "answer out": (8, lambda: ANTHROPIC.encode_response(DECODED, asked(REQUEST))),
    "facts": (5, lambda: ANTHROPIC.read_facts(ANSWER)),
}


@pytest.mark.parametrize("name", STEPS)
def test_an_ordinary_exchange_takes_few_calls(name):
    bound, step = STEPS[name]
    assert calls_of(step) <= bound


def test_a_piece_of_streamed_text_takes_three_calls_in_and_one_out():
    decoder, encoder = ANTHROPIC.stream_decoder(CONTEXT), ANTHROPIC.stream_encoder(asked(REQUEST))
    piece = frame("content_block_delta", index=0, delta={"type": "text_delta", "text": "word"})
    opening = started() + block(0, "a").removesuffix(frame("content_block_stop", index=0))
    told = [encoder.emit(event) for event in decoder.feed(opening)]
    assert any(b"content_block_start" in one for one in told)
    assert calls_of(lambda: decoder.feed(piece)) <= 3
    (delta,) = decoder.feed(piece)
    assert calls_of(lambda: encoder.emit(delta)) <= 1
    assert [type(event).__name__ for event in decoder.feed(ended())][-1] == "Ended"


def test_a_piece_that_passes_through_takes_two_calls():
    meter = ANTHROPIC.meter(Head(model="m", stream=True), BUDGET)
    meter.feed(started())
    piece = frame("content_block_delta", index=0, delta={"type": "text_delta", "text": "word"})
    assert calls_of(lambda: meter.feed(piece)) <= 2
