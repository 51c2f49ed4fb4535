"""A chat answer as one object, and the model list.

Written from recordings/openai/chat_completions and the SDK's types. `reasoning_content` is what others than OpenAI send.
"""

from allgate.simulator import tokens
from allgate.simulator.answer import Answer, Ask, Call, Citation
from allgate.simulator.exchange import STARTED_S, Request
from allgate.simulator.scenes import Scene
from allgate.wire.json import JsonObject

_FINISH = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "stop",
    "pause": "stop",
}


def whole(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, _secret: bytes
) -> JsonObject:
    """The body of an answer that is not streamed."""
    body: JsonObject = {
        "id": reply_id(request),
        "object": "chat.completion",
        "created": STARTED_S,
        "model": ask.model,
        "choices": [
            {
                "index": answer.index,
                "message": _message(answer, ask),
                "logprobs": logprobs(ask, tokens.split(answer.text)) if ask.body.get("logprobs") else None,
                "finish_reason": finish_reason(answer, ask),
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


def model_list(names: tuple[str, ...]) -> JsonObject:
    """GET /v1/models."""
    return {"object": "list", "data": [model_card(name) for name in names]}


def model_card(name: str) -> JsonObject:
    """GET /v1/models/{name}."""
    return {"id": name, "object": "model", "created": STARTED_S, "owned_by": "simulator"}


def reply_id(request: Request) -> str:
    """The id of an answer, the same on all of its chunks."""
    return f"chatcmpl-sim{request.serial:08d}"


def finish_reason(answer: Answer, ask: Ask) -> str:
    """OpenAI's word for the end of a choice."""
    return "function_call" if answer.calls and ask.body.get("functions") else _FINISH[answer.finish]


def shows_thinking(ask: Ask) -> bool:
    """OpenAI's own reasoning models hide it; a scene or a vendor's model shows it."""
    return ask.show_thinking or not ask.think


def _message(answer: Answer, ask: Ask) -> JsonObject:
    silent = answer.calls or answer.refusal is not None
    message: JsonObject = {
        "role": "assistant",
        "content": None if silent else answer.text,
        "refusal": answer.refusal,
        "annotations": [annotation(citation) for citation in answer.citations],
    }
    if answer.thinking is not None and shows_thinking(ask):
        message["reasoning_content"] = answer.thinking
    if answer.calls and ask.body.get("functions"):
        message["function_call"] = {"name": answer.calls[0].name, "arguments": answer.calls[0].arguments}
    elif answer.calls:
        message["tool_calls"] = [_call(call) for call in answer.calls]
    return message


def _call(call: Call) -> JsonObject:
    if call.custom:
        return {
            "id": f"call_{call.call_id}",
            "type": "custom",
            "custom": {"name": call.name, "input": call.arguments},
        }
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{call.call_id}", "type": "function", "function": function}


def annotation(citation: Citation) -> JsonObject:
    """A citation on a message."""
    place = {"start_index": citation.start, "end_index": citation.end}
    return {"type": "url_citation", "url_citation": place | {"url": citation.url, "title": citation.title}}


def logprobs(ask: Ask, pieces: list[str]) -> JsonObject:
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
