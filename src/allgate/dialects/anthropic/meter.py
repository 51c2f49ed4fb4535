"""Looks at a passed-through reply for what money and health need, and leaves its bytes alone.

Two things are held back until `close`: message_stop, which must wait for the charge, and an unfinished frame, so that
whatever the gateway itself says later begins on a line of its own. Half an emoji or a byte that is not UTF-8 is let
through: the client may well understand it. An error in band, or a frame that is no JSON at all, is a failure of the
provider: it is withheld with all that follows, because no client could read it either.

The common case, a chunk that is one content_block_delta, is parsed into a small struct and returned as it came.
"""

from io import StringIO

import msgspec

from allgate.core.errors import Failure, WireError, wire_error
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.anthropic.content import plain_text
from allgate.dialects.anthropic.errors import failure_in_stream
from allgate.dialects.anthropic.pieces import DELTA, decode_delta, lone_delta, odd_piece
from allgate.dialects.anthropic.stream_encode import STOP_FRAME
from allgate.dialects.anthropic.usage import decode_usage, updated
from allgate.dialects.contract import Facts, Head
from allgate.dialects.passes.lenient import object_of, text_of
from allgate.operations.chat.caps import Caps
from allgate.wire.json import JsonObject, decode_lenient, encode_text
from allgate.wire.sse import SseFrame, SseSplitter


class AnthropicStreamMeter:
    """feed(bytes) → the bytes that may leave now; close() → the held rest; facts() → what was seen."""

    __slots__ = (
        "_empty", "_held", "_output_said", "_splitter", "_stopped", "_text", "_usage", "failure", "started",
    )  # fmt: skip

    def __init__(self, head: Head, caps: Caps) -> None:
        del head, caps  # nothing here depends on them: usage is always in the stream
        self.started = False
        self.failure: Failure | None = None
        self._splitter = SseSplitter()
        self._held = b""  # the terminator and whatever came behind it
        self._text = StringIO()
        self._empty = True
        self._usage: JsonObject = {}
        self._output_said = False  # message_delta gave the count; that of message_start is a placeholder
        self._stopped = False

    def feed(self, chunk: bytes) -> bytes:
        """What of `chunk`, and of what waited for its rest, may leave."""
        quick = self._splitter.aligned and not self._held and self.failure is None
        if quick and (delta := lone_delta(chunk)) is not None:
            piece = delta.delta
            if text := piece.text or piece.partial_json or piece.thinking:
                self.started, self._empty = True, False
                self._text.write(text)
            return chunk
        try:
            frames = self._splitter.feed(chunk)
        except WireError as error:
            self.failure = self.failure or error.failure
            return b""
        return b"".join(frame.raw for frame in frames if self._passes(frame))

    def close(self) -> bytes:
        """The terminator, added where the provider sends none; nothing if the answer is not complete."""
        rest = self._splitter.close()
        last = rest.raw.rstrip(b"\r\n") + b"\n\n" if rest is not None and self._passes(rest) else b""
        return last + (self._held or STOP_FRAME) if self.facts().finished else b""

    def facts(self) -> Facts:
        usage = decode_usage(self._usage) if self._usage else None
        if usage is not None and not self._output_said:
            usage = changed(usage, output_tokens=None)
        return Facts(
            usage=usage,
            finished=self._stopped and self.failure is None,
            empty=self._empty,
            failure=self.failure,
            text=self._text.getvalue(),
        )

    def _passes(self, frame: SseFrame) -> bool:
        """Look at a frame; False if it is held back."""
        if self.failure is not None:
            return False
        if self._held or frame.event == b"message_stop":
            self._stopped = True
            self._held += frame.raw
            return False
        if frame.event == DELTA:
            return self._delta(frame.data)
        return self._rare(frame) if frame.data and frame.data != b"[DONE]" else True

    def _delta(self, data: bytes) -> bool:
        try:
            delta = decode_delta(data).delta
        except (msgspec.DecodeError, ValueError):
            event = self._read(data)
            if event is None:
                return False
            delta = odd_piece(object_of(event.get("delta")))
        if text := delta.text or delta.partial_json or delta.thinking:
            self.started, self._empty = True, False
            self._text.write(text)
        return True

    def _read(self, data: bytes) -> JsonObject | None:
        """A frame as an object; None, and a failure, where it is no JSON."""
        try:
            return object_of(decode_lenient(data, "stream"))
        except WireError as error:
            self.failure = error.failure
            return None

    def _rare(self, frame: SseFrame) -> bool:
        """Any frame but a named delta or a named end; False if it is held back."""
        event = self._read(frame.data)
        if event is None:
            return False
        match text_of(event.get("type")) or frame.event.decode("latin-1"):
            case "content_block_delta":
                return self._delta(frame.data)
            case "content_block_start":
                self._look_at_start(object_of(event.get("content_block")))
            case "message_start":
                self._usage = updated(self._usage, object_of(object_of(event.get("message")).get("usage")))
            case "message_delta":
                usage = object_of(event.get("usage"))
                self._usage = updated(self._usage, usage)
                self._output_said = self._output_said or usage.get("output_tokens") is not None
                self._stopped = self._stopped or object_of(event.get("delta")).get("stop_reason") is not None
            case "message_stop":
                self._stopped, self._held = True, frame.raw
                return False
            case kind if kind == "error" or "error" in event:
                self.failure = failure_in_stream(event)
                return False
            case _:
                pass
        return True

    def _look_at_start(self, block: JsonObject) -> None:
        """An empty text or thinking is not content yet; any other block is."""
        if _is_hollow(block):
            return
        self.started, self._empty = True, False
        self._text.write(_counted_text({**block, "input": {}} if "input" in block else block))


def read_any_facts(body: bytes) -> Facts:
    """The facts of a whole reply, whatever it holds. Raises: WireError: no Messages reply, or an error in the place of one."""
    reply = object_of(decode_lenient(body))
    if reply.get("type") == "error":
        raise WireError(failure_in_stream(reply))
    if not isinstance(reply.get("content"), list):
        raise wire_error("The reply is not a Messages reply: it has no content")
    raw_usage = object_of(reply.get("usage"))
    usage: Usage | None = decode_usage(raw_usage) if raw_usage else None
    empty = True
    texts: list[str] = []
    for block in reply["content"]:
        if (text := plain_text(block)) is not None:
            empty = empty and not text
            texts.append(text)
        elif dict is type(block):
            empty = empty and _is_hollow(block)
            texts.append(_counted_text(block))
    return Facts(usage=usage, finished=True, empty=empty, text="".join(texts))


def _is_hollow(block: JsonObject) -> bool:
    """A text or thinking without a word; every other block is content."""
    return block.get("type") in ("text", "thinking") and not block.get("text") and not block.get("thinking")


def _counted_text(block: JsonObject) -> str:
    called = text_of(block.get("name")) + encode_text(block["input"]) if "input" in block else ""
    return text_of(block.get("text")) + text_of(block.get("thinking")) + called
