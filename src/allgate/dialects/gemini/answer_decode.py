"""A provider's reply → events, whether it comes whole or in chunks.

A whole reply is a stream of one chunk, so there is one reading of every member, and a folded stream equals the whole
answer. The finish of a candidate is told when the reply has ended: sources, log probabilities and usage may come after
it, and a call in any chunk turns STOP into tool_calls. Usage is a snapshot in nearly every chunk; the newest counts.

A reply in which a member has another type than it should loses that member and nothing else.
"""

from datetime import datetime

import msgspec

from allgate.core.errors import ErrorKind, Failure, WireError, wire_error
from allgate.core.usage import Usage
from allgate.dialects.contract import Sent
from allgate.dialects.gemini.choice_decode import ChoiceDecoder, answering
from allgate.dialects.gemini.chunk import PlainChunk, decode_plain
from allgate.dialects.gemini.errors import failure_of
from allgate.dialects.gemini.grounding import citations_of, hosted_calls, members, searches_in
from allgate.dialects.gemini.logprobs import logprobs_of
from allgate.dialects.gemini.parts_decode import part_of
from allgate.dialects.gemini.request_encode import names_for
from allgate.dialects.gemini.usage import DIGITS, Snapshots, counts_output, usage_of
from allgate.dialects.passes.lenient import count_of, objects_of, text_of, text_or_none
from allgate.operations.chat.events import Ended, Event, Failed, Finished, Start, UsageSeen
from allgate.operations.chat.parts import Extra, Opaque, Text, Thinking, ToolCall
from allgate.operations.chat.response import Finish
from allgate.wire.json import Json, JsonObject, decode_lenient, encode

CHOICES_MAX = 64
"""Candidates of one reply: Google's own bound is 8."""

_READ = frozenset({"content", "finishReason", "finishMessage", "index", "logprobsResult"})


