from allgate.core.value import changed
from allgate.dialects.gemini import GEMINI
from allgate.dialects.gemini.request_encode import JSON_HEADERS
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import CAPS, STREAM, WHOLE

BODY = b'{ "contents": [ ],\n "unknown_field" : 1.0 }'


def passed(path: str = WHOLE, query: bytes = b"", body: bytes = BODY, headers=()):
    wire = WireRequest(method="POST", path=path, query=query, body=body, headers=headers)
    return GEMINI.passthrough(wire, GEMINI.read_head(wire), "up", CAPS)


def test_the_body_is_the_clients_own_bytes():
    call = passed()
    assert call.body is BODY
    assert call.path == "/v1beta/models/up:generateContent"
    assert call.notes == ()


def test_a_stream_is_framed_as_the_client_asked():
    assert passed(STREAM, b"alt=sse&key=secret").path == "/v1beta/models/up:streamGenerateContent?alt=sse"
    assert passed(STREAM, b"key=secret").path == "/v1beta/models/up:streamGenerateContent"
    assert passed("/v1beta/models/m:countTokens").path == "/v1beta/models/up:countTokens"


def test_a_model_in_the_body_is_edited_and_nothing_else():
    assert (
        passed(body=b'{"model": "models/m", "contents":[]}').body == b'{"model": "models/up", "contents":[]}'
    )


def test_credentials_do_not_travel():
    headers = (
        (b"x-goog-api-key", b"k"),
        (b"authorization", b"Bearer k"),
        (b"cookie", b"c"),
        (b"x-goog-api-client", b"sdk/1"),
        (b"user-agent", b"u"),
    )
    assert passed(headers=headers).headers == (*JSON_HEADERS, (b"x-goog-api-client", b"sdk/1"))


def test_a_parameter_that_changes_the_shape_of_the_reply_is_dropped_with_a_note():
    call = passed(query=b"%24alt=json%3Benum-encoding%3Dint")
    assert call.path.endswith(":generateContent")
    assert [note.path for note in call.notes] == ["$alt"]
    assert changed(call, notes=()) == passed()
