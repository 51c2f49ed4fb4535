"""Looks at a passed-through stream for what money and health need, and leaves its bytes alone.

It is let through frame by frame; only the terminal event waits for `close`, so that it leaves after the charge is
durable, and an unfinished frame waits for its rest. An error in band, or a frame that is no JSON at all, is a failure of
the provider: it is withheld with all that follows. Half an emoji is let through: the client may well understand it.

The common case, a chunk that is one frame of a delta, is parsed into a small struct and returned as it came.
"""

from io import StringIO

import msgspec

from allgate.core.errors import Failure, WireError
from allgate.core.usage import Usage
from allgate.dialects.contract import Facts
from allgate.dialects.openai_responses.facts import text_in
from allgate.dialects.openai_responses.stream_frames import cut, is_several, read_text_delta
from allgate.dialects.openai_responses.usage import usage_in
from allgate.dialects.passes.lenient import object_of, objects_of, text_of
from allgate.dialects.passes.openai_errors import failure_of
from allgate.wire.json import Json, JsonObject, decode_lenient, object_at
from allgate.wire.sse import SseFrame, SseSplitter

_DONE = b"[DONE]"
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.done", "response.cancelled"})
_FAILED = frozenset({"response.failed", "error"})
_SILENT_ITEMS = frozenset({"message", "reasoning"})
"""Items whose announcement tells nothing yet."""


class _Look(msgspec.Struct, gc=False):
    """The members of an event that a meter reads."""

    type: str = ""
    delta: str = ""
    item: JsonObject | None = None
    response: JsonObject | None = None
    error: Json = None
    message: str | None = None
    code: str | None = None


_looks = msgspec.json.Decoder(_Look)


class ResponsesStreamMeter:
    """feed(bytes) → the bytes that may leave now; close() → the held rest; facts() → what was seen."""

    __slots__ = (
        "_finished", "_held", "_splitter", "_text", "_usage", "failure", "started",
    )  # fmt: skip

    def __init__(self) -> None:
        self.started = False
        self.failure: Failure | None = None
        self._splitter = SseSplitter()
        self._held = b""  # the terminal event and whatever came behind it
        self._finished = False
        self._usage: Usage | None = None
        self._text = StringIO()

    def feed(self, chunk: bytes) -> bytes:
        """What of `chunk`, and of what waited for its rest, may leave."""
        passing = self._splitter.aligned and not self._held and self.failure is None
        if passing and (text := read_text_delta(chunk)) is not None:
            self.started = True
            self._text.write(text.delta)
            return chunk
        if is_several(chunk):
            return b"".join([self.feed(frame) for frame in cut(chunk)])
        try:
            frames = self._splitter.feed(chunk)
        except WireError as error:
            self.failure = self.failure or error.failure
            return b""
        return b"".join([frame.raw for frame in frames if self._passes(frame)])

    def close(self) -> bytes:
        """The terminal event; nothing if there was none, because then the answer is not complete."""
        last = b""
        if rest := self._splitter.close():
            whole = SseFrame(rest.event, rest.data, rest.raw.rstrip(b"\r\n") + b"\n\n")
            last = whole.raw if self._passes(whole) else b""
        return last + self._held if self.facts().finished else b""

    def facts(self) -> Facts:
        return Facts(
            usage=self._usage,
            finished=self._finished and self.failure is None,
            empty=not self.started,
            failure=self.failure,
            text=self._text.getvalue(),
        )

    def _passes(self, frame: SseFrame) -> bool:
        """Look at a frame; False if it is withheld."""
        if self.failure is not None:
            return False
        if self._held:
            self._held += frame.raw
            return False
        if not frame.data or frame.data == _DONE:
            return True
        try:
            look = _looks.decode(frame.data)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return self._passes_odd(frame)
        if look.delta:
            self.started = True
            self._text.write(look.delta)
            return True
        return self._passes_rare(look, frame)

    def _passes_odd(self, frame: SseFrame) -> bool:
        """A frame with odd types or characters."""
        try:
            source = object_at(decode_lenient(frame.data, "event"), "event")
        except WireError as error:
            self.failure = error.failure
            return False
        look = _Look(
            type=text_of(source.get("type")),
            delta=text_of(source.get("delta")),
            item=object_of(source.get("item")) or None,
            response=object_of(source.get("response")) or None,
            error=source.get("error"),
        )
        self.started = self.started or bool(look.delta)
        self._text.write(look.delta)
        return self._passes_rare(look, frame)

    def _passes_rare(self, look: _Look, frame: SseFrame) -> bool:
        kind = look.type or frame.event.decode("latin-1")
        response = look.response or {}
        if kind in _FAILED or (kind in _TERMINAL and response.get("status") == "failed"):
            error = object_of(response.get("error")) or object_of(look.error)
            self.failure = failure_of(error or {"message": look.message, "code": look.code})
            return False
        if kind in _TERMINAL:
            self._finished = True
            self._usage = usage_in(response)
            self._tell_untold(response)
            self._held = frame.raw
            return False
        if look.item is not None and (
            kind.endswith(".done") or text_of(look.item.get("type")) not in _SILENT_ITEMS
        ):
            self.started = True
            if kind.endswith(".added"):
                self._text.write(text_of(look.item.get("name")))
        return True

    def _tell_untold(self, response: JsonObject) -> None:
        """Some servers send no pieces at all: then the terminal event holds everything."""
        output = objects_of(response.get("output"))
        self.started = self.started or bool(output)
        if self._usage is None and not self._text.tell():
            self._text.write(text_in(output))
