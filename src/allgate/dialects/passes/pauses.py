"""A turn that its provider pauses goes on in further requests, and is one answer to the client.

Anthropic pauses a long turn of hosted tools (`stop_reason: pause_turn`) and expects its content back as it is. Its own
clients do that; a client of another dialect has no word for it, so the gateway does: each time, what was said since is
sent back behind the request, and what comes then is told as the same answer. Parts are numbered on, a call that was paused
without its result is closed by the result that comes first, and usage is summed, because every request is charged.

`Paused` is how a decoder says that its reply is read and that another request goes on; it is no error. After `PAUSES_MAX`
pauses the client is told the answer as it stands.
"""

from collections.abc import Callable, Iterable

from allgate.core.usage import Usage, merged, summed
from allgate.core.value import changed
from allgate.dialects.contract import Sent, StreamDecoder, UpstreamCall
from allgate.dialects.passes.promised_json import Decoding
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
from allgate.operations.chat.parts import Hosted, Part
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.response import ChatResponse

PAUSES_MAX = 5
"""Each sends the whole conversation again, at the account's cost; the vendor pauses after some ten calls."""


class Paused(Exception):
    """The reply ended in a pause; `call` is the request that goes on. Not an error: nothing went wrong."""

    def __init__(self, call: UpstreamCall) -> None:
        super().__init__("the provider paused its turn")
        self.call = call


class Continued:
    """A dialect's reading of replies, over all pauses of one turn. Implements `Decoding`.

    `encode` writes a request as the first was written: it says what goes on.
    """

    __slots__ = ("_decoding", "_encode", "_parts", "_pauses", "_request", "_usage")

    def __init__(
        self, decoding: Decoding, request: ChatRequest, encode: Callable[[ChatRequest], UpstreamCall]
    ) -> None:
        self._decoding = decoding
        self._request = request
        self._encode = encode
        self._parts: tuple[Part, ...] = ()
        self._usage: Usage | None = None
        self._pauses = 0

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse:
        """Raises: WireError: no reply; Paused: it goes on."""
        response = self._decoding.decode_response(body, sent)
        choice = response.choices[0] if response.choices else None
        if choice is None:
            return response
        parts = _joined(self._parts, choice.parts)
        usage = summed(self._usage, response.usage)
        if choice.finish.reason == "pause" and choice.parts and self.may_pause:
            self._usage = usage
            raise Paused(self.next_call(parts))
        return changed(response, choices=(changed(choice, parts=parts), *response.choices[1:]), usage=usage)

    def stream_decoder(self, sent: Sent) -> StreamDecoder:
        return ContinuedStream(lambda: self._decoding.stream_decoder(sent), self)

    @property
    def may_pause(self) -> bool:
        return self._pauses < PAUSES_MAX

    def next_call(self, parts: tuple[Part, ...]) -> UpstreamCall:
        """The request that goes on behind these parts. Raises: WireError: they cannot be sent back."""
        self._pauses += 1
        self._parts = parts
        so_far = Turn(role="assistant", parts=parts)
        return self._encode(changed(self._request, turns=(*self._request.turns, so_far)))


def _joined(earlier: tuple[Part, ...], later: tuple[Part, ...]) -> tuple[Part, ...]:
    """Both, where the first result of the later closes the last call of the earlier."""
    if earlier and later and (whole := _answered(earlier[-1], later[0])) is not None:
        return (*earlier[:-1], whole, *later[1:])
    return (*earlier, *later)


def _answered(call: Part, result: Part) -> Part | None:
    """A hosted call that was paused, with the result that came when it went on; None where the two are no such pair."""
    if (
        isinstance(call, Hosted)
        and isinstance(result, Hosted)
        and call.result is None
        and call.call_id == result.call_id
    ):
        seals = (*call.seals, *result.seals)
        return changed(call, result=result.result, status=result.status, seals=seals)
    return None


