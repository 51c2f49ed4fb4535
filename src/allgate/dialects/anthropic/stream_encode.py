"""Events → frames.

What holds for every stream written here, because SDKs and Claude Code break otherwise: every frame has an `event:` line;
message_start comes once and first; block indexes are dense from 0 and one block is open at a time; a block starts empty
and all content is in deltas of its own kind; every block is stopped; thinking is signed before it stops; message_delta
comes once, with usage, and message_stop after it. A failure is an `error` frame and nothing after it.

A block is started by its first content, so an empty part leaves no trace and thinking never stands behind an empty text.
A tool call waits for its second piece of arguments: a provider that signs calls (Gemini) sends the arguments whole, and
the carrier of the signature must stand before the call. message_delta waits for `Ended`, because only then the usage is
final; both are the terminator.

Frames are put together from bytes encoded once per block: an ordinary piece of text costs one encoded string.
"""

import msgspec

from allgate.core.usage import Usage, merged
from allgate.dialects.anthropic import citations
from allgate.dialects.anthropic.errors import encode_stream_error
from allgate.dialects.anthropic.finish import finish_members
from allgate.dialects.anthropic.reply_shown import (
    blocks_of,
    call_block,
    carries_seals,
    result_block,
    shows_thinking,
    signature_of,
)
from allgate.dialects.anthropic.request_decode import extra_members
from allgate.dialects.anthropic.response_encode import TIERS, own_members
from allgate.dialects.anthropic.seal_slots import carrier
from allgate.dialects.anthropic.usage import delta_usage, encode_usage, estimated_input_tokens
from allgate.dialects.contract import Asked
from allgate.dialects.passes.lenient import object_of
from allgate.operations.chat.events import (
    Closed,
    Delta,
    Ended,
    Event,
    Failed,
    Finished,
    Opened,
    Start,
    Tick,
    UsageSeen,
)
from allgate.operations.chat.parts import Hosted, Part, Text, Thinking, ToolCall
from allgate.operations.chat.response import Finish
from allgate.wire import json
from allgate.wire.json import JsonObject
from allgate.wire.sse import named_frame

KEEP_ALIVE = b'event: ping\ndata: {"type": "ping"}\n\n'
STOP_FRAME = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
)
_PIECES = {
    "text": (b"text_delta", b"text"),
    "thinking": (b"thinking_delta", b"thinking"),
    "input": (b"input_json_delta", b"partial_json"),
    "signature": (b"signature_delta", b"signature"),
}
_TAIL = b"}}\n\n"
_PARAGRAPHS = "\n\n"

_encode = msgspec.json.Encoder().encode


