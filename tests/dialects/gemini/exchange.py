"""What the tests of this dialect share: requests, chunks, and a codec for one account."""

import json
from collections.abc import Iterable

from allgate.core.value import changed
from allgate.dialects.contract import Asked, Sent
from allgate.dialects.gemini import GEMINI
from allgate.dialects.seals import SealBox
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Event
from allgate.operations.chat.parts import Part, Text
from allgate.operations.chat.request import ChatRequest, Reasoning, Turn
from allgate.providers.gemini import GENERATE_CAPS
from allgate.wire.message import WireRequest

CAPS = changed(GENERATE_CAPS, levels=("minimal", "low", "medium", "high"))
BOX = SealBox((b"k" * 32,), "account-1")
USER = Turn(role="user", parts=(Text(text="hi"),))
REQUEST = ChatRequest(dialect="gemini", model="public", turns=(USER,), extra={"gemini": {"alt": "sse"}})
SHOWING = changed(REQUEST, reasoning=Reasoning(show="summary"))
ARRAY = changed(REQUEST, stream=True, extra={"gemini": {"alt": "json"}})

STREAM = "/v1beta/models/m:streamGenerateContent"
WHOLE = "/v1beta/models/m:generateContent"


def posted(path: str = WHOLE, query: bytes = b"", **body) -> WireRequest:
    """A Gemini request with these members; one user content where none are given."""
    full = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **body}
    return WireRequest(method="POST", path=path, query=query, body=json.dumps(full).encode())


def decoded(path: str = WHOLE, query: bytes = b"", **body) -> ChatRequest:
    return GEMINI.decode_request(posted(path, query, **body), BOX)


def model_parts(*parts: dict) -> tuple[Part, ...]:
    """The parts of a model's content, as a request's decoder has them."""
    contents = [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": list(parts)}]
    return decoded(contents=contents).turns[1].parts


def encoded(request: ChatRequest, caps: Caps = CAPS, **narrowed) -> dict:
    """The body that a deployment with these Caps is sent."""
    return json.loads(GEMINI.encode_request(request, "up", changed(caps, **narrowed)).body)


def notes_of(request: ChatRequest, **narrowed) -> set[str]:
    call = GEMINI.encode_request(request, "up", changed(CAPS, **narrowed))
    return {note.path for note in call.notes}


def sent(request: ChatRequest = REQUEST, **narrowed) -> Sent:
    return Sent(request=request, caps=changed(CAPS, **narrowed))


def asked(request: ChatRequest = REQUEST) -> Asked:
    return Asked(request=request, response_id="resp-1", created_s=1_700_000_000, model="public", seals=BOX)


def reply(
    *parts: dict, finish: str | None = None, index: int = 0, usage: dict | None = None, **candidate
) -> dict:
    """One reply, or one chunk of a stream."""
    said: dict = {"content": {"parts": list(parts), "role": "model"}, "index": index, **candidate}
    if finish:
        said["finishReason"] = finish
    body: dict = {"candidates": [said], "modelVersion": "up", "responseId": "r-up"}
    return {**body, "usageMetadata": usage} if usage else body


def sse(*chunks: dict) -> bytes:
    """A stream as Google writes it."""
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)


def events_of(pieces: Iterable[bytes], context: Sent | None = None) -> list[Event]:
    """What the stream decoder makes of these bytes."""
    decoder = GEMINI.stream_decoder(context or sent())
    found = [event for piece in pieces for event in decoder.feed(piece)]
    return [*found, *decoder.close()]


def told(events: Iterable[Event], request: ChatRequest = SHOWING) -> bytes:
    """What the stream encoder makes of these events."""
    encoder = GEMINI.stream_encoder(asked(request))
    return b"".join(encoder.emit(event) for event in events)


def chunks_in(stream: bytes) -> list[dict]:
    """The chunks of a stream of ours; fails on anything but data lines and blank lines."""
    frames = stream.split(b"\n\n")
    assert frames.pop() == b""
    assert all(frame.startswith(b"data: ") and b"\n" not in frame for frame in frames)
    return [json.loads(frame[6:]) for frame in frames]


def parts_in(chunks: Iterable[dict]) -> list[dict]:
    return [part for chunk in chunks for part in chunk["candidates"][0]["content"].get("parts", ())]
