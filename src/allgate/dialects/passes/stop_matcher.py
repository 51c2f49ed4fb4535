"""Stop sequences that a target cannot be sent, because it has none, or no more of them, or none of white space: the
answer ends where the first of them would begin.

The matcher stands behind a reply decoder and passes its events on. A tail of text that could be the beginning of a stop
sequence is held back, at most one character less than the longest. When one is found the text ends before it, what the
provider still says is swallowed, and the finish is `stop_sequence`; its usage still counts, because it was produced.
Only visible text is searched, part by part: thinking and tool arguments are not where a client looks for its marker.
"""

from collections.abc import Iterable

from allgate.core.value import changed
from allgate.dialects.contract import StreamDecoder
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Closed, Delta, Ended, Event, Failed, Finished, Opened
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.notes import Note, converted, dropped
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import Sampling
from allgate.operations.chat.response import ChatResponse, Finish


def sent_stops(sampling: Sampling, caps: Caps, *, blank: bool = True) -> tuple[str, ...]:
    """Those that the deployment is sent; `blank`: it takes ones of white space too."""
    if not sampling.stop:
        return ()
    return tuple(stop for stop in sampling.stop if blank or stop.strip())[: caps.stop_max]


def matched_stops(sampling: Sampling, caps: Caps, *, blank: bool = True) -> tuple[str, ...]:
    """Those that are matched here instead; none where several answers are asked for, which arrive mixed."""
    if not sampling.stop or (sampling.n or 1) > 1:
        return ()
    sent = sent_stops(sampling, caps, blank=blank)
    return tuple(stop for stop in sampling.stop if stop and stop not in sent)


def stop_notes(sampling: Sampling, caps: Caps, *, blank: bool = True) -> tuple[Note, ...]:
    """What becomes of those that are not sent."""
    if not sampling.stop or len(sent_stops(sampling, caps, blank=blank)) == len(sampling.stop):
        return ()
    if matched_stops(sampling, caps, blank=blank):
        return (converted("stop", "matched in the answer by the gateway"),)
    return (dropped("stop", "not taken by this model"),)


class StoppedStream:
    """A stream decoder behind which the answer ends at the first of `stops`."""

    __slots__ = ("_decoder", "_matcher")

    def __init__(self, decoder: StreamDecoder, stops: tuple[str, ...]) -> None:
        self._decoder = decoder
        self._matcher = StopMatcher(stops)

    def feed(self, chunk: bytes) -> list[Event]:
        return self._matcher.pass_on(self._decoder.feed(chunk))

    def close(self) -> list[Event]:
        return self._matcher.pass_on(self._decoder.close())


class StopMatcher:
    """pass_on(events) → the events that may leave. For one choice."""

    __slots__ = ("_found", "_held", "_in_text", "_longest", "_stops", "_told")

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._longest = max(map(len, self._stops), default=0)
        self._in_text = False
        self._told = ""  # of the open text
        self._held = ""  # the end of the open text, which may begin a stop sequence
        self._found: str | None = None

    def pass_on(self, events: Iterable[Event]) -> list[Event]:
        return [passed for event in events for passed in self._passed(event)]

    def _passed(self, event: Event) -> list[Event]:
        if self._found is not None:
            return self._after_the_end(event)
        match event:
            case Opened():
                self._in_text, self._told, self._held = isinstance(event.part, Text), "", ""
            case Delta(channel="text") if self._in_text:
                return self._text(event)
            case Closed() if self._in_text:
                return self._closed(event)
            case _:
                pass
        return [event]

    def _text(self, event: Delta) -> list[Event]:
        text = self._held + event.text
        places = [
            (text.find(stop) + len(stop), text.find(stop), stop) for stop in self._stops if stop in text
        ]
        if places:
            _, place, self._found = min(places)  # the one that is complete first, whatever the slicing
            before = text[:place]
            part = Text(text=self._told + before)
            last: list[Event] = [changed(event, text=before)] if before else []
            return [*last, Closed(index=event.index, part=part, choice=event.choice)]
        keep = self._could_begin(text)
        leaves, self._held = text[: len(text) - keep], text[len(text) - keep :]
        self._told += leaves
        return [changed(event, text=leaves)] if leaves else []

    def _could_begin(self, text: str) -> int:
        """How many characters at the end may be the beginning of a stop sequence."""
        for length in range(min(self._longest - 1, len(text)), 0, -1):
            tail = text[-length:]
            if any(stop.startswith(tail) for stop in self._stops):
                return length
        return 0

    def _closed(self, event: Closed) -> list[Event]:
        held, self._held, self._in_text = self._held, "", False
        tail: list[Event] = []
        if held:
            tail.append(Delta(index=event.index, channel="text", text=held, choice=event.choice))
        return [*tail, event]

    def _after_the_end(self, event: Event) -> list[Event]:
        """What came before the marker is the whole answer, also if the provider breaks off later."""
        finish = Finish(reason="stop_sequence", native="stop", stop_sequence=self._found)
        match event:
            case Finished():
                return [changed(event, finish=finish)]
            case Failed():
                return [Finished(finish=finish), Ended()]
            case Opened() | Delta() | Closed():
                return []
            case _:
                return [event]


def stopped(response: ChatResponse, stops: tuple[str, ...]) -> ChatResponse:
    """A whole answer, ended where the first of `stops` would begin."""
    if not stops:
        return response
    matcher = StopMatcher(stops)
    if not any(
        stop in part.text
        for c in response.choices
        for part in c.parts
        if isinstance(part, Text)
        for stop in stops
    ):
        return response
    return changed(fold(matcher.pass_on(unfold(response))), notes=response.notes)
