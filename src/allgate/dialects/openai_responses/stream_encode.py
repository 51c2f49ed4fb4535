"""Events as the event stream of this dialect.

created, in_progress, then per item: added, its parts and deltas, done; at last completed, incomplete or failed with all
the items and the usage. `output_index` is dense from 0, an item has one id from its first frame to the response's output,
and a call's `call_id` is known when it is added: the SDKs raise on anything else.

A call is announced one event late: a seal of it (Gemini gives the call whole, and its signature with it) must travel in
an item before it.
"""

import msgspec

from allgate.core.errors import Failure
from allgate.core.usage import Usage, merged
from allgate.dialects.contract import Asked
from allgate.dialects.openai_responses import answer_items as items
from allgate.dialects.openai_responses.answer import Answer, continues
from allgate.dialects.openai_responses.errors import failed_answer, lone_error
from allgate.dialects.openai_responses.finish import Ending, encode_finish, malformed_call
from allgate.dialects.openai_responses.frames import KEEP_ALIVE, DeltaFrame, FrameWriter
from allgate.dialects.openai_responses.skeleton import Skeleton
from allgate.dialects.openai_responses.stream_items import CallItem, StreamItem, WholeItem
from allgate.dialects.openai_responses.stream_texts import MessageItem, ReasoningItem
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
from allgate.operations.chat.parts import Part, Refusal, Seal, Text, Thinking, ToolCall
from allgate.operations.chat.response import Finish
from allgate.wire import json

_NO_FINISH = Finish(reason="stop")


