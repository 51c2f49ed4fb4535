"""What the tests of this dialect share: requests, frames, deployments, and a codec for one account."""

import json
from collections.abc import Iterable

import pytest

from allgate.core.errors import ErrorKind, WireError
from allgate.core.value import changed
from allgate.dialects.contract import Asked, Sent, UpstreamCall
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.dialects.seals import SealBox
from allgate.operations.chat.caps import CAPS_DEFAULT, Caps
from allgate.operations.chat.events import Event
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Part, Text
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.operations.chat.tools import Function
from allgate.wire.message import WireRequest

BOX = SealBox((b"k" * 32,), "account-1")
USER = Turn(role="user", parts=(Text(text="hi"),))
REQUEST = ChatRequest(dialect="openai_responses", model="public", turns=(USER,))
FOREIGN = changed(REQUEST, dialect="anthropic")

ADD = Function(
    name="add", schema={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
)

HOSTED = (
    "web_search", "web_fetch", "code_execution", "file_search", "image_generation", "mcp", "computer", "shell",
    "tool_search", "other",
)  # fmt: skip
VENDOR = changed(  # OpenAI itself
    CAPS_DEFAULT,
    custom_tools=True,
    namespaces=True,
    tool_images=True,
    hosted=HOSTED,
    system_role="developer",
    efforts=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    seal_origin="openai",
    seal_scope="openai/org",
    cache="explicit",
    verbosity=True,
    service_tiers=("auto", "default", "flex", "priority"),
    store=True,
    document_url=True,
    audio_mimes=("audio/wav", "audio/mpeg"),
)
PLAIN = CAPS_DEFAULT  # a compatible server that knows functions only


def posted(headers: dict[str, str] | None = None, **body) -> WireRequest:
    """A request with these members; a model and one message where none are given."""
    full = {"model": "m", "input": "hi", **body}
    fields = tuple((name.encode(), value.encode()) for name, value in (headers or {}).items())
    return WireRequest(method="POST", path="/v1/responses", headers=fields, body=json.dumps(full).encode())


def decoded(headers: dict[str, str] | None = None, **body) -> ChatRequest:
    return OPENAI_RESPONSES.decode_request(posted(headers, **body), BOX)


def call(request: ChatRequest, caps: Caps = VENDOR, **narrowed) -> UpstreamCall:
    return OPENAI_RESPONSES.encode_request(request, "up", changed(caps, **narrowed))


def encoded(request: ChatRequest, caps: Caps = VENDOR, **narrowed) -> dict:
    """The body that a deployment with these Caps is sent."""
    return json.loads(call(request, caps, **narrowed).body)


def note_paths(request: ChatRequest, caps: Caps = VENDOR, **narrowed) -> set[str]:
    return {note.path for note in call(request, caps, **narrowed).notes}


def sent(request: ChatRequest = REQUEST, caps: Caps = VENDOR, **narrowed) -> Sent:
    return Sent(request=request, caps=changed(caps, **narrowed))


def asked(request: ChatRequest = REQUEST) -> Asked:
    return Asked(request=request, response_id="resp_1", created_s=1_700_000_000, model="public", seals=BOX)


def frame(event: str, **members) -> bytes:
    """One frame of a provider's stream."""
    return f"event: {event}\ndata: {json.dumps({'type': event, **members})}\n\n".encode()


CREATED = frame(
    "response.created", response={"id": "resp_up", "model": "up", "created_at": 7, "status": "in_progress"}
)


def response(*output: dict, **members) -> dict:
    """A provider's whole response object."""
    body = {"id": "resp_up", "object": "response", "created_at": 7, "model": "up", "status": "completed"}
    return {**body, "output": list(output), **members}


def completed(*output: dict, **members) -> bytes:
    """The terminal frame of a provider's stream."""
    return frame("response.completed", response=response(*output, **members))


def message(text: str, item_id: str = "msg_1", **members) -> dict:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {
        "id": item_id,
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": content,
        **members,
    }


def function_call(name: str = "add", arguments: str = "{}", call_id: str = "call_1", **members) -> dict:
    return {
        "id": f"fc_{call_id}", "type": "function_call", "status": "completed", "call_id": call_id, "name": name,
        "arguments": arguments, **members,
    }  # fmt: skip


def events_of(pieces: Iterable[bytes], context: Sent | None = None) -> list[Event]:
    """What the stream decoder makes of these bytes."""
    decoder = OPENAI_RESPONSES.stream_decoder(context or sent())
    found = [event for piece in pieces for event in decoder.feed(piece)]
    return [*found, *decoder.close()]


def folded(*pieces: bytes, context: Sent | None = None) -> ChatResponse:
    return fold(events_of(pieces, context))


def told(events: Iterable[Event], request: ChatRequest = REQUEST) -> bytes:
    """What the stream encoder makes of these events."""
    encoder = OPENAI_RESPONSES.stream_encoder(asked(request))
    return b"".join(encoder.emit(event) for event in events)


def frames_in(stream: bytes) -> list[dict]:
    """The data of each frame; the event name must be the type."""
    found = []
    for block in stream.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        body = json.loads(data.removeprefix("data: "))
        assert name == f"event: {body['type']}"
        found.append(body)
    return found


def answer(*parts: Part, finish: str = "stop", **members) -> ChatResponse:
    choice = Choice(index=0, parts=parts, finish=Finish(reason=finish))
    return ChatResponse(id="up", model="up", choices=(choice,), **members)


def body_of(given: ChatResponse, request: ChatRequest = REQUEST) -> dict:
    """The whole body that a client is sent."""
    body, _ = OPENAI_RESPONSES.encode_response(given, asked(request))
    return json.loads(body)


def foreign(*turns: Turn, **fields) -> ChatRequest:
    """A request that came in another dialect."""
    return changed(FOREIGN, turns=turns or (USER,), **fields)


def refused(request: ChatRequest, caps: Caps = VENDOR, **narrowed) -> str:
    """The member by which a request is refused that this deployment cannot serve."""
    with pytest.raises(WireError) as caught:
        call(request, caps, **narrowed)
    assert caught.value.failure.kind is ErrorKind.UNSUPPORTED
    return caught.value.failure.param
