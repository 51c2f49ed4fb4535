"""Events → chunks of a stream.

A piece of text is one chunk, put together from bytes that are the same for every chunk; all else is written when its part
is complete, because Gemini has no pieces of anything else. The last chunk holds the finish of every candidate and the
usage, with an empty text like Google's own: Python's chat sessions forget a turn whose chunks lack a part.

Nothing but `data:` lines and blank lines may appear: comments, event names and `[DONE]` break Google's SDKs.
"""

import msgspec

from allgate.core.usage import Usage, merged
from allgate.dialects.contract import Asked
from allgate.dialects.gemini.address import wants_array
from allgate.dialects.gemini.errors import status_body
from allgate.dialects.gemini.framing import ARRAY_CONTENT_TYPE, KEEP_ALIVE, SSE_CONTENT_TYPE, ArrayWriter
from allgate.dialects.gemini.parts_encode import PartsEncoder
from allgate.dialects.gemini.response_encode import block_of, ending, envelope
from allgate.operations.chat.events import (
    Closed,
    Delta,
    Ended,
    Event,
    Failed,
    Finished,
    Start,
    Tick,
    UsageSeen,
)
from allgate.operations.chat.parts import Hosted, Part, Refusal, Text, Thinking
from allgate.operations.chat.response import Finish
from allgate.wire.json import JsonObject, encode
from allgate.wire.sse import data_frame

_encode = msgspec.json.Encoder().encode
_HEAD = b'{"candidates":[{"content":{"parts":[{'
_TEXT_HEAD = b"data: " + _HEAD + b'"text":'
_VISIBLE = frozenset({"text", "refusal"})
_THOUGHTS = frozenset({"thinking", "summary"})


class _Candidate:
    """What one candidate has written so far, and the bytes around its next piece of text."""

    __slots__ = (
        "encoder",
        "finish",
        "grounded",
        "index",
        "segment",
        "spoke",
        "tail",
        "text_head",
        "thought_head",
    )

    def __init__(self, index: int, asked: Asked, *, framed: bool) -> None:
        self.index = index
        self.encoder = PartsEncoder(asked)
        self.finish: Finish | None = None
        self.grounded: list[Part] = []  # texts and searches, for the sources at the end
        self.segment = 0
        self.spoke = False
        head = b"data: " + _HEAD if framed else _HEAD
        tail = b'}],"role":"model"},"index":%d}],%s' % (index, encode(envelope([], None, asked))[1:])
        self.text_head = _TEXT_HEAD if framed else _HEAD + b'"text":'
        self.thought_head = head + b'"thought":true,"text":'
        self.tail = tail + b"\n\n" if framed else tail


class GeminiStreamEncoder:
    """emit(event) → bytes for the client. `content_type` is that of the framing it asked for."""

    __slots__ = ("_array", "_asked", "_candidates", "_speaking", "_tail", "_usage", "content_type")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._array = ArrayWriter() if wants_array(asked.request) else None
        self._candidates: dict[int, _Candidate] = {}
        self._usage: Usage | None = None
        self._speaking: int | None = None
        """The candidate whose text goes on: its last piece left as an event of its own, and nothing else came since."""
        self._tail = b""  # of its pieces
        self.content_type = SSE_CONTENT_TYPE if self._array is None else ARRAY_CONTENT_TYPE

    def emit(self, event: Event) -> bytes:
        """The bytes of an event. Nearly all are pieces of a text that goes on: these touch nothing else of the stream."""
        if type(event) is not Delta:
            self._speaking = None
            return self._told(event)
        if event.choice == self._speaking and event.channel == "text" and event.text:
            try:
                return _TEXT_HEAD + _encode(event.text) + self._tail
            except (UnicodeEncodeError, ValueError):
                pass  # half an emoji
        return self._piece(event)

    def _piece(self, event: Delta) -> bytes:
        text = event.text
        if not text:
            return b""
        candidate = self._candidates.get(event.choice) or self._candidate(event.choice)
        if event.channel in _VISIBLE:
            candidate.spoke = True
            if candidate.encoder.waiting:
                return self._chunk(candidate, candidate.encoder.sealed([{"text": text}], ()))
            head = candidate.text_head
            if self._array is None:
                self._speaking, self._tail = event.choice, candidate.tail
        elif event.channel in _THOUGHTS and candidate.encoder.shown:
            if event.segment != candidate.segment:
                candidate.segment = event.segment
                text = "\n\n" + text
            head = candidate.thought_head
        else:
            return b""
        piece = head + encode(text) + candidate.tail
        return piece if self._array is None else self._array.member(piece)

    def _told(self, event: Event) -> bytes:
        match event:
            case Closed():
                return self._closed(event)
            case UsageSeen():
                self._usage = merged(self._usage, event.usage)
            case Start():
                self._usage = event.usage
            case Finished():
                self._candidate(event.choice).finish = event.finish
            case Ended():
                return self._ended(event)
            case Failed():
                return self._framed(encode(status_body(event.failure))) + self._terminator()
            case Tick():
                return KEEP_ALIVE
            case _:
                pass
        return b""

    def _closed(self, event: Closed) -> bytes:
        candidate = self._candidate(event.choice)
        encoder, part = candidate.encoder, event.part
        if isinstance(part, (Text, Hosted)):
            candidate.grounded.append(part)
        match part:
            case Thinking():
                candidate.segment = 0
                return self._chunk(candidate, encoder.after_thought(part))
            case Text() | Refusal():
                return self._chunk(candidate, encoder.after_text(part.seals))
            case _:
                return self._chunk(candidate, encoder.closed(part))

    def _ended(self, event: Ended) -> bytes:
        if event.usage is not None:
            self._usage = merged(self._usage, event.usage)
        finishes = [candidate.finish for candidate in self._candidates.values() if candidate.finish]
        spoke = any(candidate.spoke or candidate.grounded for candidate in self._candidates.values())
        own = event.extra.get("gemini")
        if own and (blocked := block_of(own, finishes, spoke)):
            body: JsonObject = {"promptFeedback": blocked, **envelope([], self._usage, self._asked)}
        else:
            last = [self._last(candidate, event) for _, candidate in sorted(self._candidates.items())]
            body = envelope(last, self._usage, self._asked)
        return self._framed(encode(body)) + self._terminator()

    def _last(self, candidate: _Candidate, event: Ended) -> JsonObject:
        assert candidate.finish is not None, "the grammar of events: every candidate finishes before the end"
        parts = candidate.encoder.rest() or [{"text": ""}]
        ended = ending(
            candidate.index,
            candidate.finish,
            candidate.grounded,
            event.extra.get("gemini"),
            malformed=candidate.encoder.malformed,
        )
        return {"content": {"parts": parts, "role": "model"}, **ended}

    def _chunk(self, candidate: _Candidate, parts: list[JsonObject]) -> bytes:
        if not parts:
            return b""
        content: JsonObject = {"parts": parts, "role": "model"}
        candidate.spoke = True
        return self._framed(
            encode(envelope([{"content": content, "index": candidate.index}], None, self._asked))
        )

    def _framed(self, data: bytes) -> bytes:
        return data_frame(data) if self._array is None else self._array.member(data)

    def _terminator(self) -> bytes:
        return b"" if self._array is None else self._array.end()

    def _candidate(self, index: int) -> _Candidate:
        if index not in self._candidates:
            self._candidates[index] = _Candidate(index, self._asked, framed=self._array is None)
        return self._candidates[index]
