"""Gemini: the answer as one GenerateContentResponse, or as a stream of them, in SSE or as one JSON array.

Written from recordings/google. A stream has no events and no terminator: chunks with a part or two each, the finish
reason and the full counts on the last. Calls leave whole, the first of them signed; so does the text, by an empty part
at its end. A refused prompt has no candidate at all, only `promptFeedback`.
"""

from collections.abc import Iterator

from allgate.core.errors import WireError
from allgate.simulator import gemini_errors, signing, tokens
from allgate.simulator.answer import Answer, Ask, Call
from allgate.simulator.exchange import Dialect, Request
from allgate.simulator.gemini_contents import CALL_KIND, TEXT_KIND, call_content
from allgate.simulator.gemini_models import Gemini, traits
from allgate.simulator.gemini_rules import path_of, read
from allgate.simulator.scenes import Scene
from allgate.wire import json
from allgate.wire.json import JsonObject

_FINISH = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "PROHIBITED_CONTENT",
    "pause": "STOP",
}


def whole(ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes) -> JsonObject:
    """The body of an answer that is not streamed; for the counting path, the count."""
    counts = answers[0].counts
    if (path_of(request.path) or ("", ""))[1] == "countTokens":
        details = [{"modality": "TEXT", "tokenCount": counts.input}]
        return {"totalTokens": counts.input, "promptTokensDetails": details}
    base = _base(ask, request)
    usage = {} if scene.usage == "none" else {"usageMetadata": usage_metadata(answers[0])}
    if answers[0].refusal is not None:
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **usage, **base}
    gemini = traits(ask.model)
    candidates = [
        _candidate(answer, _parts(ask, answer, gemini, secret)) | _ending(answer, ask) for answer in answers
    ]
    return {"candidates": candidates, **usage, **base}


def frames(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes
) -> Iterator[bytes]:
    """The chunks of a streamed answer."""
    chunks = _chunks(ask, answers, scene, request, secret)
    if not gemini_errors.is_array(request):
        yield from (b"data: " + json.encode(chunk) + b"\r\n\r\n" for chunk in chunks)
        return
    opening = b"["
    for chunk in chunks:
        yield opening + json.encode(chunk)
        opening = b",\r\n"
    yield b"]"


