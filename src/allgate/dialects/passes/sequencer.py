"""One open part at a time: puts what a provider interleaves into the grammar of `operations.chat.events`.

A provider may send parallel tool calls in turns, open several items at once, or give a call's name in pieces. Encoders
must never see that. A decoder therefore names every part with a key of its own (an index, an item id, a word) and
calls `open`, `append` and `close` in whatever order the bytes come; the sequencer appends events to the decoder's list:

- The first part that opens is the current one; its pieces leave at once. Every other part is buffered, and leaves in the
  order of opening when the parts before it are closed: its pieces joined into one Delta per channel.
- Indexes are dense from 0, given when a part is announced. A key is free again once its part was closed.
- `open(…, hold=True)` delays the announcement until the first piece of content, `announce` or `close`, so that a
  tool call whose name or id arrives in fragments can be completed with `amend`.
- A call that is closed with neither name nor content never existed (some servers send such phantoms) and is dropped.
- `Closed.part` is built from the skeleton and all pieces, unless the decoder knows better and passes it to `close`.

The common case, a piece of text for the current part, costs one dict-free comparison, one write and one Delta.
"""

from collections.abc import Hashable
from io import StringIO

from allgate.core.value import changed
from allgate.dialects.passes.assembly import assembled
from allgate.operations.chat.events import Channel, Closed, Delta, Event, Opened
from allgate.operations.chat.fold import deltas, main_channel
from allgate.operations.chat.parts import Annotation, HostedResult, Part, Seal, ToolCall
from allgate.wire.json import Json


class _Slot:
    """A part in the making. `main` collects its main channel, `rest` every other piece in order."""

    __slots__ = ("channel", "closed", "final", "held", "index", "key", "main", "part", "rest")

    def __init__(self, key: Hashable, part: Part, *, held: bool) -> None:
        self.key = key
        self.part = part
        self.held = held
        self.channel: Channel | None = main_channel(part)
        self.main = StringIO()
        self.rest: list[Delta] = []
        self.index = -1  # not announced yet
        self.closed = False
        self.final: Part | None = None


