import json

import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.gemini import GEMINI
from allgate.dialects.gemini.count import countable, counting, decode_count, encode_count
from allgate.operations.chat.parts import Text
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import CAPS, REQUEST


def test_a_provider_counts_the_whole_request():
    call = counting(GEMINI.encode_request(changed(REQUEST, system=(Text(text="s"),)), "up", CAPS), "up")
    assert call.path == "/v1beta/models/up:countTokens"
    inner = json.loads(call.body)["generateContentRequest"]
    assert (inner["model"], inner["systemInstruction"]) == ("models/up", {"parts": [{"text": "s"}]})


@pytest.mark.parametrize("name", ["generateContentRequest", "generate_content_request"])
def test_a_wrapped_request_is_counted_as_what_it_wraps(name):
    inner = {"model": "models/x", "contents": [{"parts": [{"text": "a"}]}]}
    wrapped = WireRequest(
        method="POST", path="/v1/models/x:countTokens", body=json.dumps({name: inner}).encode()
    )
    assert json.loads(countable(wrapped).body) == inner


def test_the_count_goes_there_and_back():
    assert decode_count(encode_count(31)) == 31
    with pytest.raises(WireError):
        decode_count(b"{}")
