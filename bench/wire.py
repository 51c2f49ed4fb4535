"""The bytes of a benchmark, written by hand: requests as the vendors' clients send them, answers as their servers do.

Each text chunk carries `@` and sixteen digits, which the mock overwrites with the time at which it sends the chunk and
the load client reads when it arrives, whatever the gateway made of the chunk in between (native/mock.c).
"""

import json
from typing import NamedTuple

from bench.scenarios import Answer, Dialect, Route, Scenario

CHUNKS = 100  # per stream, the last of which end it
WORDS = "The quick brown fox jumps over the lazy dog, and the gateway counts every word of it. "
STAMP = "@" + "0" * 16

Fields = dict[str, object]
NO_CHOICES: list[Fields] = []


class Request(NamedTuple):
    path: str
    body: bytes


def request(scenario: Scenario) -> Request:
    """What the client sends for this scenario."""
    prompt = (WORDS * (scenario.prompt_bytes // len(WORDS) + 1))[: scenario.prompt_bytes]
    streamed = scenario.answer != "unary"
    match scenario.client:
        case "openai_chat":
            path, body = "/v1/chat/completions", _chat_request(prompt, streamed)
        case "anthropic":
            path, body = "/v1/messages", _messages_request(prompt, streamed)
    return Request(path, _json({"model": scenario.route.model} | body))


def reply(route: Route) -> bytes:
    """What the mock answers: a JSON body, or the text of an event stream."""
    return _REPLIES[route.upstream][route.answer == "unary"]


def _chat_request(prompt: str, streamed: bool) -> Fields:
    system = {"role": "system", "content": "You are a helpful assistant."}
    body: Fields = {"messages": [system, {"role": "user", "content": prompt}], "max_tokens": 1000}
    return body | ({"stream": True, "stream_options": {"include_usage": True}} if streamed else {})


def _messages_request(prompt: str, streamed: bool) -> Fields:
    body: Fields = {"system": "You are a helpful assistant.", "max_tokens": 1000}
    return body | {"messages": [{"role": "user", "content": prompt}]} | ({"stream": True} if streamed else {})


def _chat_reply() -> Fields:
    message: Fields = {"role": "assistant", "content": WORDS, "refusal": None}
    choice: Fields = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _chat_envelope("chat.completion") | {"choices": [choice], "usage": _chat_usage()}


def _chat_events() -> list[str]:
    def chunk(delta: Fields, finish: str | None = None) -> Fields:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _chat_envelope("chat.completion.chunk") | {"choices": [choice], "usage": None}

    start = chunk({"role": "assistant", "content": "", "refusal": None})
    texts = [chunk({"content": f" word{STAMP}"}) for _ in range(CHUNKS - 4)]
    usage: Fields = _chat_envelope("chat.completion.chunk") | {"choices": NO_CHOICES, "usage": _chat_usage()}
    events: list[Fields] = [start, *texts, chunk({}, "stop"), usage]
    return [*(f"data: {_json(event).decode()}\n\n" for event in events), "data: [DONE]\n\n"]


def _chat_envelope(kind: str) -> Fields:
    return {
        "id": "chatcmpl-Bench00000000000000000000000000",
        "object": kind,
        "created": 1760000000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_0000000000",
    }


def _chat_usage() -> Fields:
    return {
        "prompt_tokens": 200,
        "completion_tokens": 100,
        "total_tokens": 300,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _message(content: list[Fields], stop_reason: str | None) -> Fields:
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


def _message_events() -> list[str]:
    text = {"type": "text_delta", "text": f" word{STAMP}"}
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    block: Fields = {"type": "text", "text": ""}
    events: list[Fields] = [
        {"type": "message_start", "message": _message([], None)},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": text} for _ in range(CHUNKS - 5)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 100}},
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {_json(event).decode()}\n\n" for event in events]


def _json(value: Fields) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


_REPLIES: dict[Dialect, tuple[bytes, bytes]] = {
    "openai_chat": ("".join(_chat_events()).encode(), _json(_chat_reply())),
    "anthropic": (
        "".join(_message_events()).encode(),
        _json(_message([{"type": "text", "text": WORDS}], "end_turn")),
    ),
}
INTERVAL_US: dict[Answer, int] = {"unary": 0, "burst": 0, "paced": 25_000}
