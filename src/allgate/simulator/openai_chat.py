"""OpenAI Chat Completions: the answer as one object, or as a stream of chunks.

Written from recordings/openai/chat_completions and the SDK's types: a first chunk with the role, one delta per piece,
the id and name of a call once and its arguments in fragments, the finish reason alone on the last chunk of a choice,
usage on a chunk without choices if asked for, `[DONE]`. With several choices their chunks take turns.

Signals that OpenAI itself never sends but others who speak its format do are part of the scenes: `reasoning_content`,
usage on the finish chunk or on every chunk, comments, no `[DONE]`.
"""

from collections.abc import Iterator

from allgate.simulator import openai_errors, tokens
from allgate.simulator.answer import Answer, Ask, Call, Citation
from allgate.simulator.exchange import STARTED_S, Dialect, Request
from allgate.simulator.openai_chat_rules import read
from allgate.simulator.reading import part
from allgate.simulator.scenes import Scene
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

_FINISH = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "stop",
    "pause": "stop",
}
DONE = b"data: [DONE]\n\n"
ARGUMENT_PIECES_MAX = 64
"""Fragments of one call's arguments: more would make long argument tests slow and prove nothing new."""


def whole(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, _secret: bytes
) -> JsonObject:
    """The body of an answer that is not streamed."""
    body: JsonObject = {
        "id": _id(request),
        "object": "chat.completion",
        "created": STARTED_S,
        "model": ask.model,
        "choices": [
            {
                "index": answer.index,
                "message": _message(answer, ask),
                "logprobs": _logprobs(ask, tokens.split(answer.text)) if ask.body.get("logprobs") else None,
                "finish_reason": _finish(answer, ask),
            }
            for answer in answers
        ],
        "usage": usage(answers[0]),
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    }
    if scene.usage == "none":
        del body["usage"]
    return body


def frames(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, _secret: bytes
) -> Iterator[bytes]:
    """The chunks of a streamed answer."""
    asked = bool(part(ask.body, "stream_options").get("include_usage")) and scene.usage == "asked"
    hidden = part(ask.body, "stream_options").get("include_obfuscation") is False
    base: JsonObject = {
        "id": _id(request),
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


def usage(answer: Answer) -> JsonObject:
    """OpenAI's usage object: totals include cached and reasoning tokens."""
    counts = answer.counts
    return {
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output,
        "total_tokens": counts.input + counts.output,
        "prompt_tokens_details": {"cached_tokens": counts.cached, "audio_tokens": 0}
        | ({"cache_write_tokens": counts.cache_write} if counts.cache_write else {}),
        "completion_tokens_details": {
            "reasoning_tokens": counts.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def failure(_ask: Ask, _request: Request, _at: int) -> bytes:
    """An error in the middle of a stream."""
    error = {"message": "The server had an error while processing your request.", "type": "server_error"}
    return _chunk({"error": error | {"param": None, "code": "server_error"}})


def model_list(names: tuple[str, ...]) -> JsonObject:
    """GET /v1/models."""
    return {"object": "list", "data": [model_card(name) for name in names]}


def model_card(name: str) -> JsonObject:
    """GET /v1/models/{name}."""
    return {"id": name, "object": "model", "created": STARTED_S, "owned_by": "simulator"}


def _id(request: Request) -> str:
    return f"chatcmpl-sim{request.serial:08d}"


def _chunk(chunk: JsonObject) -> bytes:
    return b"data: " + json.encode(chunk) + b"\n\n"


def _finish(answer: Answer, ask: Ask) -> str:
    return "function_call" if answer.calls and ask.body.get("functions") else _FINISH[answer.finish]


def _message(answer: Answer, ask: Ask) -> JsonObject:
    silent = answer.calls or answer.refusal is not None
    message: JsonObject = {
        "role": "assistant",
        "content": None if silent else answer.text,
        "refusal": answer.refusal,
        "annotations": [_annotation(citation) for citation in answer.citations],
    }
    if answer.thinking is not None and _shows_thinking(ask):
        message["reasoning_content"] = answer.thinking
    if answer.calls and ask.body.get("functions"):
        message["function_call"] = {"name": answer.calls[0].name, "arguments": answer.calls[0].arguments}
    elif answer.calls:
        message["tool_calls"] = [_call(call) for call in answer.calls]
    return message


def _shows_thinking(ask: Ask) -> bool:
    """OpenAI's own reasoning models hide it; a scene or a vendor's model shows it."""
    return ask.show_thinking or not ask.think


def _call(call: Call) -> JsonObject:
    if call.custom:
        return {
            "id": f"call_{call.call_id}",
            "type": "custom",
            "custom": {"name": call.name, "input": call.arguments},
        }
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{call.call_id}", "type": "function", "function": function}


def _annotation(citation: Citation) -> JsonObject:
    place = {"start_index": citation.start, "end_index": citation.end}
    return {"type": "url_citation", "url_citation": place | {"url": citation.url, "title": citation.title}}


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
    def choice(delta: JsonObject, finish: str | None = None, logprobs: Json = None) -> JsonObject:
        return {"index": answer.index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}

    yield choice({"role": "assistant", "content": None if answer.calls else "", "refusal": None})
    if answer.thinking is not None and _shows_thinking(ask):
        for piece in tokens.split(answer.thinking):
            yield choice({"reasoning_content": piece})
    if answer.refusal is not None:
        for piece in tokens.split(answer.refusal):
            yield choice({"refusal": piece})
    elif answer.calls:
        for delta in _call_deltas(answer, legacy=bool(ask.body.get("functions"))):
            yield choice(delta)
    else:
        pieces = (
            tokens.split(answer.text) if scene.pieces is None else tokens.pieces(answer.text, scene.pieces)
        )
        for piece in pieces:
            logprobs = _logprobs(ask, tokens.split(piece)) if ask.body.get("logprobs") else None
            yield choice({"content": piece}, logprobs=logprobs)
        if answer.citations:
            yield choice({"annotations": [_annotation(citation) for citation in answer.citations]})
    if not scene.no_finish:
        yield choice({}, _finish(answer, ask))


def _call_deltas(answer: Answer, *, legacy: bool) -> Iterator[JsonObject]:
    if legacy:
        yield {"function_call": {"name": answer.calls[0].name, "arguments": ""}}
        for piece in tokens.pieces(answer.calls[0].arguments, ARGUMENT_PIECES_MAX):
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
        for piece in tokens.pieces(call.arguments, ARGUMENT_PIECES_MAX):
            yield {"tool_calls": [{"index": place, kind: {field: piece}}]}


def _logprobs(ask: Ask, pieces: list[str]) -> JsonObject:
    """Made-up but well-formed: the first alternative is always the token itself."""
    number = ask.body.get("top_logprobs") or 0

    def entry(token: str, logprob: float) -> JsonObject:
        return {"token": token, "logprob": logprob, "bytes": list(token.encode())}

    content = [
        entry(piece, -0.25)
        | {"top_logprobs": [entry(piece + "x" * place, -0.25 - 2 * place) for place in range(number)]}
        for piece in pieces
    ]
    return {"content": content, "refusal": None}


OPENAI_CHAT = Dialect(
    name="openai_chat",
    key=openai_errors.key,
    read=read,
    whole=whole,
    frames=frames,
    headers=openai_errors.headers,
    rejection=openai_errors.rejection,
    fault=openai_errors.fault,
    failure=failure,
    idle=b": keep-alive\n\n",
    retry_headers=lambda _status: (),
    stream_type=lambda _request: b"text/event-stream; charset=utf-8",
)