class PartSequencer:
    """The parts of one choice. Appends events to `events`, which the decoder hands out and clears."""

    __slots__ = ("_choice", "_current", "_events", "_next_index", "_waiting")

    def __init__(self, events: list[Event], choice: int = 0) -> None:
        self._events = events
        self._choice = choice
        self._current: _Slot | None = None
        self._waiting: list[_Slot] = []  # parts behind the current one, in order of opening
        self._next_index = 0

    def open(self, key: Hashable, part: Part, *, hold: bool = False) -> None:
        """A part begins. `part` is its skeleton; `key` must not be in use."""
        slot = _Slot(key, part, held=hold)
        if self._current is None:
            self._current = slot
            if not hold:
                self._announce(slot)
        else:
            self._waiting.append(slot)

    def append(
        self,
        key: Hashable,
        channel: Channel,
        text: str = "",
        *,
        segment: int = 0,
        annotation: Annotation | None = None,
        seal: Seal | None = None,
        logprobs: Json = None,
        result: HostedResult | None = None,
    ) -> None:
        """A piece of the part named `key`; ignored where no such part is in the making."""
        slot = self._current
        if slot is None or slot.key != key:
            slot = self._slot(key)
            if slot is None:
                return
        delta = Delta(
            index=slot.index,
            channel=channel,
            text=text,
            choice=self._choice,
            segment=segment,
            annotation=annotation,
            seal=seal,
            logprobs=logprobs,
            result=result,
        )
        self._keep(slot, delta)

    def append_text(self, key: Hashable, text: str) -> None:
        """A piece of the main channel: the quick way of `append`."""
        slot = self._current
        if slot is not None and slot.key == key and slot.index >= 0 and slot.channel is not None:
            slot.main.write(text)
            self._events.append(Delta(index=slot.index, channel=slot.channel, text=text, choice=self._choice))
        elif (slot := self._slot(key)) is not None and slot.channel is not None:
            self._keep(slot, Delta(index=slot.index, channel=slot.channel, text=text, choice=self._choice))

    def amend(self, key: Hashable, part: Part) -> None:
        """Replace the skeleton of a part that was not announced yet; ignored after that."""
        slot = self._slot(key)
        if slot is not None and slot.index < 0:
            slot.part = part

    def announce(self, key: Hashable) -> None:
        """The skeleton of a held part is complete."""
        slot = self._slot(key)
        if slot is not None:
            slot.held = False
            if slot is self._current and slot.index < 0:
                self._announce(slot)

    def skeleton(self, key: Hashable) -> Part | None:
        """The skeleton of the part named `key`; None where none is in the making."""
        slot = self._slot(key)
        return None if slot is None else slot.part

    def text(self, key: Hashable) -> str:
        """What the main channel of this part has brought so far."""
        slot = self._current
        if slot is None or slot.key != key:
            slot = self._slot(key)
        return "" if slot is None else slot.main.getvalue()

    def close(self, key: Hashable, part: Part | None = None) -> None:
        """The part is complete; `part` is its final value where the provider says it whole.

        Content of `part` that no piece brought is sent as one before it closes.
        """
        slot = self._current
        if slot is None or slot.key != key:
            slot = self._slot(key)
            if slot is None:
                return
        slot.closed, slot.final = True, part
        if slot is self._current:
            self._finish(slot)

    def close_all(self) -> None:
        """Every part is complete, in order of opening."""
        for slot in self._waiting:
            slot.closed = True
        if self._current is not None:
            self._finish(self._current)

    @property
    def open_key(self) -> Hashable | None:
        """The key of the current part; None where none is open."""
        return None if self._current is None else self._current.key

    @property
    def count(self) -> int:
        """How many parts were announced."""
        return self._next_index

    def _slot(self, key: Hashable) -> _Slot | None:
        if self._current is not None and self._current.key == key:
            return self._current
        for slot in self._waiting:
            if slot.key == key and not slot.closed:
                return slot
        return None

    def _keep(self, slot: _Slot, delta: Delta) -> None:
        """Remember a piece, and send it if its part is announced. The first piece announces a held part."""
        if slot is self._current and slot.index < 0 and not _nameless(slot.part):
            self._announce(slot)
            delta = changed(delta, index=slot.index)
        if delta.channel == slot.channel and not delta.segment:
            slot.main.write(delta.text)
        else:
            slot.rest.append(delta)
        if slot.index >= 0:
            self._events.append(delta)

    def _announce(self, slot: _Slot) -> None:
        """Open the part, and send what was buffered for it."""
        slot.index, slot.held = self._next_index, False
        self._next_index += 1
        self._events.append(Opened(index=slot.index, part=slot.part, choice=self._choice))
        if slot.channel is not None and (text := slot.main.getvalue()):
            self._events.append(Delta(index=slot.index, channel=slot.channel, text=text, choice=self._choice))
        if slot.rest:
            self._events += [changed(delta, index=slot.index) for delta in slot.rest]

    def _finish(self, slot: _Slot) -> None:
        """Close the current part, then whatever waits behind it until one is still open."""
        self._complete(slot)
        self._current = None
        while self._waiting:
            self._current = slot = self._waiting.pop(0)
            if not slot.closed:
                if not (slot.held and (_nameless(slot.part) or not _has_content(slot))):
                    self._announce(slot)
                return
            self._complete(slot)
            self._current = None

    def _complete(self, slot: _Slot) -> None:
        if slot.index < 0:
            if slot.final is None and _nameless(slot.part) and not _has_content(slot):
                return
            self._announce(slot)
        part = slot.final
        if part is None:
            part = assembled(slot.part, slot.main.getvalue(), slot.rest)
        elif not _has_content(slot):
            self._events += deltas(part, slot.index, self._choice)
        self._events.append(Closed(index=slot.index, part=part, choice=self._choice))


def _nameless(part: Part) -> bool:
    return isinstance(part, ToolCall) and not part.name


def _has_content(slot: _Slot) -> bool:
    return bool(slot.rest) or slot.main.tell() > 0
