"""A message as one object, the count of tokens, and the model list.

Written from recordings/anthropic/messages and the SDK's types. Blocks in order: thinking (signed) or redacted thinking, a
web search with its result, text with its citations, tool calls.
"""

from allgate.core.errors import WireError
from allgate.simulator import signing
from allgate.simulator.answer import CODE, PRINTED, Answer, Ask, Citation
from allgate.simulator.anthropic.messages import REDACTED_KIND, SEARCH_KIND, THINKING_KIND
from allgate.simulator.exchange import Request
from allgate.simulator.reading import items, part
from allgate.simulator.scenes import Scene
from allgate.wire import json
from allgate.wire.json import JsonObject

_STOP = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}

CREATED_AT = "2026-09-21T00:00:00Z"


def whole(ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes) -> JsonObject:
    """The body of an answer that is not streamed; for the counting path, the count."""
    if is_count(request):
        return {"input_tokens": answers[0].counts.input}
    answer = answers[0]
    message = message_head(ask, request) | {
        "content": blocks_of(ask, answer, scene, secret),
        **ending(answer),
        "usage": usage_of(ask, answer),
    }
    if scene.usage == "none":
        del message["usage"]
    return message


def is_count(request: Request) -> bool:
    """Is this a request to count tokens?"""
    return request.path.endswith("/count_tokens")


def model_list(names: tuple[str, ...]) -> JsonObject:
    """GET /v1/models, as Anthropic's clients get it."""
    cards = [model_card(name) for name in names]
    return {"data": cards, "has_more": False, "first_id": names[0], "last_id": names[-1]}


def model_card(name: str) -> JsonObject:
    """GET /v1/models/{name}."""
    return {"type": "model", "id": name, "display_name": name, "created_at": CREATED_AT}


def message_head(ask: Ask, request: Request) -> JsonObject:
    """What a message is before it says anything."""
    return {
        "id": f"msg_sim{request.serial:08d}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "stop_details": None,
    }


def ending(answer: Answer) -> JsonObject:
    """Why the message ended."""
    refused = answer.finish in ("refusal", "content_filter")
    details = {"type": "refusal", "category": "cyber", "explanation": answer.refusal} if refused else None
    return {"stop_reason": _STOP[answer.finish], "stop_sequence": answer.stop, "stop_details": details}


def usage_of(ask: Ask, answer: Answer) -> JsonObject:
    """Anthropic's usage: input without what was read from or written to the cache; output with thinking."""
    counts = answer.counts
    long = any(mark.get("ttl") == "1h" for mark in _marks(ask.body))
    written = {"5m": 0, "1h": 0} | {"1h" if long else "5m": counts.cache_write}
    usage: JsonObject = {
        "input_tokens": max(counts.input - counts.cached - counts.cache_write, 0),
        "cache_creation_input_tokens": counts.cache_write,
        "cache_read_input_tokens": counts.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written["5m"],
            "ephemeral_1h_input_tokens": written["1h"],
        },
        "output_tokens": counts.output,
        "output_tokens_details": {"thinking_tokens": counts.reasoning},
        "service_tier": "standard",
        "inference_geo": "global",
    }
    if ask.search:
        usage["server_tool_use"] = {"web_search_requests": 1, "web_fetch_requests": 0}
    return usage


def _marks(body: JsonObject) -> list[JsonObject]:
    """Every cache mark of a body."""
    blocks = [body, *items(body, "tools"), *items(body, "system")]
    blocks += [block for message in items(body, "messages") for block in items(message, "content")]
    return [part(block, "cache_control") for block in blocks]


