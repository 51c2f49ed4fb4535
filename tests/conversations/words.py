"""What a conversation is made of, in words that no vendor uses: what was heard, what a tool gave back, who talks."""

import base64
import struct
import zlib
from typing import Any, NamedTuple, Protocol

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = ("weather_lookup", "population_count")
ABOUT = {"weather_lookup": "The weather in a city.", "population_count": "How many people live in a city."}


class Call(NamedTuple):
    """A tool call as the client's SDK shows it; `id` is whatever that dialect answers it by."""

    id: str | None
    name: str
    arguments: dict[str, Any]


class Heard(NamedTuple):
    """One answer, as the SDK of the client reads it."""

    text: str
    thinking: str
    calls: tuple[Call, ...]


class Result(NamedTuple):
    """What the client's tool gave back. `picture` is a PNG, for dialects whose results may hold one."""

    text: str
    error: bool = False
    picture: bytes | None = None


class Talker(Protocol):
    """A client with a history. Everything it sends back is what its own SDK gave it."""

    pictures: bool
    """Its tool results may hold pictures."""

    async def say(self, text: str) -> Heard: ...
    async def answer(self, calls: tuple[Call, ...], results: list[Result]) -> Heard: ...


def png(shade: int) -> bytes:
    """A picture of one grey pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes((0, shade)))) + chunk(b"IEND", b"")
    )


def base64_text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