class AnswerDecoder:
    """take(bytes of one chunk)… then finish(). Events are appended to `events`, which its owner hands out and clears."""

    __slots__ = (
        "_about",
        "_caps",
        "_choices",
        "_events",
        "_extra",
        "_feedback",
        "_over",
        "_rest",
        "_snapshots",
        "_usage_last",
    )

    def __init__(self, sent: Sent, events: list[Event]) -> None:
        self._caps = sent.caps
        self._about = answering(sent, names_for(sent.request, sent.caps))
        self._events = events
        self._choices: dict[int, ChoiceDecoder] = {}
        self._rest: dict[int, JsonObject] = {}  # what a candidate says beside its content
        self._snapshots = Snapshots()
        self._usage_last = False  # the newest chunk had usage
        self._feedback: JsonObject = {}
        self._extra: JsonObject | None = None  # None until the first chunk
        self._over = False

    def take(self, data: bytes) -> None:
        """One reply of the stream. Raises: WireError: not JSON."""
        if self._over:
            return
        try:
            chunk = decode_plain(data)
        except (msgspec.DecodeError, ValueError):
            self.take_json(decode_lenient(data))
            return
        self.take_plain(chunk)

    def take_plain(self, chunk: PlainChunk) -> None:
        """One reply of the stream that is plain."""
        if self._over:
            return
        if self._extra is None:
            self._start(chunk.response_id, chunk.model_version, chunk.create_time)
        for candidate in chunk.candidates:
            choice = self._choices.get(candidate.index) or self._choice(candidate.index)
            if candidate.content is not None:
                for part in candidate.content.parts:
                    if part.thought is choice.open_thought and part.text and part.thought_signature is None:
                        choice.append_text(choice.key, part.text)  # nearly every chunk of a stream
                    else:
                        choice.text(part.text, part.thought, part.thought_signature)
            if candidate.finish_reason is not None:
                choice.finish_reason = candidate.finish_reason
        usage, snapshots = bytes(chunk.usage_metadata), self._snapshots
        if usage and usage.translate(None, DIGITS) == snapshots.shape:
            snapshots.newest, self._usage_last = usage, True
        else:
            self._see_usage(usage)

    def went_on(self, choice: int, text: str, usage: bytes) -> None:
        """Pieces of the open text or thought of a candidate, whose events have left, and the usage of the newest."""
        self._choices[choice].went_on(text)
        if usage:
            self._snapshots.newest = usage

    @property
    def usage_shape(self) -> bytes | None:
        """The shape of the newest chunk's usage; empty where it had none, None where it could not be read."""
        return self._snapshots.shape if self._usage_last else b""

    def take_json(self, value: Json) -> None:
        """One reply, member by member. Raises: WireError: not an object."""
        if not isinstance(value, dict):
            raise wire_error("A reply must be a JSON object")
        chunk = members(value)
        if self._extra is None:
            self._start(
                text_or_none(chunk.get("responseId")),
                text_or_none(chunk.get("modelVersion")),
                text_or_none(chunk.get("createTime")),
            )
        if "error" in chunk:
            self._fail(failure_of(chunk["error"], None))
            return
        for candidate in objects_of(chunk.get("candidates")):
            self._take_candidate(members(candidate))
        self._feedback |= members(chunk.get("promptFeedback"))
        self._see_usage(encode(chunk["usageMetadata"]) if "usageMetadata" in chunk else b"")

    def _see_usage(self, snapshot: bytes) -> None:
        """Keep it; the first is told at once, for what a client must be told at the start."""
        self._usage_last = bool(snapshot)
        if not snapshot:
            return
        first = not self._snapshots
        self._snapshots.see(snapshot)
        if first and (metadata := self._snapshots.metadata()) is not None:
            self._events.append(UsageSeen(usage=usage_of(metadata)))

    def _take_candidate(self, candidate: JsonObject) -> None:
        index = count_of(candidate.get("index")) or 0
        choice = self._choices.get(index) or self._choice(index)
        rest = self._rest.setdefault(index, {})
        for key, value in candidate.items():
            if key not in _READ and value:
                rest[key] = {**members(rest.get(key)), **members(value)} if isinstance(value, dict) else value
        parts = [members(raw) for raw in objects_of(members(candidate.get("content")).get("parts"))]
        choice.part_starts += _part_starts(parts, choice.visible_bytes)
        choice.citations = citations_of(rest, choice.part_starts)
        if "finishReason" in candidate and choice.untouched:
            choice.tell_hosted(hosted_calls(candidate))  # the whole answer at once: its searches came first
        for raw in parts:
            self._take_part(choice, raw)
        choice.logprobs(logprobs_of(candidate.get("logprobsResult")))
        choice.finish_message = text_or_none(candidate.get("finishMessage")) or choice.finish_message
        reason = candidate.get("finishReason")
        if isinstance(reason, (str, int)):
            choice.finish_reason = reason

    def _take_part(self, choice: ChoiceDecoder, raw: JsonObject) -> None:
        call = members(raw.get("functionCall"))
        if (
            call.get("partialArgs")
            or call.get("willContinue")
            or ("functionCall" in raw and not call.get("name"))
        ):
            self._take_partial_call(choice, raw, call)
            return
        try:
            part = part_of(raw, "part", self._about.seals)
        except WireError:
            part = Opaque(dialect="gemini", raw=raw)
        if isinstance(part, (Text, Thinking)) and not part.extra:
            choice.text(part.text, isinstance(part, Thinking), text_or_none(raw.get("thoughtSignature")))
        else:
            choice.part(part)

    def _take_partial_call(self, choice: ChoiceDecoder, raw: JsonObject, call: JsonObject) -> None:
        name = text_of(call.get("name"))
        seals = self._about.seals(text_or_none(raw.get("thoughtSignature")))
        begun = ToolCall(call_id=text_of(call.get("id")), name=name, seals=seals) if name else None
        choice.partial_call(begun, objects_of(call.get("partialArgs")), call.get("willContinue") is True)

    def finish(self, *, whole: bool = False) -> None:
        """The reply has ended. `whole`: it was complete as bytes, so a missing finish reason means STOP."""
        if self._over:
            return
        self._over = True
        if self._extra is None:
            self._start(None, None, None)
        if not self._choices and (reason := text_of(self._feedback.get("blockReason"))):
            detail = text_or_none(self._feedback.get("blockReasonMessage"))
            finish = Finish(reason="content_filter", native=reason, detail=detail)
            self._events.append(Finished(finish=finish))
        elif not self._close_choices(whole):
            self._fail(_TRUNCATED)
            return
        self._events.append(Ended(usage=self._usage(), extra=self._ended_extra()))

    def _close_choices(self, whole: bool) -> bool:
        """False if a candidate has not said why it ended, and may not leave that out."""
        if whole and not self._choices and not self._feedback and not self._snapshots:
            raise wire_error("The body is not a reply of generateContent: it has no candidates")
        counted = not self._choices or counts_output(self._snapshots.metadata())
        by_usage = self._caps.finish_optional and self._usage_last and counted
        default = "STOP" if whole or by_usage else None
        if not self._choices and default is not None:
            self._choice(0)
        closed = [
            choice.close(hosted_calls(rest) if (rest := self._rest.get(index)) else [], default)
            for index, choice in sorted(self._choices.items())
        ]
        return bool(closed) and all(closed)

    def _fail(self, failure: Failure) -> None:
        self._over = True
        if (metadata := self._snapshots.metadata()) is not None:
            self._events.append(UsageSeen(usage=usage_of(metadata)))
        self._events.append(Failed(failure=failure))

    def _choice(self, index: int) -> ChoiceDecoder:
        if not 0 <= index < CHOICES_MAX:
            raise wire_error(f"The reply has a candidate number {index}, more than {CHOICES_MAX}")
        choice = self._choices[index] = ChoiceDecoder(self._about, self._events, index)
        return choice

    def _start(self, response_id: str | None, model: str | None, created: str | None) -> None:
        self._extra = {}
        self._events.append(Start(id=response_id or "", model=model or "", created_s=seconds_of(created)))

    def _usage(self) -> Usage | None:
        metadata = self._snapshots.metadata()
        if metadata is None:
            return None
        searches = [searches_in(members(rest.get("groundingMetadata"))) for rest in self._rest.values()]
        counted = [count for count in searches if count is not None]
        return usage_of(metadata, sum(counted) if counted else None)

    def _ended_extra(self) -> Extra:
        """What only Gemini has a word for: per candidate, and of the whole."""
        own: JsonObject = {}
        if said := {str(index): rest for index, rest in self._rest.items() if rest}:
            own["candidates"] = said
        if self._feedback:
            own["promptFeedback"] = self._feedback
        return {"gemini": own} if own else {}


def _part_starts(parts: list[JsonObject], start: int) -> list[int]:
    """The bytes of visible text before each part."""
    starts: list[int] = []
    for part in parts:
        starts.append(start)
        if part.get("thought") is not True:
            start += len(text_of(part.get("text")).encode("utf-8", "surrogatepass"))
    return starts


_TRUNCATED = Failure(
    kind=ErrorKind.UPSTREAM, message="The stream ended before the answer was complete", upstream=True
)


def seconds_of(time: str | None) -> int | None:
    """Seconds since 1970 of an RFC 3339 time."""
    try:
        return None if time is None else int(datetime.fromisoformat(time).timestamp())
    except (ValueError, OverflowError):
        return None