def blocks_of(ask: Ask, answer: Answer, scene: Scene, secret: bytes) -> list[JsonObject]:
    """The content of the message."""
    blocks: list[JsonObject] = []
    if answer.thinking is not None:
        blocks.append(_thinking(ask, answer.thinking, scene, secret))
    if ask.search:
        blocks += _search(ask, answer, secret, paused=answer.finish == "pause")
    if ask.code:
        blocks += _ran(ask)
    if answer.text and answer.finish != "pause":
        blocks += _texts(answer, secret)
    blocks += [
        {
            "type": "tool_use",
            "id": f"toolu_{call.call_id}",
            "name": call.name,
            "input": _object(call.arguments),
            "caller": {"type": "direct"},
        }
        for call in answer.calls
    ]
    return blocks


def _thinking(ask: Ask, thinking: str, scene: Scene, secret: bytes) -> JsonObject:
    if scene.redacted:
        return {"type": "redacted_thinking", "data": signing.seal(secret, REDACTED_KIND, thinking)}
    shown = thinking if ask.show_thinking or not ask.think else ""
    return {"type": "thinking", "thinking": shown, "signature": signing.sign(secret, THINKING_KIND, shown)}


def _search(ask: Ask, answer: Answer, secret: bytes, *, paused: bool) -> list[JsonObject]:
    """A search that Anthropic ran itself; while it is paused, without its result, which opens what goes on."""
    pending = _pending(ask)
    identity = pending or f"srvtoolu_sim{len(ask.prompt):08d}{len(items(ask.body, 'messages')):02d}"
    call = {
        "type": "server_tool_use",
        "id": identity,
        "name": "web_search",
        "input": {"query": ask.prompt[:80]},
    }
    hits = [
        {
            "type": "web_search_result",
            "title": citation.title,
            "url": citation.url,
            "encrypted_content": signing.seal(secret, SEARCH_KIND, citation.url),
            "page_age": "1 day ago",
        }
        for citation in answer.citations
    ]
    result = {"type": "web_search_tool_result", "tool_use_id": identity, "content": hits}
    if paused:
        return [result, {**call, "id": f"{identity}b"}] if pending else [call]
    return [result] if pending else [call, result]


def _ran(ask: Ask) -> list[JsonObject]:
    """Code that Anthropic ran itself: its shell has a call and a result of their own names."""
    identity = f"srvtoolu_ran{len(ask.prompt):08d}{len(items(ask.body, 'messages')):02d}"
    command: JsonObject = {"command": f"python -c '{CODE}'"}
    call: JsonObject = {
        "type": "server_tool_use",
        "id": identity,
        "name": "bash_code_execution",
        "input": command,
    }
    told: JsonObject = {
        "type": "bash_code_execution_result",
        "stdout": PRINTED,
        "stderr": "",
        "return_code": 0,
        "content": [],
    }
    return [call, {"type": "bash_code_execution_tool_result", "tool_use_id": identity, "content": told}]


def _texts(answer: Answer, secret: bytes) -> list[JsonObject]:
    """The text; what is cited of it stands in a block of its own, with the text before and behind."""
    text = answer.text
    if not answer.citations:
        return [{"type": "text", "text": text}]
    start, end = answer.citations[0].start, answer.citations[0].end
    cited = [_citation(citation, text, secret) for citation in answer.citations]
    blocks: list[JsonObject] = [
        {"type": "text", "text": text[:start]},
        {"type": "text", "text": text[start:end], "citations": cited},
        {"type": "text", "text": text[end:]},
    ]
    return [block for block in blocks if block["text"]]


def _pending(ask: Ask) -> str | None:
    """The call that a paused turn ended in, whose result is still to come."""
    blocks = items(items(ask.body, "messages")[-1], "content")
    return blocks[-1]["id"] if blocks and blocks[-1]["type"] == "server_tool_use" else None


def _citation(citation: Citation, text: str, secret: bytes) -> JsonObject:
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "cited_text": text[citation.start : citation.end][:150],
        "encrypted_index": signing.seal(secret, SEARCH_KIND, f"{citation.url}#{citation.start}"),
    }


def _object(arguments: str) -> JsonObject:
    """A call's input; arguments that a scene made wrong cannot be said here and read as empty."""
    try:
        return json.decode_object(arguments)
    except WireError:
        return {}
