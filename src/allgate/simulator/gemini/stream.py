"""The stream of an answer: responses with a part or two each, in SSE or as one JSON array.

No event names and no terminator: the finish reason and the full counts are on the last chunk, where an empty part
carries the signature of the text.
"""

from collections.abc import Iterator

from allgate.simulator import tokens
from allgate.simulator.answer import Answer, Ask
from allgate.simulator.exchange import Request
from allgate.simulator.gemini.errors import is_array
from allgate.simulator.gemini.models import Gemini, traits
from allgate.simulator.gemini.reply import (
    CODE_PARTS,
    base_of,
    call_parts,
    candidate,
    ending,
    text_signature,
    usage_metadata,
)
from allgate.simulator.scenes import Scene
from allgate.wire import json
from allgate.wire.json import JsonObject

IDLE = b"\r\n"


def frames(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes
) -> Iterator[bytes]:
    """The chunks of a streamed answer."""
    chunks = _chunks(ask, answers, scene, request, secret)
    if not is_array(request):
        yield from (b"data: " + json.encode(chunk) + b"\r\n\r\n" for chunk in chunks)
        return
    opening = b"["
    for chunk in chunks:
        yield opening + json.encode(chunk)
        opening = b",\r\n"
    yield b"]"


def failure(_ask: Ask, request: Request, at: int) -> bytes:
    """An error in the middle of a stream."""
    error = {
        "code": 503,
        "message": "The model is overloaded. Please try again later.",
        "status": "UNAVAILABLE",
    }
    body = json.encode({"error": error})
    if is_array(request):
        return (b",\r\n" if at else b"[") + body + b"]"
    return b"data: " + body + b"\r\n\r\n"


def _chunks(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes
) -> Iterator[JsonObject]:
    base = base_of(ask, request)
    counts = answers[0].counts
    early = {"promptTokenCount": counts.input, "totalTokenCount": counts.input}
    running = {"usageMetadata": early} if scene.usage in ("asked", "every") else {}
    final = {} if scene.usage == "none" else {"usageMetadata": usage_metadata(answers[0])}
    if answers[0].refusal is not None:
        yield {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **final, **base}
        return
    gemini = traits(ask.model)
    for answer in answers:
        for parts in _deltas(ask, answer, gemini, scene, secret):
            yield {"candidates": [candidate(answer, parts)], **running, **base}
        last: JsonObject = {"text": ""}
        if gemini.signatures and answer.text:
            last["thoughtSignature"] = text_signature(answer, secret)
        end = {} if scene.no_finish else ending(answer, ask)
        yield {"candidates": [candidate(answer, [last]) | end], **final, **base}


def _deltas(
    ask: Ask, answer: Answer, gemini: Gemini, scene: Scene, secret: bytes
) -> Iterator[list[JsonObject]]:
    if answer.thinking is not None and (ask.show_thinking or not ask.think):
        yield from ([{"text": piece, "thought": True}] for piece in tokens.split(answer.thinking))
    for item in call_parts(answer, gemini, secret):
        yield [item]
    yield from ([item] for item in CODE_PARTS if ask.code)
    text = answer.text
    pieces = tokens.text_deltas(text, scene.pieces)
    yield from ([{"text": piece}] for piece in pieces)
