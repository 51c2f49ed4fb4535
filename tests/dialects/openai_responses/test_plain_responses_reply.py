"""A plain answer is read by type as it is read at length; any other is left to the long way."""

import json

import pytest
from hypothesis import given

from allgate.core.value import changed
from allgate.dialects.openai_responses.plain_reply import PLAIN_BYTES_MAX, plain_response
from allgate.dialects.openai_responses.response_decode import decode_any_response
from allgate.operations.chat.request import Sampling
from allgate.operations.chat.tools import Function
from dialects.openai_responses.exchange import FOREIGN, REQUEST, message, response, sent
from dialects.openai_responses.near_plain import exact, near, outcome, recorded

USAGE = {
    "input_tokens": 200, "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0}, "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 300,
}  # fmt: skip
WHOLE = response(
    message("A dog.", phase="final_answer"),
    usage=USAGE, background=False, billing={"payer": "developer"}, completed_at=9, error=None, frequency_penalty=0.0,
    incomplete_details=None, instructions="Be kind.", max_output_tokens=1000, max_tool_calls=None, metadata={"a": "b"},
    moderation=None, parallel_tool_calls=True, presence_penalty=0.0, previous_response_id=None, prompt_cache_key=None,
    prompt_cache_retention="24h", reasoning={"context": None, "effort": "none", "mode": "standard", "summary": None},
    safety_identifier=None, service_tier="default", store=True, temperature=1.0,
    text={"format": {"type": "text"}, "verbosity": "medium"}, tool_choice="auto", tools=[], top_logprobs=0, top_p=0.98,
    tool_usage={
        "image_gen": {"input_tokens": 0, "input_tokens_details": {"image_tokens": 0}},
        "web_search": {"num_requests": 0},
    },
    truncation="disabled", user=None,
)  # fmt: skip
LITTLE = response(message("A dog."), usage=USAGE)
LESS = response(
    message("Un chien \u00e9\U0001f600", item_id=""),
    usage={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
)
ABROAD = sent(FOREIGN)


@given(near([WHOLE, LITTLE, LESS]))
def test_what_is_read_by_type_is_what_is_read_at_length(body):
    short = plain_response(body, ABROAD)
    assert short is None or exact(short) == outcome(decode_any_response, body, ABROAD)


@pytest.mark.parametrize("answer", [WHOLE, LITTLE, LESS], ids=["whole", "little", "less"])
def test_the_ordinary_answers_are_read_by_type(answer):
    body = json.dumps(answer).encode()
    short = plain_response(body, ABROAD)
    assert short is not None
    assert exact(short) == exact(decode_any_response(body, ABROAD))


@pytest.mark.parametrize(
    "beside",
    [
        {"status": "incomplete"},
        {"incomplete_details": {"reason": "max_output_tokens"}},
        {"error": {"message": "no"}},
        {"output": []},
        {"output": [message("a"), message("b")]},
        {"usage": None},
        {"usage": {}},
        {"usage": {**USAGE, "output_tokens_details": {"reasoning_tokens": 7}, "total_tokens": 307}},
        {"service_tier": "flex"},
        {"tools": [{"type": "web_search"}]},
        {"instructions": "a" * PLAIN_BYTES_MAX},
        {"anything": None},
    ],
    ids=lambda beside: str(beside)[:60],
)
def test_what_is_not_plain_is_left_to_the_long_way(beside):
    assert plain_response(json.dumps(WHOLE | beside).encode(), ABROAD) is None


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        changed(FOREIGN, tools=(Function(name="f"),)),
        changed(FOREIGN, sampling=Sampling(stop=("a",))),
    ],
    ids=["of this dialect", "tools", "stop"],
)
def test_what_is_asked_may_forbid_it(request_):
    assert plain_response(json.dumps(WHOLE).encode(), sent(request_)) is None


def test_every_recorded_answer_is_read_the_same(recordings):
    taken = 0
    for body in recorded(recordings, "response"):
        short = plain_response(body, ABROAD)
        assert short is None or exact(short) == outcome(decode_any_response, body, ABROAD)
        taken += short is not None
    assert taken == 8
