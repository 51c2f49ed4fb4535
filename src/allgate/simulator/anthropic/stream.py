"""The stream of a message: its named events.

Every block is opened empty, filled by deltas, closed; the input counts stand in `message_start` and, whole, in
`message_delta`.
"""

from collections.abc import Iterator

from allgate.simulator import tokens
from allgate.simulator.answer import Answer, Ask
from allgate.simulator.anthropic.reply import blocks_of, ending, message_head, usage_of
from allgate.simulator.exchange import Request
from allgate.simulator.scenes import Scene
from allgate.wire import json
from allgate.wire.json import JsonObject

IDLE = b'event: ping\ndata: {"type":"ping"}\n\n'


def frames(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes
) -> Iterator[bytes]:
    """The events of a streamed answer."""
    answer = answers[0]
    usage = usage_of(ask, answer)
    message: JsonObject = message_head(ask, request) | {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    if scene.usage == "finish":
        message["usage"] = {"input_tokens": 0, "output_tokens": 0}
    elif scene.usage != "none":
        message["usage"] = {name: usage[name] for name in usage if name != "server_tool_use"} | {
            "output_tokens": 1
        }
    yield _event({"type": "message_start", "message": message})
    for index, block in enumerate(blocks_of(ask, answer, scene, secret)):
        yield from _streamed(index, block, scene, answer)
        if index == 0:
            yield _event({"type": "ping"})
    if scene.no_finish:
        return
    delta: JsonObject = {"type": "message_delta", "delta": ending(answer)}
    yield _event(delta if scene.usage == "none" else delta | {"usage": _delta_usage(usage)})
    if not scene.no_done:
        yield _event({"type": "message_stop"})


def failure(_ask: Ask, request: Request, _at: int) -> bytes:
    """An error in the middle of a stream."""
    error = {"type": "overloaded_error", "message": "Overloaded"}
    return _event({"type": "error", "error": error, "request_id": request.request_id})


def _event(data: JsonObject) -> bytes:
    return b"event: " + data["type"].encode() + b"\ndata: " + json.encode(data) + b"\n\n"


def _delta_usage(usage: JsonObject) -> JsonObject:
    kept = (
        "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens",
        "output_tokens_details", "server_tool_use",
    )  # fmt: skip
    return {name: usage[name] for name in kept if name in usage}


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
            pieces = tokens.text_deltas(text, scene.pieces)
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
    pieces = ["", *tokens.argument_deltas(raw)]
    return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