class ResponsesStreamEncoder:
    """Writes one answer. Choices beyond the first have no place in this dialect."""

    __slots__ = (
        "_answer", "_asked", "_behind", "_closed", "_done", "_finish", "_frames", "_held", "_item", "_kinds", "_skeleton",
        "_text", "_usage",
    )  # fmt: skip

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._answer = Answer(asked)
        self._frames = FrameWriter()
        self._skeleton: Skeleton | None = None
        self._item: StreamItem | None = None
        self._text: DeltaFrame | None = None  # of the open text: nearly every event is a piece of one
        self._closed: Part | None = None  # the last part of the open item, once it is closed
        self._behind: tuple[Seal, ...] = ()  # seals that travel in items behind the open one
        self._held: list[Opened | Delta] = []  # a call that is not announced yet
        self._done: list[bytes] = []  # finished items as JSON
        self._usage: Usage | None = None
        self._finish = _NO_FINISH
        self._kinds: set[type[Part]] = set()

    def emit(self, event: Event) -> bytes:
        """The frames that tell this event."""
        if isinstance(event, Delta):
            if self._text is not None and event.channel == "text" and not event.choice:
                return self._text.of(event.text)
            if event.choice:
                return b""
            if self._held:
                return self._hold(event)
            return self._item.delta(event) if self._item else b""
        match event:
            case Opened():
                return self._opened(event)
            case Closed():
                return self._close(event)
            case UsageSeen():
                self._usage = merged(self._usage, event.usage)
                return b""
            case Start():
                return self._start(event)
            case Finished():
                return self._finished(event)
            case Ended():
                return self._ended(event)
            case Failed():
                return self._failed(event.failure)
            case Tick():
                return KEEP_ALIVE

    def _start(self, event: Start) -> bytes:
        self._usage = event.usage
        self._skeleton = Skeleton(self._asked, event.extra, event.service_tier)
        response = self._skeleton.in_progress()
        return self._around("response.created", response) + self._around("response.in_progress", response)

    def _around(self, event: str, response: bytes) -> bytes:
        return self._frames.frame(event, {"response": msgspec.Raw(response)})

    def _opened(self, event: Opened) -> bytes:
        if event.choice:
            return b""
        if isinstance(event.part, ToolCall):
            done = self._finish_item()
            self._held.append(event)
            return done
        return self._open(event.part)

    def _open(self, part: Part) -> bytes:
        said = b""
        if self._item is None or not continues(self._closed, part):
            said = self._finish_item() + self._begin_item(part)
        self._closed = None
        if self._item is None:
            return said
        said += self._item.open(part)
        if isinstance(self._item, MessageItem) and isinstance(part, Text):
            self._text = self._item.pieces
        return said

    def _begin_item(self, part: Part) -> bytes:
        self._item = self._made(part)
        if self._item is None:
            return b""
        added = {"output_index": len(self._done), "item": self._item.start()}
        return self._frames.frame("response.output_item.added", added)

    def _made(self, part: Part) -> StreamItem | None:
        """The item that begins with this part; None where this dialect has no item for it."""
        place, frames, answer = len(self._done), self._frames, self._answer
        match part:
            case Text() | Refusal():
                return MessageItem(answer.item_id("message", part.id, place), place, frames, answer, part)
            case Thinking():
                return ReasoningItem(answer.item_id("reasoning", part.id, place), place, frames, answer)
            case ToolCall():
                kind = items.call_type(part, answer)
                return CallItem(answer.item_id(kind, part.id, place), place, frames, answer, part, kind)
            case _:
                kind = items.whole_type(part)
                if kind is None:
                    return None
                return WholeItem(answer.item_id(kind, part.id, place), place, frames, part, kind)

    def _hold(self, event: Delta) -> bytes:
        """Keep the first piece of a call back until the next event tells whether its seal comes."""
        if event.channel == "seal" or len(self._held) == 1:
            self._held.append(event)
            return b""
        return self._release(_seals(self._held)) + (self._item.delta(event) if self._item else b"")

    def _release(self, seals: tuple[Seal, ...]) -> bytes:
        """Announce the held call, behind the items that carry its seals."""
        held, self._held = self._held, []
        opened = held[0]
        assert isinstance(opened, Opened), "what is held begins with the opening"
        said = self._carry(seals, for_next=True) + self._open(opened.part)
        deltas = (event for event in held[1:] if isinstance(event, Delta))
        return said + b"".join(self._item.delta(event) for event in deltas if self._item)

    def _carry(self, seals: tuple[Seal, ...], *, for_next: bool) -> bytes:
        said = b""
        for seal in seals:
            item_id = self._answer.item_id("reasoning", None, len(self._done))
            item = items.carrier(item_id, seal, self._answer, for_next=for_next)
            bare = {key: value for key, value in item.items() if key != "encrypted_content"}
            added = {"output_index": len(self._done), "item": bare}
            said += self._frames.frame("response.output_item.added", added) + self._item_done(
                json.encode(item)
            )
        return said

    def _item_done(self, item: bytes) -> bytes:
        done = {"output_index": len(self._done), "item": msgspec.Raw(item)}
        self._done.append(item)
        return self._frames.frame("response.output_item.done", done)

    def _close(self, event: Closed) -> bytes:
        if event.choice:
            return b""
        carried = bool(self._held)
        said = self._release(event.part.seals) if carried else b""
        self._kinds.add(type(event.part))
        if self._item is None:
            return said
        self._closed, self._text = event.part, None
        said += self._item.close(event.part)
        if not carried:
            self._behind = event.part.seals[1:] if isinstance(event.part, Thinking) else event.part.seals
        return said

    def _finish_item(self, status: str = "completed") -> bytes:
        """The open item, if there is one, and the carriers of its seals."""
        item, self._item, self._closed = self._item, None, None
        if item is None:
            return b""
        behind, self._behind = self._behind, ()
        return self._item_done(json.encode(item.item(status))) + self._carry(behind, for_next=False)

    def _finished(self, event: Finished) -> bytes:
        if event.choice:
            return b""
        self._finish = event.finish
        return self._finish_item("incomplete" if self._ending().incomplete_reason else "completed")

    def _ending(self) -> Ending:
        return encode_finish(self._finish, self._kinds, self._asked.request)

    def _ended(self, event: Ended) -> bytes:
        assert self._skeleton is not None, "a stream starts before it ends"
        usage = self._usage if event.usage is None else merged(self._usage, event.usage)
        ending = self._ending()
        failure = malformed_call(self._finish) if ending.status == "failed" else None
        response = self._skeleton.response(ending, self._output(), usage, failure)
        return self._around(ending.event, response)

    def _output(self) -> bytes:
        return b"[" + b",".join(self._done) + b"]"

    def _failed(self, failure: Failure) -> bytes:
        if self._skeleton is None:
            return lone_error(failure, self._asked.response_id)
        response = self._skeleton.response(
            Ending(status="failed"), self._output(), self._usage, failed_answer(failure)
        )
        return self._around("response.failed", response)


def _seals(held: list[Opened | Delta]) -> tuple[Seal, ...]:
    return tuple(event.seal for event in held if isinstance(event, Delta) and event.seal is not None)
