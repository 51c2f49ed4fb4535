"""How many Python functions an ordinary exchange runs through: one system text, one question, one answer, no tools.

The bounds are what the speed goals leave for this dialect, with some room; a walk over what a request does not hold breaks
them at once. The answer is written as OpenAI writes it, with the members that say nothing.
"""

from collections.abc import Callable

import pytest

from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import Sampling
from dialects.counted import calls_of
from dialects.openai_chat.exchange import BOX, REQUEST, asked, chunk, completion, posted, sent

ORDINARY = posted(
    messages=[
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "the quick brown fox " * 60},
    ],
    max_tokens=1000,
)
ASKED_ELSEWHERE = changed(
    REQUEST, dialect="gemini", system=(Text(text="Help."),), sampling=Sampling(max_tokens=1000)
)
ANSWER = completion(
    {"role": "assistant", "content": "the quick brown fox", "refusal": None, "annotations": []},
    logprobs=None,
    usage={
        "prompt_tokens": 19,
        "completion_tokens": 21,
        "total_tokens": 40,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    },
    service_tier="default",
    system_fingerprint="fp",
)
DECODED = OPENAI_CHAT.decode_response(ANSWER, sent())
PIECE = chunk({"content": " word"})

STEPS: dict[str, tuple[int, Callable[[], object]]] = {
    "head": (3, lambda: OPENAI_CHAT.read_head(ORDINARY)),
    "request in": (6, lambda: OPENAI_CHAT.decode_request(ORDINARY, BOX)),
    "request out": (12, lambda: OPENAI_CHAT.encode_request(ASKED_ELSEWHERE, "up", CAPS_DEFAULT)),
    "answer in": (13, lambda: OPENAI_CHAT.decode_response(ANSWER, sent())),
    "answer out": (12, lambda: OPENAI_CHAT.encode_response(DECODED, asked())),
    "facts": (8, lambda: OPENAI_CHAT.read_facts(ANSWER)),
}


@pytest.mark.parametrize("name", STEPS)
def test_an_ordinary_exchange_takes_few_calls(name):
    bound, step = STEPS[name]
    assert calls_of(step) <= bound


def test_a_piece_that_passes_through_takes_two_calls():
    meter = OPENAI_CHAT.meter(Head(model="m", stream=True), CAPS_DEFAULT)
    meter.feed(PIECE)
    assert calls_of(lambda: meter.feed(PIECE)) <= 3  # with the lambda
    assert meter.facts().text == " word" * 3
