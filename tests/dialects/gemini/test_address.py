import pytest

from allgate.core.errors import ErrorKind, WireError
from allgate.dialects.gemini.address import address_of, wants_array
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import STREAM, decoded


def at(path: str, query: bytes = b""):
    return address_of(WireRequest(method="POST", path=path, query=query))


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1beta/models/gemini-3-flash:generateContent", "gemini-3-flash"),
        ("/v1/models/gemini-3-flash:generateContent", "gemini-3-flash"),
        ("/v1beta/v1beta/models/m:generateContent", "m"),
        ("/v1beta/v1/models/m:generateContent", "m"),
        ("/v1/v1/models/m:generateContent", "m"),
        ("/models/m:generateContent", "m"),
        ("/v1beta1/publishers/google/models/m:generateContent", "m"),
        ("/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent", "m"),
        ("/v1beta/models/models/m:generateContent", "m"),
        ("/v1beta/models/meta/llama:free:generateContent", "meta/llama:free"),
        ("/v1beta/tunedModels/mine:generateContent", "tunedModels/mine"),
    ],
)
def test_the_model_is_found_behind_every_habit_of_clients(path, model):
    assert at(path).model == model


def test_the_verb_begins_at_the_last_colon():
    assert at("/v1beta/models/a:b:streamGenerateContent").stream
    assert not at("/v1beta/models/streamGenerateContent:generateContent").stream


@pytest.mark.parametrize(
    "path", ["/v1beta/models/m", "/v1beta/models/m:explode", "/v1beta/models/:generateContent", "/"]
)
def test_a_path_without_model_or_verb_is_not_found(path):
    with pytest.raises(WireError) as caught:
        at(path)
    assert caught.value.failure.kind is ErrorKind.NOT_FOUND


def test_a_stream_is_framed_as_events_only_with_alt_sse():
    assert at(STREAM, b"alt=sse").alt == "sse"
    assert at(STREAM, b"key=k&alt=sse&x=1").alt == "sse"
    for query in (b"", b"alt=json", b"alt=sse&alt=json", b"key=alt=sse", b"salt=sse"):
        assert at(STREAM, query).alt == "json"


def test_the_framing_is_kept_with_the_request():
    assert wants_array(decoded(STREAM, b""))
    assert not wants_array(decoded(STREAM, b"alt=sse"))
    assert not wants_array(decoded(STREAM, b"alt=sse", alt="json"))
