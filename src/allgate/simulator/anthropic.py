"""Anthropic Messages: the answer as one message, or as a stream of named events.

Written from recordings/anthropic/messages and the SDK's types. Blocks in order: thinking (signed) or redacted
thinking, a web search with its result, text with its citations, tool calls. In a stream every block is opened empty,
filled by deltas, closed; the input counts stand in `message_start` and, whole, in `message_delta`.
"""

from collections.abc import Iterator

from allgate.core.errors import WireError
from allgate.simulator import anthropic_errors, signing, tokens
from allgate.simulator.answer import Answer, Ask, Citation
from allgate.simulator.anthropic_messages import REDACTED_KIND, SEARCH_KIND, THINKING_KIND
from allgate.simulator.anthropic_rules import read, read_count
from allgate.simulator.exchange import Dialect, Request
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
ARGUMENT_PIECES_MAX = 64
CREATED_AT = "2026-09-21T00:00:00Z"


def whole(ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes) -> JsonObject:
    """The body of an answer that is not streamed; for the counting path, the count."""
    if is_count(request):
        return {"input_tokens": answers[0].counts.input}
    answer = answers[0]
    message = _message(ask, request) | {
        "content": _blocks(ask, answer, scene, secret),
        **_ending(answer),
        "usage": _usage(ask, answer),
    }
    if scene.usage == "none":
        del message["usage"]
    return message


def frames(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes
) -> Iterator[bytes]:
    """The events of a streamed answer."""
    answer = answers[0]
    usage = _usage(ask, answer)
    message: JsonObject = _message(ask, request) | {"content": [], "stop_reason": None, "stop_sequence": None}
    if scene.usage == "finish":
        message["usage"] = {"input_tokens": 0, "output_tokens": 0}
    elif scene.usage != "none":
        message["usage"] = {name: usage[name] for name in usage if name != "server_tool_use"} | {
            "output_tokens": 1
        }
    yield _event({"type": "message_start", "message": message})
    for index, block in enumerate(_blocks(ask, answer, scene, secret)):
        yield from _streamed(index, block, scene, answer)
        if index == 0:
            yield _event({"type": "ping"})
    if scene.no_finish:
        return
    delta: JsonObject = {"type": "message_delta", "delta": _ending(answer)}
    yield _event(delta if scene.usage == "none" else delta | {"usage": _delta_usage(usage)})
    if not scene.no_done:
        yield _event({"type": "message_stop"})


def is_count(request: Request) -> bool:
    """Is this a request to count tokens?"""
    return request.path.endswith("/count_tokens")


def failure(_ask: Ask, request: Request, _at: int) -> bytes:
    """An error in the middle of a stream."""
    error = {"type": "overloaded_error", "message": "Overloaded"}
    return _event({"type": "error", "error": error, "request_id": request.request_id})


def model_list(names: tuple[str, ...]) -> JsonObject:
    """GET /v1/models, as Anthropic's clients get it."""
    cards = [model_card(name) for name in names]
    return {"data": cards, "has_more": False, "first_id": names[0], "last_id": names[-1]}


def model_card(name: str) -> JsonObject:
    """GET /v1/models/{name}."""
    return {"type": "model", "id": name, "display_name": name, "created_at": CREATED_AT}


def _event(data: JsonObject) -> bytes:
    return b"event: " + data["type"].encode() + b"\ndata: " + json.encode(data) + b"\n\n"


def _message(ask: Ask, request: Request) -> JsonObject:
    return {
        "id": f"msg_sim{request.serial:08d}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "stop_details": None,
    }


def _ending(answer: Answer) -> JsonObject:
    refused = answer.finish in ("refusal", "content_filter")
    details = {"type": "refusal", "category": "cyber", "explanation": answer.refusal} if refused else None
    return {"stop_reason": _STOP[answer.finish], "stop_sequence": answer.stop, "stop_details": details}


def _usage(ask: Ask, answer: Answer) -> JsonObject:
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


def _delta_usage(usage: JsonObject) -> JsonObject:
    kept = (
        "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens",
        "output_tokens_details", "server_tool_use",
    )  # fmt: skip
    return {name: usage[name] for name in kept if name in usage}


def _marks(body: JsonObject) -> list[JsonObject]:
    """Every cache mark of a body."""
    blocks = [body, *items(body, "tools"), *items(body, "system")]
    blocks += [block for message in items(body, "messages") for block in items(message, "content")]
    return [part(block, "cache_control") for block in blocks]


def _blocks(ask: Ask, answer: Answer, scene: Scene, secret: bytes) -> list[JsonObject]:
    blocks: list[JsonObject] = []
    if answer.thinking is not None:
        blocks.append(_thinking(ask, answer.thinking, scene, secret))
    if ask.search:
        blocks += _search(ask, answer, secret, paused=answer.finish == "pause")
    if answer.text and answer.finish != "pause":
        text: JsonObject = {"type": "text", "text": answer.text}
        if answer.citations:
            text["citations"] = [_citation(citation, answer.text, secret) for citation in answer.citations]
        blocks.append(text)
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
    """A search that Anthropic ran itself; while it is paused, without its result."""
    identity = f"srvtoolu_sim{len(ask.prompt):08d}"
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
    return [call] if paused else [call, result]


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


def _streamed(index: int, block: JsonObject, scene: Scene, answer: Answer) -> Iterator[bytes]:
    opening, deltas = _parted(block, scene, answer)
    yield _event({"type": "content_block_start", "index": index, "content_block": opening})
    for delta in deltas:
        yield _event({"type": "content_block_delta", "index": index, "delta": delta})
    yield _event({"type": "content_block_stop", "index": index})


def _parted(block: JsonObject, scene: Scene, answer: Answer) -> tuple[JsonObject, list[JsonObject]]:
    """A block as it is opened, and the deltas that fill it."""
    match block["type"]:
        case "text":
            text = block["text"]
            pieces = tokens.split(text) if scene.pieces is None else tokens.pieces(text, scene.pieces)
            deltas: list[JsonObject] = [{"type": "text_delta", "text": piece} for piece in pieces]
            cited: list[JsonObject] = [
                {"type": "citations_delta", "citation": cited} for cited in block.get("citations", [])
            ]
            opening: JsonObject = {"type": "text", "text": ""}
            return opening | {"citations": []} if cited else opening, cited + deltas
        case "thinking":
            deltas = [
                {"type": "thinking_delta", "thinking": piece} for piece in tokens.split(block["thinking"])
            ]
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signature]
        case "tool_use":
            raw = next(call.arguments for call in answer.calls if block["id"] == f"toolu_{call.call_id}")
            return block | {"input": {}}, _input_deltas(raw)
        case "server_tool_use":
            return block | {"input": {}}, _input_deltas(json.encode_text(block["input"]))
        case _:
            return block, []


def _input_deltas(raw: str) -> list[JsonObject]:
    pieces = ["", *tokens.pieces(raw, ARGUMENT_PIECES_MAX)]
    return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


ANTHROPIC = Dialect(
    name="anthropic",
    key=anthropic_errors.key,
    read=lambda request, body, secret: (read_count if is_count(request) else read)(request, body, secret),
    whole=whole,
    frames=frames,
    headers=anthropic_errors.headers,
    rejection=anthropic_errors.rejection,
    fault=anthropic_errors.fault,
    failure=failure,
    idle=_event({"type": "ping"}),
    retry_headers=anthropic_errors.retry_headers,
    stream_type=lambda _request: b"text/event-stream; charset=utf-8",
)
