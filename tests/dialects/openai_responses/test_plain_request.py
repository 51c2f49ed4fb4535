"""A plain request is read by type as it is read at length; any other is left to the long way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.openai_responses.plain_request import PLAIN_BYTES_MAX, plain_request
from allgate.dialects.openai_responses.request_decode import decode_any_request
from allgate.wire.message import WireRequest
from dialects.openai_responses.exchange import BOX, posted
from dialects.openai_responses.near_plain import exact, near, outcome, recorded

QUESTION = {"role": "user", "content": "Who are you?"}
TYPED = {"role": "user", "content": [{"type": "input_text", "text": "Who \u00e9\U0001f600?"}]}
ANSWER = {"type": "message", "role": "assistant", "content": "A dog."}
PLAIN = (
    {"input": "hi"},
    {"input": "hi", "instructions": "Be kind.", "max_output_tokens": 5, "temperature": 1, "top_p": 0.5},
    {"input": "hi", "store": False, "stream": True},
    {"input": "hi", "store": True, "stream": False, "temperature": None, "instructions": None},
    {"input": [QUESTION]},
    {"input": [TYPED]},
    {"input": [{"type": "message", **QUESTION}]},
    {"input": [{"role": "developer", "content": "Be kind."}, TYPED]},
    {"input": [{"role": "system", "content": "Be kind."}, QUESTION], "instructions": "Be brief."},
    {"input": [QUESTION, ANSWER, TYPED, {"role": "assistant", "content": "A cat."}]},
)
HEADERS = st.dictionaries(
    st.sampled_from(["user-agent", "originator", "openai-beta", "accept"]),
    st.sampled_from(["Codex/1", "codex_cli", "OpenAI/Python", ""]),
    max_size=2,
)


def wire(body: bytes, headers: dict[str, str] | None = None) -> WireRequest:
    fields = tuple((name.encode(), value.encode()) for name, value in (headers or {}).items())
    return WireRequest(method="POST", path="/v1/responses", headers=fields, body=body)


@given(near([{"model": "m", **said} for said in PLAIN]), HEADERS)
def test_what_is_read_by_type_is_what_is_read_at_length(body, headers):
    request = wire(body, headers)
    short = plain_request(request)
    assert short is None or exact(short) == outcome(decode_any_request, request, BOX)


@pytest.mark.parametrize("said", PLAIN, ids=str)
def test_the_spellings_of_a_plain_request_are_read_by_type(said):
    request = posted({"user-agent": "OpenAI/Python 2"}, **said)
    short = plain_request(request)
    assert short is not None
    assert exact(short) == exact(decode_any_request(request, BOX))


@pytest.mark.parametrize(
    "said",
    [
        {"tools": []},
        {"reasoning": {"effort": "low"}},
        {"previous_response_id": "resp_1"},
        {"model": ""},
        {"input": ""},
        {"input": []},
        {"input": None},
        {"input": [{"role": "system", "content": "Be kind."}]},
        {"input": [QUESTION, {"role": "system", "content": "Be kind."}]},
        {"input": [{**QUESTION, "id": "msg_1"}]},
        {"input": [{**QUESTION, "type": None}]},
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}] * 2}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://a.b/c"}]}]},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": "a"}]},
        {"input": "a" * PLAIN_BYTES_MAX},
    ],
    ids=lambda said: str(said)[:60],
)
def test_what_is_not_plain_is_left_to_the_long_way(said):
    assert plain_request(posted(**said)) is None


@pytest.mark.parametrize(
    "fields", [{"originator": "codex_cli"}, {"user-agent": "Codex/1"}, {"openai-beta": "a=v1"}]
)
def test_a_header_field_that_means_something_is_left_to_the_long_way(fields):
    assert plain_request(posted(fields)) is None


def test_every_recorded_request_is_read_the_same(recordings):
    taken = 0
    for body in recorded(recordings, "request"):
        short = plain_request(wire(body))
        assert short is None or exact(short) == outcome(decode_any_request, wire(body), BOX)
        taken += short is not None
    assert taken == 11
