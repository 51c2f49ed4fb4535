import json

from allgate.core.errors import ErrorKind, Failure
from allgate.dialects.contract import ChatDialect
from allgate.dialects.gemini import GEMINI
from dialects.gemini.exchange import ARRAY, STREAM, asked, posted


def test_it_is_a_chat_dialect():
    dialect: ChatDialect = GEMINI
    assert dialect.name == "gemini"
    assert dialect.stream_content_type == b"text/event-stream"


def test_a_request_chooses_the_framing_of_its_stream():
    assert GEMINI.for_request(posted(STREAM, b"alt=sse")) is GEMINI
    array = GEMINI.for_request(posted(STREAM))
    assert (array.name, array.stream_content_type) == ("gemini", b"application/json")
    assert array.for_request(posted(STREAM, b"alt=sse")) is GEMINI
    assert GEMINI.stream_encoder(asked(ARRAY)).content_type == b"application/json"


def test_an_error_continues_and_ends_an_array():
    array = GEMINI.for_request(posted(STREAM))
    ending = array.encode_stream_error(Failure(kind=ErrorKind.INTERNAL, message="m"), "req")
    assert json.loads(b'[{"text":"a"}\n' + ending)[1]["error"]["message"] == "m"
