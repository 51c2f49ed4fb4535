"""Looks at a passed-through reply for what money and health need, and leaves its bytes alone.

A stream is let through frame by frame except for three things: a usage chunk that the client did not ask for is
withheld, `[DONE]` waits for `close`, and an unfinished frame waits for its rest. Half an emoji or a byte that is not UTF-8
is let through: the client may well understand it. An error in band, or a frame that is no JSON at all, is a failure of the
provider: it is withheld with all that follows, because no client could read it either.

The common case, bytes that are one frame with a piece of the answer, is parsed into a small struct (0.4 µs) and returned as
it came.
"""

from io import StringIO

from allgate.core.errors import Failure, WireError
from allgate.core.usage import Usage, merged
from allgate.dialects.contract import Facts, Head
from allgate.dialects.openai_chat.chunks import (
    CallPiece,
    Chunk,
    Message,
    read_chunk,
    read_whole,
)
from allgate.dialects.openai_chat.details import text_of_details
from allgate.dialects.openai_chat.errors import error_in_frame, no_completion
from allgate.dialects.openai_chat.pieces import SURPRISES_MAX, read_ordinary
from allgate.dialects.openai_chat.plain_reply import plain_facts
from allgate.dialects.openai_chat.stream_encode import DONE_FRAME
from allgate.dialects.openai_chat.usage import usage_of
from allgate.operations.chat.caps import Caps
from allgate.wire.sse import SseFrame, SseSplitter

_DONE = b"[DONE]"


class _Seen:
    """What a reply has shown so far, in its choices and beside them."""

    __slots__ = ("_excludes_reasoning", "finished", "open", "speaks", "started", "text", "usage")

    def __init__(self, *, excludes_reasoning: bool = False) -> None:
        self._excludes_reasoning = excludes_reasoning
        self.started = False
        self.speaks = False  # the first choice brought text, of which more is likely to come
        self.open: set[int] = set()
        self.finished: set[int] = set()
        self.text = StringIO()
        self.usage: Usage | None = None

    def look(self, chunk: Chunk, *, tier: bool = False) -> None:
        """`tier`: what the provider served counts also where it tells no usage."""
        for choice in chunk.choices or ():
            self.open.add(choice.index)
            message = choice.delta or choice.message
            if message is not None:
                if message.content:
                    self.started = True
                    self.speaks = choice.index == 0
                    self.text.write(message.content)
                else:
                    self.speaks = False
                    self._look_closer(message)
                if message.tool_calls:
                    self._look_at_calls(message.tool_calls)
            elif choice.text:
                self.started = True
                self.text.write(choice.text)
            if choice.finish_reason:
                self.finished.add(choice.index)
        if tier or chunk.usage is not None or chunk.x_groq is not None:
            usage = usage_of(chunk, excludes_reasoning=self._excludes_reasoning)
            if usage is not None:
                self.usage = usage if self.usage is None else merged(self.usage, usage)

    @property
    def complete(self) -> bool:
        return bool(self.open) and self.open == self.finished

    def _look_closer(self, message: Message) -> None:
        """Reasoning counts as output: it is billed, and a client has seen it."""
        thinking = message.reasoning_content or message.reasoning or message.thinking
        for text in (thinking or text_of_details(message.reasoning_details or []), message.refusal):
            if text:
                self.started = True
                self.text.write(text)
        if message.images or message.audio:
            self.started = True
        if message.function_call:
            self.started = True
            self.text.write((message.function_call.name or "") + (message.function_call.arguments or ""))

    def _look_at_calls(self, pieces: list[CallPiece]) -> None:
        self.started = True
        for piece in pieces:
            if inner := piece.function:
                self.text.write((inner.name or "") + (inner.arguments or ""))
            elif piece.custom:
                self.text.write((piece.custom.name or "") + (piece.custom.input or ""))


class ChatStreamMeter:
    """feed(bytes) → the bytes that may leave now; close() → the held rest; facts() → what was seen."""

    __slots__ = (
        "_done", "_finish_optional", "_seen", "_splitter", "_surprises", "_wants_usage", "failure", "started",
    )  # fmt: skip

    def __init__(self, head: Head, caps: Caps) -> None:
        self.started = False
        self._wants_usage = head.stream_usage
        self._finish_optional = caps.finish_optional
        self._splitter = SseSplitter()
        self._surprises = 0
        self._seen = _Seen(excludes_reasoning=caps.usage_excludes_reasoning)
        self._done = b""  # the terminator and whatever came behind it
        self.failure: Failure | None = None

    def feed(self, chunk: bytes) -> bytes:
        """What of `chunk`, and of what waited for its rest, may leave."""
        if self._splitter.aligned and not self._done and self.failure is None:
            expected = self._seen.speaks and self._surprises < SURPRISES_MAX
            piece = read_ordinary(chunk, after_text=expected)
            if isinstance(piece, str):
                self._seen.text.write(piece)
                return chunk
            self._surprises += expected
            if piece is not None:
                self._seen.look(piece)
                self.started = self._seen.started
                return chunk
        try:
            frames = self._splitter.feed(chunk)
        except WireError as error:
            self.failure = self.failure or error.failure
            return b""
        if len(frames) == 1 and frames[0].raw is chunk:
            return chunk if self._passes(frames[0]) else b""
        return b"".join([frame.raw for frame in frames if self._passes(frame)])

    def close(self) -> bytes:
        """The terminator, added where the provider sends none; nothing if the answer is not complete."""
        rest = self._splitter.close()
        last = rest.raw.rstrip(b"\r\n") + b"\n\n" if rest is not None and self._passes(rest) else b""
        return last + (self._done or DONE_FRAME) if self.facts().finished else b""

    def facts(self) -> Facts:
        seen = self._seen
        by_usage = self._finish_optional and seen.usage is not None
        return Facts(
            usage=seen.usage,
            finished=self.failure is None and (seen.complete or by_usage),
            empty=not seen.started,
            failure=self.failure,
            text=seen.text.getvalue(),
        )

    def _passes(self, frame: SseFrame) -> bool:
        """Look at a frame; False if it is withheld."""
        if self.failure is not None:
            return False
        if self._done or frame.data == _DONE:
            self._done += frame.raw
            return False
        if not frame.data:
            return True
        try:
            chunk = read_chunk(frame.data)
        except WireError as error:
            self.failure = error.failure
            return False
        unusual = not chunk.choices or chunk.error is not None
        if unusual and (failure := error_in_frame(frame.data, frame.event)) is not None:
            self.failure = failure
            return False
        self._seen.look(chunk, tier=unusual)
        self.started = self._seen.started
        return not unusual or chunk.usage is None or self._wants_usage


def read_facts(body: bytes) -> Facts:
    """The facts of a whole reply. Raises: WireError: no chat completion."""
    return plain_facts(body) or read_any_facts(body)


def read_any_facts(body: bytes) -> Facts:
    """The same, as those of one large chunk."""
    chunk = read_whole(body)
    if not chunk.choices:
        raise no_completion(body)
    seen = _Seen()
    seen.look(chunk, tier=True)
    return Facts(usage=seen.usage, finished=True, empty=not seen.started, text=seen.text.getvalue())
