"""What the four dialects' bytes have in common: a path with a body, and an answer in one piece and in a hundred."""

import json
from collections.abc import Callable
from typing import NamedTuple

CHUNKS = 100  # the events of a stream, with those that begin and end it
SYSTEM = "You are a helpful assistant."
WORDS = "The quick brown fox jumps over the lazy dog, and the gateway counts every word of it. "
PIECE = " word@" + "0" * 16
OUTPUT_TOKENS_MAX = 1000

Fields = dict[str, object]


class Request(NamedTuple):
    path: str
    body: bytes


class Wire(NamedTuple):
    """`request` takes a model, a prompt and whether to stream."""

    request: Callable[[str, str, bool], Request]
    answer: bytes
    stream: bytes


def json_bytes(value: Fields) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def data_events(events: list[Fields]) -> bytes:
    return b"".join(b"data: %b\n\n" % json_bytes(event) for event in events)


def typed_events(events: list[Fields]) -> bytes:
    """As the vendors who name the event before its data do it."""
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(e["type"]).encode(), json_bytes(e)) for e in events)
