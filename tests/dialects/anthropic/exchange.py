"""What the tests of this dialect share: requests, frames, and a codec for one account."""

import json
from collections.abc import Iterable

from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.contract import Asked, Sent
from allgate.dialects.seals import SealBox
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Event
from allgate.operations.chat.parts import Part, Seal, Text, ToolResult
from allgate.operations.chat.request import ChatRequest, Reasoning, Turn
from allgate.wire.message import WireRequest

BOX = SealBox((b"k" * 32,), "account-1")
USER = Turn(role="user", parts=(Text(text="hi"),))
REQUEST = ChatRequest(dialect="anthropic", model="public", turns=(USER,))
THINKING = changed(REQUEST, reasoning=Reasoning(mode="on"))
FOREIGN = changed(REQUEST, dialect="openai_chat")

# A current model of the vendor that thinks within a budget, and one that decides itself.
BUDGET = Caps(
    thinking="budget",
    efforts=(),
    budget_max=64_000,
    seal_origin="anthropic",
    temperature_max=1.0,
    temperature_and_top_p=False,
    top_k=True,
    n_max=1,
    stop_max=1_000,
    output_max=64_000,
    output_default=32_000,
    mid_system=True,
    prefill=True,
    tool_images=True,
    tool_name_characters_max=128,
    hosted=("web_search", "web_fetch", "code_execution", "mcp", "tool_search"),
    document_url=True,
    cache="explicit",
    service_tiers=("auto", "standard_only"),
)
ADAPTIVE = changed(
    BUDGET, thinking="adaptive", efforts=("low", "medium", "high", "xhigh", "max"), output_max=None
)


def posted(headers: tuple[tuple[bytes, bytes], ...] = (), **body) -> WireRequest:
    """A Messages request with these members; a model, a bound and one message where none are given."""
    full = {"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": "hi"}], **body}
    return WireRequest(
        method="POST", path="/v1/messages", headers=headers, body=json.dumps(full, allow_nan=False).encode()
    )


def decoded(headers: tuple[tuple[bytes, bytes], ...] = (), **body) -> ChatRequest:
    return ANTHROPIC.decode_request(posted(headers, **body), BOX)


def user(*blocks: dict | str) -> dict:
    return {"role": "user", "content": [_block(block) for block in blocks]}


def assistant(*blocks: dict | str) -> dict:
    return {"role": "assistant", "content": [_block(block) for block in blocks]}


def _block(block: dict | str) -> dict:
    return {"type": "text", "text": block} if isinstance(block, str) else block


def use(call_id: str = "toolu_1", name: str = "f", **arguments) -> dict:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def result(call_id: str = "toolu_1", content="ok", **members) -> dict:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **members}


def parts_of(*blocks: dict | str, role: str = "user") -> tuple[Part, ...]:
    """The parts of one message with these blocks."""
    message = user(*blocks) if role == "user" else assistant(*blocks)
    turns = decoded(messages=[{"role": "user", "content": "hi"}, message]).turns
    return turns[-1].parts


def call_to(request: ChatRequest, caps: Caps = BUDGET, **narrowed):
    return ANTHROPIC.encode_request(request, "up", changed(caps, **narrowed))


def encoded(request: ChatRequest, caps: Caps = BUDGET, **narrowed) -> dict:
    """The body that a deployment with these Caps is sent."""
    return json.loads(call_to(request, caps, **narrowed).body)


def note_paths(request: ChatRequest, caps: Caps = BUDGET, **narrowed) -> set[str]:
    return {note.path for note in call_to(request, caps, **narrowed).notes}


def foreign(*parts: Part, role="assistant", **members) -> ChatRequest:
    """A request of another dialect whose history has a turn of these parts between two of the user."""
    turns = (USER, Turn(role=role, parts=parts), USER)
    return changed(FOREIGN, turns=turns, **members)


def answered(call_id: str, *parts: Part, **members) -> Turn:
    return Turn(
        role="tool", parts=(ToolResult(call_id=call_id, parts=parts or (Text(text="ok"),), **members),)
    )


def sent(request: ChatRequest = REQUEST, caps: Caps = BUDGET, **narrowed) -> Sent:
    return Sent(request=request, caps=changed(caps, **narrowed))


def asked(request: ChatRequest = THINKING) -> Asked:
    return Asked(request=request, response_id="msg_1", created_s=1_700_000_000, model="public", seals=BOX)


def native(value: str = "c2ln", form="signature", scope: str = "") -> Seal:
    return Seal(origin="anthropic", scope=scope, form=form, value=value)


def other_seal(value: str = "Z2Vt", form="thought", origin: str = "gemini") -> Seal:
    return Seal(origin=origin, scope="gemini/api/3", form=form, value=value)


def frame(kind: str, **members) -> bytes:
    """One frame of a provider's stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def started(**usage) -> bytes:
    counts = usage or {"input_tokens": 10, "output_tokens": 1}
    return frame("message_start", message={"id": "msg_up", "model": "up", "content": [], "usage": counts})


def block(index: int, start: dict | str, *deltas: dict | str) -> bytes:
    """A whole streamed block; strings stand for text."""
    head = {"type": "text", "text": ""} if isinstance(start, str) else start
    given = (start, *deltas) if isinstance(start, str) else deltas
    pieces = [
        frame(
            "content_block_delta",
            index=index,
            delta={"type": "text_delta", "text": d} if isinstance(d, str) else d,
        )
        for d in given
    ]
    head_frame = frame("content_block_start", index=index, content_block=head)
    return head_frame + b"".join(pieces) + frame("content_block_stop", index=index)


def argued(*pieces: str) -> tuple[dict, ...]:
    return tuple({"type": "input_json_delta", "partial_json": piece} for piece in pieces)


def ended(reason: str = "end_turn", usage: dict | None = None, **delta) -> bytes:
    counts = usage or {"output_tokens": 5}
    return frame("message_delta", delta={"stop_reason": reason, **delta}, usage=counts) + frame(
        "message_stop"
    )


def message(*blocks: dict | str, reason: str = "end_turn", **members) -> bytes:
    """A provider's whole reply."""
    body = {
        "id": "msg_up", "type": "message", "role": "assistant", "model": "up",
        "content": [_block(block) for block in blocks], "stop_reason": reason, "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }  # fmt: skip
    return json.dumps({**body, **members}).encode()


def events_of(pieces: Iterable[bytes], context: Sent | None = None) -> list[Event]:
    """What the stream decoder makes of these bytes."""
    decoder = ANTHROPIC.stream_decoder(context or sent())
    found = [event for piece in pieces for event in decoder.feed(piece)]
    return [*found, *decoder.close()]


def told(events: Iterable[Event], request: ChatRequest = THINKING) -> bytes:
    """What the stream encoder makes of these events."""
    encoder = ANTHROPIC.stream_encoder(asked(request))
    return b"".join(encoder.emit(event) for event in events)


def frames_of(stream: bytes) -> list[dict]:
    """The data of every frame, after a check that its event line names its type."""
    found = []
    for raw in stream.decode().split("\n\n")[:-1]:
        event, data = raw.split("\n")
        body = json.loads(data.removeprefix("data: "))
        assert event == f"event: {body['type']}"
        found.append(body)
    return found
