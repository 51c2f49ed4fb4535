import json

import pytest

from allgate.core.errors import WireError
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.anthropic.count import countable, counting, decode_count, encode_count
from allgate.wire.message import WireRequest
from dialects.anthropic.exchange import BUDGET, decoded


def test_the_counter_is_asked_about_what_decides_the_input():
    request = decoded(
        system="s", tools=[{"name": "f"}], stream=True, temperature=0.5, metadata={"user_id": "u"},
        thinking={"type": "enabled", "budget_tokens": 2048},
    )  # fmt: skip
    call = counting(ANTHROPIC.encode_request(request, "up", BUDGET), "up")
    assert call.path == "/v1/messages/count_tokens"
    assert json.loads(call.body).keys() == {"model", "messages", "system", "tools", "thinking"}


def test_a_count_is_read_and_written():
    assert decode_count(encode_count(42)) == 42


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"input_tokens":"1"}', b"x"])
def test_a_reply_without_a_count_is_an_error(body):
    with pytest.raises(WireError):
        decode_count(body)


def test_a_count_needs_no_output_bound():
    asked = WireRequest(method="POST", path="/v1/messages/count_tokens", body=b'{"model":"m","messages":[]}')
    assert json.loads(countable(asked).body)["max_tokens"] == 1
    bounded = WireRequest(method="POST", path="/v1/messages/count_tokens", body=b'{"max_tokens":5}')
    assert countable(bounded) is bounded