class ContinuedStream:
    """The streams of one turn as one. Implements `StreamDecoder`; `close` raises Paused where the turn goes on."""

    __slots__ = (
        "_decoder", "_first", "_fresh", "_held", "_joining", "_late", "_offset", "_parts", "_paused", "_started", "_turn", "_usage",
        "_usage_before",
    )  # fmt: skip

    def __init__(self, fresh: Callable[[], StreamDecoder], turn: Continued) -> None:
        self._fresh = fresh
        self._turn = turn
        self._decoder = fresh()
        self._started = False
        self._first = True  # no part of this stream was opened yet
        self._paused = False
        self._parts: list[Part] = []
        self._offset = 0  # the number of this stream's first part
        self._held: Closed | None = None  # a call without its result, which may come when the turn goes on
        self._joining = False  # the open part is that result
        self._late: list[Event] = []  # came with the end of a stream that was no end
        self._usage: Usage | None = None  # of this stream
        self._usage_before: Usage | None = None  # of those before it

    def feed(self, chunk: bytes) -> list[Event]:
        late, self._late = self._late, []
        return [*late, *self._told(self._decoder.feed(chunk))]

    def close(self) -> list[Event]:
        """Raises: Paused: the turn goes on, and `feed` with it; WireError: it cannot be sent back."""
        told = [*self._late, *self._told(self._decoder.close())]
        self._late = told if self._paused else []
        if not self._paused:
            return told
        call = self._turn.next_call(tuple(self._parts))
        self._decoder, self._paused, self._first = self._fresh(), False, True
        self._usage_before, self._usage = summed(self._usage_before, self._usage), None
        self._offset = len(self._parts)
        raise Paused(call)

    def _told(self, events: Iterable[Event]) -> list[Event]:
        told: list[Event] = []
        for event in events:
            self._tell(event, told)
        return told

    def _tell(self, event: Event, told: list[Event]) -> None:
        match event:
            case Start():
                self._start(event, told)
            case Opened():
                self._open(event, told)
            case Delta():
                told.append(changed(event, index=self._place(event.index)))
            case Closed():
                self._close(event, told)
            case UsageSeen():
                self._see(event.usage)
                told.append(UsageSeen(usage=self._all_usage() or event.usage))
            case Finished():
                self._paused = event.finish.reason == "pause" and bool(self._parts) and self._turn.may_pause
                if not self._paused:
                    self._let_go(told)
                    told.append(event)
            case Ended():
                self._see(event.usage)
                if not self._paused:
                    told.append(changed(event, usage=self._all_usage()))
            case Failed() | Tick():
                told.append(event)

    def _start(self, event: Start, told: list[Event]) -> None:
        self._see(event.usage)
        if not self._started:
            self._started = True
            told.append(event)
        elif (usage := self._all_usage()) is not None:
            told.append(UsageSeen(usage=usage))

    def _open(self, event: Opened, told: list[Event]) -> None:
        first, self._first = self._first, False
        if first and self._held is not None:
            self._joining = _answered(self._held.part, event.part) is not None
            if self._joining:
                self._offset -= 1
                return
            self._let_go(told)
        told.append(changed(event, index=self._place(event.index)))

    def _close(self, event: Closed, told: list[Event]) -> None:
        part = event.part
        if self._joining and self._held is not None:
            self._joining = False
            part = _answered(self._held.part, part) or part
            self._held = None
            self._parts[-1] = part
        else:
            self._parts.append(part)
        closed = Closed(index=self._place(event.index), part=part, choice=event.choice)
        if isinstance(part, Hosted) and part.result is None:
            self._let_go(told)
            self._held = closed
        else:
            told.append(closed)

    def _let_go(self, told: list[Event]) -> None:
        if self._held is not None:
            told.append(self._held)
            self._held = None

    def _place(self, index: int) -> int:
        return self._offset + index

    def _see(self, usage: Usage | None) -> None:
        if usage is not None:
            self._usage = merged(self._usage, usage)

    def _all_usage(self) -> Usage | None:
        return summed(self._usage_before, self._usage)
