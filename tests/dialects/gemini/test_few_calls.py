"""How many Python functions an ordinary exchange runs through: one system text, one question, one answer, no tools.

The bounds are what the speed goals leave for this dialect, with some room; a walk over what a request does not hold breaks
them at once.
"""

from collections.abc import Callable
from json import dumps

import pytest

from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import Sampling
from dialects.counted import calls_of
from dialects.gemini.exchange import BOX, CAPS, REQUEST, asked, posted, reply, sent, sse

USAGE = {"promptTokenCount": 200, "candidatesTokenCount": 100, "totalTokenCount": 300}
ORDINARY = posted(
    systemInstruction={"parts": [{"text": "You are a helpful assistant."}]},
    generationConfig={"maxOutputTokens": 1000},
)
ASKED_ELSEWHERE = changed(
    REQUEST, dialect="openai_chat", extra={}, system=(Text(text="Help."),), sampling=Sampling(max_tokens=1000)
)
ANSWER = dumps(reply({"text": "the quick brown fox"}, finish="STOP", usage=USAGE)).encode()
DECODED = GEMINI.decode_response(ANSWER, sent())
PIECE = sse(reply({"text": " word"}, usage=USAGE))

STEPS: dict[str, tuple[int, Callable[[], object]]] = {
    "head": (5, lambda: GEMINI.read_head(ORDINARY)),
    "request in": (5, lambda: GEMINI.decode_request(ORDINARY, BOX)),
    "request out": (9, lambda: GEMINI.encode_request(ASKED_ELSEWHERE, "up", CAPS)),
    "answer in": (8, lambda: GEMINI.decode_response(ANSWER, sent())),
    "answer out": (8, lambda: GEMINI.encode_response(DECODED, asked())),
    "facts": (7, lambda: GEMINI.read_facts(ANSWER)),
}


@pytest.mark.parametrize("name", STEPS)
def test_an_ordinary_exchange_takes_few_calls(name):
    bound, step = STEPS[name]
    assert calls_of(step) <= bound


def test_a_piece_of_streamed_text_takes_three_calls_in_and_one_out():
    decoder, encoder = GEMINI.stream_decoder(sent()), GEMINI.stream_encoder(asked())
    for event in decoder.feed(PIECE):
        encoder.emit(event)
    decoder.feed(PIECE)
    assert calls_of(lambda: decoder.feed(PIECE)) <= 3
    (delta,) = decoder.feed(PIECE)
    assert calls_of(lambda: encoder.emit(delta)) <= 1


def test_a_piece_that_passes_through_takes_three_calls():
    meter = GEMINI.meter(Head(model="m", stream=True), CAPS)
    meter.feed(PIECE)
    assert calls_of(lambda: meter.feed(PIECE)) <= 3
    assert meter.facts().text == " word" * 3
