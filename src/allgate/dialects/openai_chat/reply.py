"""Chunks → events, for a whole reply (one chunk) and for a stream (many).

Nothing in the format says where an answer ends but `[DONE]` and the end of the body, so Finished and Ended wait for
one of the two: providers repeat `finish_reason`, set it early, and send usage and citations after it. A reply is
complete when every choice that began has finished; where it ends before that, it is Failed.
"""

from allgate.core.errors import ErrorKind, Failure, wire_error
from allgate.core.usage import Usage, merged
from allgate.dialects.contract import Sent
from allgate.dialects.openai_chat.annotations import pages_of
from allgate.dialects.openai_chat.answer import Answer
from allgate.dialects.openai_chat.chunks import Chunk
from allgate.dialects.openai_chat.own import NAME
from allgate.dialects.openai_chat.usage import usage_of
from allgate.operations.chat.events import Ended, Event, Failed, Start, UsageSeen

CHOICES_MAX = 128
"""OpenAI's own limit for `n`."""


class Reply:
    """One reply. `events` grows as chunks are taken; the owner hands them out and clears the list."""

    __slots__ = ("_answers", "_cited", "_id", "_sent", "_usage", "events", "first", "over")

    def __init__(self, sent: Sent) -> None:
        self.events: list[Event] = []
        self.over = False
        self.first: Answer | None = None  # of choice 0
        self._sent = sent
        self._answers: dict[int, Answer] = {}
        self._id: str | None = None  # None: the reply has not begun
        self._usage: Usage | None = None
        self._cited: Chunk | None = None  # the last one that named pages

    def take(self, chunk: Chunk) -> None:
        """One chunk. Raises: WireError: a limit was passed."""
        if self._id is None:
            self._start(chunk)
        for choice in chunk.choices or ():
            (self._answers.get(choice.index) or self._begun(choice.index)).take(choice)
        if chunk.usage is not None or chunk.x_groq is not None:
            self._take_usage(chunk)
        if chunk.citations is not None or chunk.search_results is not None:
            self._cited = chunk

    def end(self, *, finish_optional: bool) -> None:
        """The reply is over. `finish_optional`: a choice that never said why it ended has stopped."""
        if self.over:
            return
        unfinished = not self._answers
        for answer in self._answers.values():
            unfinished = unfinished or not answer.native
        if unfinished and not (finish_optional and (self._answers or self._usage)):
            self.fail(truncated("before the answer was complete"))
            return
        self.over = True
        if self._cited is not None and 0 in self._answers:
            self._answers[0].cite_pages(pages_of(self._cited.citations, self._cited.search_results))
        for index in sorted(self._answers):
            self.events.append(self._answers[index].finish())
        self.events.append(Ended(usage=self._usage))

    def fail(self, failure: Failure) -> None:
        """The reply broke off."""
        if self.over:
            return
        if self._id is None:
            self._start(Chunk())
        self.over = True
        self.events.append(Failed(failure=failure))

    def _start(self, chunk: Chunk) -> None:
        self._id = chunk.id or ""
        self.events.append(start_of(chunk))

    def _begun(self, index: int) -> Answer:
        if len(self._answers) >= CHOICES_MAX:
            raise wire_error(f"The reply holds more than {CHOICES_MAX} choices")
        self._answers[index] = answer = Answer(self.events, index, self._sent, self._id or "")
        if index == 0:
            self.first = answer
        return answer

    def _take_usage(self, chunk: Chunk) -> None:
        seen = usage_of(chunk, excludes_reasoning=self._sent.caps.usage_excludes_reasoning)
        if seen is not None and seen != self._usage:
            self._usage = merged(self._usage, seen)
            self.events.append(UsageSeen(usage=self._usage))


def start_of(chunk: Chunk) -> Start:
    """What the first chunk, or a whole reply, says of the answer."""
    fingerprint = chunk.system_fingerprint
    return Start(
        id=chunk.id or "",
        model=chunk.model or "",
        created_s=chunk.created or None,
        service_tier=chunk.service_tier,
        extra={NAME: {"system_fingerprint": fingerprint}} if fingerprint else {},
    )


def truncated(where: str) -> Failure:
    return Failure(kind=ErrorKind.UPSTREAM, message=f"The upstream's stream ended {where}", upstream=True)