def usage_metadata(answer: Answer) -> JsonObject:
    """Gemini's counts: the prompt with what was cached, thoughts beside the candidates; a zero is left out."""
    counts = answer.counts
    usage: JsonObject = {
        "promptTokenCount": counts.input,
        "cachedContentTokenCount": counts.cached,
        "candidatesTokenCount": counts.output - counts.reasoning,
        "thoughtsTokenCount": counts.reasoning,
        "totalTokenCount": counts.input + counts.output,
    }
    details = {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": counts.input}]}
    return {name: number for name, number in usage.items() if number} | details | {"serviceTier": "standard"}


def failure(_ask: Ask, request: Request, at: int) -> bytes:
    """An error in the middle of a stream."""
    error = {
        "code": 503,
        "message": "The model is overloaded. Please try again later.",
        "status": "UNAVAILABLE",
    }
    body = json.encode({"error": error})
    if gemini_errors.is_array(request):
        return (b",\r\n" if at else b"[") + body + b"]"
    return b"data: " + body + b"\r\n\r\n"


def model_list(names: tuple[str, ...]) -> JsonObject:
    """GET /v1beta/models."""
    return {"models": [model_card(name) for name in names]}


def model_card(name: str) -> JsonObject:
    """GET /v1beta/models/{name}."""
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "description": f"Simulated {name}",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def _base(ask: Ask, request: Request) -> JsonObject:
    return {"modelVersion": ask.model, "responseId": f"sim{request.serial:08d}"}


def _candidate(answer: Answer, parts: list[JsonObject]) -> JsonObject:
    return {"content": {"parts": parts, "role": "model"}, "index": answer.index}


def _ending(answer: Answer, ask: Ask) -> JsonObject:
    """What stands on the last chunk of a candidate: why it ended, and what it is grounded in."""
    ending: JsonObject = {"finishReason": _FINISH[answer.finish]}
    if any(_args(call) is None for call in answer.calls):
        ending = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed function call"}
    if answer.finish == "content_filter":
        ending["safetyRatings"] = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH"}]
    return ending | ({"groundingMetadata": _grounding(answer, ask)} if answer.citations else {})


def _grounding(answer: Answer, ask: Ask) -> JsonObject:
    """Segments are measured in bytes of UTF-8; a start of 0 is left out."""
    chunks = [{"web": {"uri": citation.url, "title": citation.title}} for citation in answer.citations]
    segment = {"endIndex": len(answer.text.encode()), "text": answer.text}
    supports = [{"segment": segment, "groundingChunkIndices": list(range(len(chunks)))}]
    return {
        "webSearchQueries": [ask.prompt[:80]],
        "searchEntryPoint": {"renderedContent": "<div>search</div>"},
        "groundingChunks": chunks,
        "groundingSupports": supports,
    }


def _parts(ask: Ask, answer: Answer, gemini: Gemini, secret: bytes) -> list[JsonObject]:
    parts: list[JsonObject] = []
    if answer.thinking is not None and (ask.show_thinking or not ask.think):
        parts.append({"text": answer.thinking, "thought": True})
    parts += _call_parts(answer, gemini, secret)
    if answer.text:
        signed = {"thoughtSignature": _text_signature(answer, secret)} if gemini.signatures else {}
        parts.append({"text": answer.text} | signed)
    return parts


def _call_parts(answer: Answer, gemini: Gemini, secret: bytes) -> list[JsonObject]:
    """The calls; the first is signed. One whose arguments are no object makes the answer malformed: none is said."""
    parts: list[JsonObject] = []
    if any(_args(call) is None for call in answer.calls):
        return parts
    for call in answer.calls:
        function: JsonObject = {"name": call.name, "args": _args(call)}
        item: JsonObject = {"functionCall": ({"id": call.call_id[:8]} if gemini.call_ids else {}) | function}
        if not parts and gemini.thinks:
            item["thoughtSignature"] = signing.sign(secret, CALL_KIND, call_content(function))
        parts.append(item)
    return parts


def _args(call: Call) -> JsonObject | None:
    try:
        return json.decode_object(call.arguments)
    except WireError:
        return None


def _text_signature(answer: Answer, secret: bytes) -> str:
    return signing.seal(secret, TEXT_KIND, f"choice {answer.index}")


def _chunks(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes
) -> Iterator[JsonObject]:
    base = _base(ask, request)
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
            yield {"candidates": [_candidate(answer, parts)], **running, **base}
        last: JsonObject = {"text": ""}
        if gemini.signatures and answer.text:
            last["thoughtSignature"] = _text_signature(answer, secret)
        ending = {} if scene.no_finish else _ending(answer, ask)
        yield {"candidates": [_candidate(answer, [last]) | ending], **final, **base}


def _deltas(
    ask: Ask, answer: Answer, gemini: Gemini, scene: Scene, secret: bytes
) -> Iterator[list[JsonObject]]:
    if answer.thinking is not None and (ask.show_thinking or not ask.think):
        yield from ([{"text": piece, "thought": True}] for piece in tokens.split(answer.thinking))
    for item in _call_parts(answer, gemini, secret):
        yield [item]
    text = answer.text
    pieces = tokens.split(text) if scene.pieces is None else tokens.pieces(text, scene.pieces)
    yield from ([{"text": piece}] for piece in pieces)


GEMINI = Dialect(
    name="gemini",
    key=gemini_errors.key,
    read=read,
    whole=whole,
    frames=frames,
    headers=gemini_errors.headers,
    rejection=gemini_errors.rejection,
    fault=gemini_errors.fault,
    failure=failure,
    idle=b"\r\n",
    retry_headers=lambda _status: (),
    stream_type=lambda request: (
        b"application/json; charset=UTF-8" if gemini_errors.is_array(request) else b"text/event-stream"
    ),
)
