"""Messages as Anthropic's clients and servers write them."""

from bench.wire.form import (
    CHUNKS,
    OUTPUT_TOKENS_MAX,
    PIECE,
    SYSTEM,
    WORDS,
    Fields,
    Request,
    Wire,
    json_bytes,
    typed_events,
)


def request(model: str, prompt: str, streamed: bool) -> Request:
    body: Fields = {"model": model, "system": SYSTEM, "max_tokens": OUTPUT_TOKENS_MAX}
    body |= {"messages": [{"role": "user", "content": prompt}]}
    return Request("/v1/messages", json_bytes(body | ({"stream": True} if streamed else {})))


def message(content: list[Fields], stop_reason: str | None) -> Fields:
    return {
        "id": "msg_01Bench0000000000000000",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 200, "output_tokens": 100 if stop_reason else 1},
    }


def stream() -> bytes:
    delta: Fields = {"stop_reason": "end_turn", "stop_sequence": None}
    piece: Fields = {"type": "text_delta", "text": PIECE}
    block: Fields = {"type": "text", "text": ""}
    chunk: Fields = {"type": "content_block_delta", "index": 0, "delta": piece}
    events: list[Fields] = [
        {"type": "message_start", "message": message([], None)},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *([chunk] * (CHUNKS - 5)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 100}},
        {"type": "message_stop"},
    ]
    return typed_events(events)


WIRE = Wire(request, json_bytes(message([{"type": "text", "text": WORDS}], "end_turn")), stream())
