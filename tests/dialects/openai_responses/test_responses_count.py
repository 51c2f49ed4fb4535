import json

import pytest

from allgate.core.errors import WireError
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.openai_responses.count import counting, decode_count, encode_count


def test_the_counter_is_asked_about_what_decides_the_input():
    body = {"model": "m", "input": "hi", "instructions": "s", "tools": [], "stream": True, "store": False}
    call = counting(UpstreamCall(path="/responses", body=json.dumps(body).encode()), "m")
    assert call.path == "/responses/input_tokens"
    assert json.loads(call.body).keys() == {"model", "input", "instructions", "tools"}


def test_a_count_is_read_and_written():
    assert decode_count(encode_count(42)) == 42


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"input_tokens":"1"}', b'{"input_tokens":-1}', b"x"])
def test_a_reply_without_a_count_is_an_error(body):
    with pytest.raises(WireError):
        decode_count(body)
