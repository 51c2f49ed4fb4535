"""A response as one object with its output items, and the count of tokens.

Written from recordings/openai/responses and the SDK's types: reasoning (sealed, with a summary if asked for), a web
search, the message, tool calls. The object repeats the request's settings.
"""

from collections.abc import Iterator

from allgate.simulator import signing, tokens
from allgate.simulator.answer import CODE, PRINTED, Answer, Ask, Call, Citation
from allgate.simulator.exchange import STARTED_S, Rejected, Request
from allgate.simulator.models import reasons
from allgate.simulator.openai.checks import strict_schema
from allgate.simulator.openai_responses.items import OUR_REASONING_ID, REASONING_KIND
from allgate.simulator.reading import items, part
from allgate.simulator.scenes import Scene
from allgate.wire.json import Json, JsonObject


def whole(ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes) -> JsonObject:
    """The body of an answer that is not streamed; for the counting path, the count."""
    if is_count(request):
        return {"object": "response.input_tokens", "input_tokens": answers[0].counts.input}
    return finished(ask, answers[0], scene, request, secret)


def finished(ask: Ask, answer: Answer, scene: Scene, request: Request, secret: bytes) -> JsonObject:
    """The response object at its end."""
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(answer.finish)
    return started(ask, request) | {
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else STARTED_S + 1,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": list(_output(ask, answer, request, secret, "incomplete" if reason else "completed")),
        "usage": None if scene.usage == "none" else usage(answer),
        "service_tier": "default",
    }


def started(ask: Ask, request: Request) -> JsonObject:
    """The response object as it begins: the request's settings, nothing said yet."""
    body, text = ask.body, part(ask.body, "text")
    reasoning = part(body, "reasoning")
    default_effort = "medium" if ask.think else None
    return {
        "id": f"resp_sim{request.serial:08d}",
        "object": "response",
        "created_at": STARTED_S,
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "model": ask.model,
        "output": [],
        "parallel_tool_calls": ask.parallel,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {
            "effort": reasoning.get("effort") or default_effort,
            "summary": reasoning.get("summary"),
        },
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": body.get("service_tier") or "auto",
        "store": body.get("store") is not False,
        "temperature": _given(body, "temperature", 1.0),
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [_shown_tool(tool) for tool in items(body, "tools")],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": _given(body, "top_p", 1.0),
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }


def usage(answer: Answer) -> JsonObject:
    """OpenAI's usage object: totals include cached and reasoning tokens."""
    counts = answer.counts
    cached: JsonObject = {"cached_tokens": counts.cached}
    return {
        "input_tokens": counts.input,
        "input_tokens_details": cached
        | ({"cache_write_tokens": counts.cache_write} if counts.cache_write else {}),
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.input + counts.output,
    }


def is_count(request: Request) -> bool:
    """Is this a request to count tokens?"""
    return request.path.endswith("/input_tokens")


def _given(body: JsonObject, name: str, default: float) -> Json:
    value: Json = body.get(name)
    return default if value is None else value


def _shown_tool(tool: JsonObject) -> JsonObject:
    """A tool as the response repeats it: `strict`, where left open, is what OpenAI could make of the schema."""
    if tool.get("type") != "function" or tool.get("strict") is not None:
        return tool
    try:
        strict_schema(tool.get("parameters") or {}, "", "")
    except Rejected:
        return tool | {"strict": False}
    return tool | {"strict": True}


def _output(ask: Ask, answer: Answer, request: Request, secret: bytes, status: str) -> Iterator[JsonObject]:
    if answer.thinking is not None:
        shown = ask.show_thinking or not ask.think
        yield {
            "id": f"{OUR_REASONING_ID}{request.serial:08d}",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": answer.thinking}] if shown else [],
            "encrypted_content": signing.seal(secret, REASONING_KIND, answer.thinking),
        }
    if ask.search:
        yield _search(ask, answer, request)
    if ask.code:
        yield _ran(ask, request)
    if answer.refusal is not None or not answer.calls:
        yield _message(ask, answer, request, status)
    for place, call in enumerate(answer.calls):
        yield _call(call, request, place, status)


def _message(ask: Ask, answer: Answer, request: Request, status: str) -> JsonObject:
    if answer.refusal is not None:
        content: JsonObject = {"type": "refusal", "refusal": answer.refusal}
    else:
        content = {
            "type": "output_text",
            "text": answer.text,
            "annotations": [_annotation(citation) for citation in answer.citations],
            "logprobs": _logprobs(ask, answer.text),
        }
    message: JsonObject = {
        "id": f"msg_sim{request.serial:08d}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [content],
    }
    return message | {"phase": "final_answer"} if reasons(ask.model) else message


def _call(call: Call, request: Request, place: int, status: str) -> JsonObject:
    kind, prefix, field = (
        ("custom_tool_call", "ctc", "input") if call.custom else ("function_call", "fc", "arguments")
    )
    item: JsonObject = {
        "id": f"{prefix}_sim{request.serial:08d}{place:02d}",
        "type": kind,
        "status": status,
        "call_id": f"call_{call.call_id}",
        "name": call.name,
        field: call.arguments,
    }
    return item | {"namespace": call.namespace} if call.namespace else item


def _search(ask: Ask, answer: Answer, request: Request) -> JsonObject:
    action: JsonObject = {"type": "search", "query": ask.prompt[:80]}
    if "web_search_call.action.sources" in items(ask.body, "include"):
        action["sources"] = [{"type": "url", "url": citation.url} for citation in answer.citations]
    return {
        "id": f"ws_sim{request.serial:08d}",
        "type": "web_search_call",
        "status": "completed",
        "action": action,
    }


def _ran(ask: Ask, request: Request) -> JsonObject:
    """Code that OpenAI ran itself. What it printed is only told to those who ask for it."""
    shown = "code_interpreter_call.outputs" in items(ask.body, "include")
    return {
        "id": f"ci_sim{request.serial:08d}",
        "type": "code_interpreter_call",
        "status": "completed",
        "container_id": "cntr_sim",
        "code": CODE,
        "outputs": [{"type": "logs", "logs": PRINTED}] if shown else None,
    }


def _annotation(citation: Citation) -> JsonObject:
    place = {"start_index": citation.start, "end_index": citation.end}
    return {"type": "url_citation", **place, "url": citation.url, "title": citation.title}


def _logprobs(ask: Ask, text: str) -> list[JsonObject]:
    if "message.output_text.logprobs" not in items(ask.body, "include"):
        return []
    return [
        {"token": piece, "logprob": -0.25, "bytes": list(piece.encode()), "top_logprobs": []}
        for piece in tokens.split(text)
    ]
