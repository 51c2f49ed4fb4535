import json

import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.gemini.count import decode_count, encode_count, encode_count_request
from allgate.operations.chat.parts import Text
from dialects.gemini.exchange import CAPS, REQUEST


def test_a_provider_counts_the_whole_request():
    call = encode_count_request(changed(REQUEST, system=(Text(text="s"),)), "up", CAPS)
    assert call.path == "/v1beta/models/up:countTokens"
    inner = json.loads(call.body)["generateContentRequest"]
    assert (inner["model"], inner["systemInstruction"]) == ("models/up", {"parts": [{"text": "s"}]})


def test_the_count_goes_there_and_back():
    assert decode_count(encode_count(31)) == 31
    with pytest.raises(WireError):
        decode_count(b"{}")
