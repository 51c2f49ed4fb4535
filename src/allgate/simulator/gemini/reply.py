"""An answer as one GenerateContentResponse, the count of tokens, and the model list.

Written from recordings/google. Calls leave whole, the first of them signed; so is the text. A refused prompt has no
candidate at all, only `promptFeedback`.
"""

from allgate.core.errors import WireError
from allgate.simulator import signing
from allgate.simulator.answer import CODE, PRINTED, Answer, Ask, Call
from allgate.simulator.exchange import Request
from allgate.simulator.gemini.contents import CALL_KIND, TEXT_KIND, call_content
from allgate.simulator.gemini.models import Gemini, traits
from allgate.simulator.gemini.request import path_of
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
    base = base_of(ask, request)
    usage = {} if scene.usage == "none" else {"usageMetadata": usage_metadata(answers[0])}
    if answers[0].refusal is not None:
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **usage, **base}
    gemini = traits(ask.model)
    candidates = [
        candidate(answer, _parts(ask, answer, gemini, secret)) | ending(answer, ask) for answer in answers
    ]
    return {"candidates": candidates, **usage, **base}


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


def base_of(ask: Ask, request: Request) -> JsonObject:
    """What stands on every chunk."""
    return {"modelVersion": ask.model, "responseId": f"sim{request.serial:08d}"}


def candidate(answer: Answer, parts: list[JsonObject]) -> JsonObject:
    """A candidate with these parts, not yet ended."""
    return {"content": {"parts": parts, "role": "model"}, "index": answer.index}


def ending(answer: Answer, ask: Ask) -> JsonObject:
    """What stands on the last chunk of a candidate: why it ended, and what it is grounded in."""
    ending: JsonObject = {"finishReason": _FINISH[answer.finish]}
    if any(_args(call) is None for call in answer.calls):
        ending = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed function call"}
    if answer.finish == "content_filter":
        ending["safetyRatings"] = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH"}]
    return ending | ({"groundingMetadata": _grounding(answer, ask)} if answer.citations else {})


CODE_PARTS: tuple[JsonObject, ...] = (
    {"executableCode": {"language": "PYTHON", "code": CODE}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": PRINTED}},
)
"""Code that Gemini ran itself."""


def _grounding(answer: Answer, ask: Ask) -> JsonObject:
    """Segments are measured in bytes of UTF-8; a start of 0 is left out."""
    chunks = [{"web": {"uri": citation.url, "title": citation.title}} for citation in answer.citations]
    start, end = answer.citations[0].start, answer.citations[0].end
    segment: JsonObject = {"endIndex": len(answer.text[:end].encode()), "text": answer.text[start:end]}
    if start:
        segment["startIndex"] = len(answer.text[:start].encode())
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
    parts += call_parts(answer, gemini, secret)
    if ask.code:
        parts += CODE_PARTS
    if answer.text:
        signed = {"thoughtSignature": text_signature(answer, secret)} if gemini.signatures else {}
        parts.append({"text": answer.text} | signed)
    return parts


def call_parts(answer: Answer, gemini: Gemini, secret: bytes) -> list[JsonObject]:
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


def text_signature(answer: Answer, secret: bytes) -> str:
    """The signature of a text; it does not cover the text, because clients join the pieces of a stream as they like."""
    return signing.seal(secret, TEXT_KIND, f"choice {answer.index}")
