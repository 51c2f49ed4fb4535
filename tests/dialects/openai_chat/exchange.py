"""What the tests of this dialect share: requests, chunks, and a codec for one account."""

import json
from collections.abc import Iterable

import pytest

from allgate.core.errors import ErrorKind, WireError
from allgate.core.value import changed
from allgate.dialects.contract import Asked, Sent
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.dialects.seals import SealBox
from allgate.operations.chat.caps import CAPS_DEFAULT, Caps
from allgate.operations.chat.events import Event
from allgate.operations.chat.parts import Part, Text, ToolResult
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.wire.message import WireRequest

BOX = SealBox((b"k" * 32,), "account-1")
USER = Turn(role="user", parts=(Text(text="hi"),))
REQUEST = ChatRequest(dialect="openai_chat", model="public", turns=(USER,))


def posted(**body) -> WireRequest:
    """A chat request with these members; a model and one message where none are given."""
    full = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **body}
    return WireRequest(method="POST", path="/v1/chat/completions", body=json.dumps(full).encode())


def decoded(**body) -> ChatRequest:
    return OPENAI_CHAT.decode_request(posted(**body), BOX)


def encoded(request: ChatRequest, caps: Caps = CAPS_DEFAULT, **narrowed) -> dict:
    """The body that a deployment with these Caps is sent."""
    return json.loads(OPENAI_CHAT.encode_request(request, "up", changed(caps, **narrowed)).body)


def note_paths(request: ChatRequest, **narrowed) -> set[str]:
    call = OPENAI_CHAT.encode_request(request, "up", changed(CAPS_DEFAULT, **narrowed))
    return {note.path for note in call.notes}


def sent(request: ChatRequest = REQUEST, **narrowed) -> Sent:
    return Sent(request=request, caps=changed(CAPS_DEFAULT, **narrowed))


def asked(request: ChatRequest = REQUEST) -> Asked:
    return Asked(
        request=request, response_id="chatcmpl-1", created_s=1_700_000_000, model="public", seals=BOX
    )


def chunk(delta: dict | None = None, finish: str | None = None, index: int = 0, **members) -> bytes:
    """One frame of a provider's stream."""
    choices = [] if delta is None else [{"index": index, "delta": delta, "finish_reason": finish}]
    body = {
        "id": "chatcmpl-up",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "up",
        "choices": choices,
    }
    return b"data: " + json.dumps({**body, **members}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def completion(message: dict, finish: str = "stop", **members) -> bytes:
    """A provider's whole reply."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    body = {
        "id": "chatcmpl-up",
        "object": "chat.completion",
        "created": 7,
        "model": "up",
        "choices": [choice],
    }
    return json.dumps({**body, **members}).encode()


def events_of(pieces: Iterable[bytes], context: Sent | None = None) -> list[Event]:
    """What the stream decoder makes of these bytes."""
    decoder = OPENAI_CHAT.stream_decoder(context or sent())
    found = [event for piece in pieces for event in decoder.feed(piece)]
    return [*found, *decoder.close()]


def told(events: Iterable[Event], request: ChatRequest = REQUEST) -> bytes:
    """What the stream encoder makes of these events."""
    encoder = OPENAI_CHAT.stream_encoder(asked(request))
    return b"".join(encoder.emit(event) for event in events)


def assistant(*parts: Part) -> Turn:
    return Turn(role="assistant", parts=parts)


MORE_THAN_TEXT = {
    "reasoning_content": "hm",
    "reasoning": "hm",
    "thinking": "hm",
    "reasoning_details": [{"type": "reasoning.text", "text": "hm"}],
    "refusal": "no",
    "tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}],
    "function_call": {"name": "f", "arguments": "{}"},
    "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.b/c"}}],
    "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
    "audio": {"id": "a", "data": "AAAA"},
}
"""Each member that a message, whole or in pieces, may have beside its text."""

RESULT = ToolResult(call_id="c1", name="f", parts=(Text(text="ok"),))
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def asking(*turns: Turn, **members) -> ChatRequest:
    return changed(REQUEST, dialect="anthropic", turns=turns or (USER,), **members)


def tool_turn(*results: ToolResult) -> Turn:
    return Turn(role="tool", parts=results)


def messages(*turns: Turn, **narrowed) -> list[dict]:
    return encoded(asking(*turns), **narrowed)["messages"]


def unsupported_param(request: ChatRequest, **narrowed) -> str | None:
    with pytest.raises(WireError) as caught:
        encoded(request, **narrowed)
    assert caught.value.failure.kind is ErrorKind.UNSUPPORTED
    return caught.value.failure.param
