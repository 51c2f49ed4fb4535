"""Watches a stream that is passed through, and reads the facts of a whole reply.

Gemini has no terminator: any chunk may be the last one. So the newest frame is always held back, until the next one is
complete or the body ends; the bytes themselves are never changed. Of each frame only text, finish and usage are read.
An error in band, or a frame that is no JSON at all, is a failure of the provider and stays here with all that follows.
"""

import msgspec

from allgate.core.errors import Failure, WireError, wire_error
from allgate.dialects.contract import Facts, Head
from allgate.dialects.gemini.chunk import PlainChunk, decode_plain, plain_reply
from allgate.dialects.gemini.errors import failure_of
from allgate.dialects.gemini.framing import DONE, PayloadSplitter
from allgate.dialects.gemini.grounding import members, searches_in
from allgate.dialects.gemini.members import many_at
from allgate.dialects.gemini.usage import DIGITS, Snapshots, UsageMetadata, counts_output, usage_of
from allgate.dialects.passes.lenient import objects_of, text_of
from allgate.operations.chat.caps import Caps
from allgate.wire.json import Json, JsonObject, decode_lenient, encode
from allgate.wire.sse import plain_data

TEXT_CHARACTERS_MAX = 4_000_000
"""Text kept for an estimate: eight times the output of the largest model."""


class Reading:
    """The facts of a reply so far."""

    __slots__ = (
        "_finish_optional", "_finished", "_room", "_searches", "_seen", "_snapshots", "_texts", "_usage_last", "failure",
        "started",
    )  # fmt: skip

    def __init__(self, *, finish_optional: bool) -> None:
        self._finish_optional = finish_optional
        self._snapshots = Snapshots()
        self._usage_last = False
        self._texts: list[str] = []
        self._room = TEXT_CHARACTERS_MAX
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._searches: dict[int, int] = {}
        self.failure: Failure | None = None
        self.started = False

    def take(self, chunk: PlainChunk) -> None:
        """One frame, as nearly all are."""
        for candidate in chunk.candidates:
            if candidate.content is not None:
                for part in candidate.content.parts:
                    if text := part.text:
                        self.started = True
                        self._room -= len(text)
                        if self._room >= 0:
                            self._texts.append(text)
            (self._seen if candidate.finish_reason is None else self._finished).add(candidate.index)
        usage, snapshots = bytes(chunk.usage_metadata), self._snapshots
        self._usage_last = usage != b""
        if self._usage_last and usage.translate(None, DIGITS) == snapshots.shape:
            snapshots.newest = usage
        elif self._usage_last:
            snapshots.see(usage)

    def take_json(self, value: Json) -> None:
        """One frame, member by member."""
        chunk = members(value)
        if "error" in chunk:
            self.failure = failure_of(chunk["error"], None)
            return
        for candidate in objects_of(chunk.get("candidates")):
            self._candidate(members(candidate))
        if members(chunk.get("promptFeedback")).get("blockReason"):
            self._finished.add(0)
        self._usage_last = "usageMetadata" in chunk
        if self._usage_last:
            self._snapshots.see(encode(chunk["usageMetadata"]))

    def facts(self) -> Facts:
        """A candidate that began and has not finished keeps the reply unfinished."""
        metadata = self._snapshots.metadata()
        return Facts(
            usage=None if metadata is None else usage_of(metadata, sum(self._searches.values()) or None),
            finished=(bool(self._finished) and self._seen <= self._finished) or self._ends_with(metadata),
            empty=not self.started,
            failure=self.failure,
            text="".join(self._texts),
        )

    def _ends_with(self, metadata: UsageMetadata | None) -> bool:
        """Whether usage may stand for a finish: it came last, and counts the answer, where there is one."""
        counted = not self.started or counts_output(metadata)
        return self._finish_optional and self._usage_last and counted and self.failure is None

    def _candidate(self, candidate: JsonObject) -> None:
        index = candidate.get("index")
        index = index if isinstance(index, int) else 0
        for part in objects_of(members(candidate.get("content")).get("parts")):
            self._part(members(part))
        if count := searches_in(members(candidate.get("groundingMetadata"))):
            self._searches[index] = max(count, self._searches.get(index, 0))
        (self._seen if candidate.get("finishReason") is None else self._finished).add(index)

    def _part(self, part: JsonObject) -> None:
        if text := text_of(part.get("text")):
            self._keep(text)
        if part.keys() - {"text", "thought", "thoughtSignature"}:
            self.started = True
            self._keep(str(members(part.get("functionCall")).get("args") or ""))

    def _keep(self, text: str) -> None:
        self.started = True
        self._room -= len(text)
        if self._room >= 0:
            self._texts.append(text)