class AnthropicStreamEncoder:
    """emit(event) → the bytes that tell it, possibly none."""

    __slots__ = (
        "_asked", "_channel", "_finish", "_held", "_index", "_open", "_part", "_prefix", "_segment", "_shown", "_usage",
    )  # fmt: skip

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._shown = shows_thinking(asked)
        self._index = 0  # of the open block, or of the next
        self._part: Part = Text(text="")
        self._open = False  # the block of the part was started
        self._channel = ""  # whose pieces take the quick way
        self._prefix = b""
        self._held = ""  # the arguments of a call that is not told yet
        self._segment = 0
        self._finish = Finish(reason="stop")
        self._usage: Usage | None = None

    def emit(self, event: Event) -> bytes:
        """The bytes of one event. Those of `Ended` are message_delta and message_stop."""
        if isinstance(event, Delta):
            if event.channel != self._channel or event.choice:
                return b"" if event.choice else self._rare_delta(event)
            try:
                return self._prefix + _encode(event.text) + _TAIL
            except (UnicodeEncodeError, ValueError):  # half a surrogate pair
                return self._piece(event.text)
        match event:
            case Opened() | Closed() | Finished() if event.choice:
                return b""  # this dialect has one answer
            case Opened():
                return self._opened(event.part)
            case Closed():
                return self._closed(event.part)
            case Start():
                return self._start(event)
            case UsageSeen():
                self._usage = merged(self._usage, event.usage)
                return b""
            case Finished():
                self._finish = event.finish
                return b""
            case Ended():
                return self._ended(event)
            case Failed():
                return encode_stream_error(event.failure, self._asked.response_id)
            case Tick():
                return KEEP_ALIVE

    def _start(self, event: Start) -> bytes:
        self._usage = event.usage
        usage = encode_usage(event.usage)
        if event.usage is None or event.usage.input_tokens is None:
            usage["input_tokens"] = estimated_input_tokens(self._asked.request)
        if event.service_tier in TIERS:
            usage["service_tier"] = event.service_tier
        message: JsonObject = {
            **own_members(event.extra),
            "id": self._asked.response_id,
            "type": "message",
            "role": "assistant",
            "model": self._asked.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        return _frame("message_start", {"message": message}) + KEEP_ALIVE

    def _ended(self, event: Ended) -> bytes:
        if event.usage is not None:
            self._usage = merged(self._usage, event.usage)
        members = own_members(event.extra)
        usage = object_of(members.pop("usage", None)) | delta_usage(self._usage)
        delta = finish_members(self._finish, self._asked.request)
        if "container" in members:
            delta["container"] = members.pop("container")
        return _frame("message_delta", {**members, "delta": delta, "usage": usage}) + STOP_FRAME

    def _opened(self, part: Part) -> bytes:
        """Nothing is told of a part before it has content."""
        self._part, self._open, self._channel, self._held, self._segment = part, False, "", "", 0
        return b""

    def _rare_delta(self, event: Delta) -> bytes:
        """The first piece of a block, and pieces that do not take the quick way."""
        if not event.text:
            return b""
        match event.channel:
            case "text" | "refusal":
                block: JsonObject = {**extra_members(self._part.extra), "type": "text", "text": ""}
                return self._begin(block, "text", quick=event.channel) + self._piece(event.text)
            case "thinking" | "summary":
                return self._think(event) if self._shown else b""
            case "input":
                return self._argue(event.text)
            case _:
                return b""  # told when the part closes

    def _think(self, event: Delta) -> bytes:
        text, started = event.text, b""
        if not self._open:
            block: JsonObject = {"type": "thinking", "thinking": "", "signature": ""}
            # the paragraphs of a summary are told apart by their number, so they are looked at one by one
            quick = "thinking" if event.channel == "thinking" else ""
            started = self._begin(block, "thinking", quick=quick)
        elif event.segment > self._segment:
            text = _PARAGRAPHS + text
        self._segment = event.segment
        return started + self._piece(text)

    def _argue(self, text: str) -> bytes:
        """The second piece of arguments starts the call; raw text is told whole, as JSON, when the call closes."""
        part = self._part
        if not isinstance(part, ToolCall) or part.input_kind == "text":
            return b""
        if not self._held:
            self._held = text
            return b""
        block: JsonObject = {**call_block(part), "input": {}}
        return self._begin(block, "input", quick="input") + self._piece(self._held + text)

    def _closed(self, part: Part) -> bytes:
        self._channel = ""
        if not self._open:
            return b"".join(self._whole(block) for block in self._blocks(part))
        self._open = False
        told = b""
        riding = part.seals if carries_seals(self._asked) else ()
        match part:
            case Text():
                for citation in citations.shown(part, self._asked.seals):
                    delta = {"type": "citations_delta", "citation": citation}
                    told += _frame("content_block_delta", {"index": self._index, "delta": delta})
            case Thinking():
                riding = riding[1:]
                signature = signature_of(part, self._asked.seals, shown=True)
                told += self._delta_prefix("signature") + json.encode(signature) + _TAIL
            case _:
                pass
        told += self._stop()
        return told + b"".join(
            self._whole(dict(carrier(seal, self._asked.seals, before=False))) for seal in riding
        )

    def _blocks(self, part: Part) -> list[JsonObject]:
        """The blocks of a part of which nothing was told yet."""
        blocks = blocks_of(part, self._asked)
        if isinstance(part, Hosted) and (result := result_block(part)):
            blocks.append(result)
        return blocks

    def _whole(self, block: JsonObject) -> bytes:
        """A whole block as start, deltas, stop."""
        match block.get("type"):
            case "text":
                told = self._begin({**block, "text": ""}, "text") + self._piece(block["text"])
            case "thinking":
                told = self._begin({**block, "thinking": "", "signature": ""}, "thinking")
                told += self._piece(block["thinking"]) if block["thinking"] else b""
                told += self._delta_prefix("signature") + json.encode(block["signature"]) + _TAIL
            case "tool_use" | "server_tool_use" | "mcp_tool_use":
                told = self._begin({**block, "input": {}}, "input") + self._piece(
                    json.encode_text(block["input"])
                )
            case _:
                told = self._begin(block, "text")
        self._open = False
        return told + self._stop()

    def _begin(self, block: JsonObject, kind: str, *, quick: str = "") -> bytes:
        """Start a block; pieces of the channel `quick` then go the quick way."""
        self._open, self._channel = True, quick
        self._prefix = self._delta_prefix(kind)
        return _frame("content_block_start", {"index": self._index, "content_block": block})

    def _delta_prefix(self, kind: str) -> bytes:
        return _DELTA % (self._index, *_PIECES[kind])

    def _piece(self, text: str) -> bytes:
        return self._prefix + json.encode(text) + _TAIL

    def _stop(self) -> bytes:
        self._index += 1
        return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % (
            self._index - 1
        )


def _frame(kind: str, members: JsonObject) -> bytes:
    return named_frame(kind.encode(), json.encode({"type": kind, **members}))
