"""How many Python functions an ordinary exchange runs through: instructions, one question, one answer, no tools.

The bounds are what the speed goals leave for this dialect, with some room; a walk over what a request does not hold breaks
them at once.
"""

from collections.abc import Callable
from json import dumps

import pytest

from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.dialects.openai_responses.wish import read_wish
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import Sampling
from dialects.counted import calls_of
from dialects.openai_responses.exchange import (
    BOX,
    CREATED,
    FOREIGN,
    PLAIN,
    asked,
    frame,
    message,
    posted,
    response,
    sent,
)

USAGE = {
    "input_tokens": 200, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 300,
}  # fmt: skip
QUESTION = {"role": "user", "content": [{"type": "input_text", "text": "Who are you?"}]}
ORDINARY = posted(instructions="Help.", input=[QUESTION], max_output_tokens=1000, store=False)
ASKED_ELSEWHERE = changed(FOREIGN, system=(Text(text="Help."),), sampling=Sampling(max_tokens=1000))
ANSWER = dumps(response(message("the quick brown fox"), usage=USAGE)).encode()
DECODED = OPENAI_RESPONSES.decode_response(ANSWER, sent())
PIECE = frame("response.output_text.delta", item_id="msg_1", output_index=0, content_index=0, delta=" word")

STEPS: dict[str, tuple[int, Callable[[], object]]] = {
    "head": (5, lambda: OPENAI_RESPONSES.read_head(ORDINARY)),
    "wish": (2, lambda: read_wish(ORDINARY)),
    "request in": (4, lambda: OPENAI_RESPONSES.decode_request(ORDINARY, BOX)),
    "request out": (10, lambda: OPENAI_RESPONSES.encode_request(ASKED_ELSEWHERE, "up", PLAIN)),
    "answer in": (5, lambda: OPENAI_RESPONSES.decode_response(ANSWER, sent(FOREIGN, PLAIN))),
    "answer out": (10, lambda: OPENAI_RESPONSES.encode_response(DECODED, asked())),
    "facts": (4, lambda: OPENAI_RESPONSES.read_facts(ANSWER)),
}


@pytest.mark.parametrize("name", STEPS)
def test_an_ordinary_exchange_takes_few_calls(name: str) -> None:
    bound, step = STEPS[name]
    assert calls_of(step) <= bound


def test_a_piece_of_streamed_text_takes_two_calls_in_and_two_out() -> None:
    decoder, encoder = OPENAI_RESPONSES.stream_decoder(sent()), OPENAI_RESPONSES.stream_encoder(asked())
    for event in decoder.feed(CREATED + PIECE):
        encoder.emit(event)
    assert calls_of(lambda: decoder.feed(PIECE)) <= 2
    (delta,) = decoder.feed(PIECE)
    assert calls_of(lambda: encoder.emit(delta)) <= 2


def test_a_piece_that_passes_through_takes_two_calls() -> None:
    meter = OPENAI_RESPONSES.meter(Head(model="m", stream=True), PLAIN)
    meter.feed(CREATED + PIECE)
    assert calls_of(lambda: meter.feed(PIECE)) <= 2
    assert meter.facts().text.startswith(" word word")