class GeminiMeter:
    """Lets all but the newest frame through. Frames that break Google's SDKs (comments, `[DONE]`) stay here."""

    __slots__ = ("_frames", "_held", "_reading", "failure", "started")

    def __init__(self, head: Head, caps: Caps) -> None:
        del head  # the address and the bytes say all
        self.started = False
        self.failure: Failure | None = None
        self._frames = PayloadSplitter()
        self._reading = Reading(finish_optional=caps.finish_optional)
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """What came before the newest complete frame."""
        if self._frames.aligned and self.failure is None and (data := plain_data(chunk)):
            # One frame and nothing else, as nearly every chunk is: no splitter is needed.
            try:
                self._reading.take(decode_plain(data))
            except (msgspec.DecodeError, ValueError):
                return self._newer(data, chunk)
            self.started = self._reading.started
            leaving, self._held = self._held, chunk
            return leaving
        try:
            frames = self._frames.feed(chunk)
        except WireError as error:
            self.failure = self.failure or error.failure
            return b""
        return b"".join([self._newer(frame.data, frame.raw) for frame in frames])

    def close(self) -> bytes:
        """The newest frame and the end of an array; nothing if the answer is not complete."""
        frames, rest = self._frames.close()
        leaving = b"".join([self._newer(frame.data, frame.raw) for frame in frames]) + self._held
        if not self.facts().finished:
            return b""
        if frames:
            rest = b"\r\n\r\n"  # the last frame came without its empty line
        elif self._frames.is_array and not rest.strip():
            rest = b"]"
        return leaving + rest

    def facts(self) -> Facts:
        return self._reading.facts()

    def _newer(self, data: bytes, raw: bytes) -> bytes:
        """Hold this frame, and let the one go that was held."""
        if self.failure is not None:
            return b""
        if not data or data == DONE:
            if not raw.strip():
                self._held += raw
            return b""
        try:
            self._reading.take(decode_plain(data))
        except (msgspec.DecodeError, ValueError):
            self._look_closer(data)
            if self.failure is not None:
                return b""
        self.started = self._reading.started
        leaving, self._held = self._held, raw
        return leaving

    def _look_closer(self, data: bytes) -> None:
        """A frame that is not plain, member by member. One that is no JSON at all is a failure of the provider."""
        try:
            self._reading.take_json(decode_lenient(data))
            self.failure = self._reading.failure
        except WireError as error:
            self.failure = self._reading.failure = error.failure
        self.started = self._reading.started


def read_facts(body: bytes) -> Facts:
    """Usage and finish of a whole reply. Raises: WireError: not a reply of generateContent."""
    return _plain_facts(body) or read_members(body)


def _plain_facts(body: bytes) -> Facts | None:
    """Those of one candidate that has finished; None where there is anything else, or a text too long to be kept."""
    reply = plain_reply(body) if len(body) <= TEXT_CHARACTERS_MAX else None
    if reply is None or len(reply.candidates) != 1 or reply.candidates[0].finish_reason is None:
        return None
    content, metadata = reply.candidates[0].content, reply.usage_metadata
    text = "" if content is None else "".join([part.text for part in content.parts])
    return Facts(
        usage=None if metadata is None else usage_of(metadata), finished=True, empty=not text, text=text
    )


def read_members(body: bytes) -> Facts:
    """Those of any reply, member by member. Raises: WireError."""
    reading = Reading(finish_optional=True)
    for reply in many_at(decode_lenient(body), "reply"):
        if not members(reply).keys() & {"candidates", "promptFeedback", "usageMetadata", "error"}:
            raise wire_error("The body is not a reply of generateContent: it has no candidates")
        reading.take_json(reply)
    return reading.facts()
