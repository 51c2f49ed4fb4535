"""The stream of a chat answer: its chunks.

A first chunk with the role, one delta per piece, the id and name of a call once and its arguments in fragments, the
finish reason alone on the last chunk of a choice, usage on a chunk without choices if asked for, `[DONE]`. With several
choices their chunks take turns. What OpenAI never sends but others do is said by scenes: usage on the finish chunk or on
every chunk, comments, no `[DONE]`.
"""

from collections.abc import Iterator

from allgate.simulator import tokens
from allgate.simulator.answer import Answer, Ask
from allgate.simulator.exchange import STARTED_S, Request
from allgate.simulator.openai_chat.reply import (
    annotation,
    finish_reason,
    logprobs,
    reply_id,
    shows_thinking,
    usage,
)
from allgate.simulator.reading import part
from allgate.simulator.scenes import Scene
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

DONE = b"data: [DONE]\n\n"
IDLE = b": keep-alive\n\n"


def frames(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, _secret: bytes
) -> Iterator[bytes]:
    """The chunks of a streamed answer."""
    asked = bool(part(ask.body, "stream_options").get("include_usage")) and scene.usage == "asked"
    hidden = part(ask.body, "stream_options").get("include_obfuscation") is False
    base: JsonObject = {
        "id": reply_id(request),
        "object": "chat.completion.chunk",
        "created": STARTED_S,
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    }
    for number, choice in enumerate(_turns(ask, answers, scene)):
        chunk = base | {"choices": [choice]} | ({} if hidden else {"obfuscation": "x" * (1 + number * 5 % 9)})
        finishing = scene.usage == "finish" and choice["finish_reason"] is not None
        if finishing or scene.usage == "every":
            chunk["usage"] = usage(answers[0])
        elif asked:
            chunk["usage"] = None
        yield _chunk(chunk)
    if asked:
        yield _chunk(base | {"choices": [], "usage": usage(answers[0])})
    if not scene.no_done:
        yield DONE


def failure(_ask: Ask, _request: Request, _at: int) -> bytes:
    """An error in the middle of a stream."""
    error = {"message": "The server had an error while processing your request.", "type": "server_error"}
    return _chunk({"error": error | {"param": None, "code": "server_error"}})


def _chunk(chunk: JsonObject) -> bytes:
    return b"data: " + json.encode(chunk) + b"\n\n"


def _turns(ask: Ask, answers: tuple[Answer, ...], scene: Scene) -> Iterator[JsonObject]:
    """The choices of all chunks: one answer's deltas, or those of several in turn."""
    streams = [_choices(ask, answer, scene) for answer in answers]
    while streams:
        for stream in tuple(streams):
            choice = next(stream, None)
            if choice is None:
                streams.remove(stream)
            else:
                yield choice


def _choices(ask: Ask, answer: Answer, scene: Scene) -> Iterator[JsonObject]:
    def choice(delta: JsonObject, finish: str | None = None, told: Json = None) -> JsonObject:
        return {"index": answer.index, "delta": delta, "logprobs": told, "finish_reason": finish}

    yield choice({"role": "assistant", "content": None if answer.calls else "", "refusal": None})
    if answer.thinking is not None and shows_thinking(ask):
        for piece in tokens.split(answer.thinking):
            yield choice({"reasoning_content": piece})
    if answer.refusal is not None:
        for piece in tokens.split(answer.refusal):
            yield choice({"refusal": piece})
    elif answer.calls:
        for delta in _call_deltas(answer, legacy=bool(ask.body.get("functions"))):
            yield choice(delta)
    else:
        pieces = tokens.text_deltas(answer.text, scene.pieces)
        for piece in pieces:
            told = logprobs(ask, tokens.split(piece)) if ask.body.get("logprobs") else None
            yield choice({"content": piece}, told=told)
        if answer.citations:
            yield choice({"annotations": [annotation(citation) for citation in answer.citations]})
    if not scene.no_finish:
        yield choice({}, finish_reason(answer, ask))


def _call_deltas(answer: Answer, *, legacy: bool) -> Iterator[JsonObject]:
    if legacy:
        yield {"function_call": {"name": answer.calls[0].name, "arguments": ""}}
        for piece in tokens.argument_deltas(answer.calls[0].arguments):
            yield {"function_call": {"arguments": piece}}
        return
    for place, call in enumerate(answer.calls):
        kind, field = ("custom", "input") if call.custom else ("function", "arguments")
        opening = {
            "index": place,
            "id": f"call_{call.call_id}",
            "type": kind,
            kind: {"name": call.name, field: ""},
        }
        yield {"tool_calls": [opening]}
        for piece in tokens.argument_deltas(call.arguments):
            yield {"tool_calls": [{"index": place, kind: {field: piece}}]}
