"""The event stream of a provider as events.

The official order is assumed nowhere: servers of this format leave out `output_item.added`, or all deltas, or everything
but the terminal event, and name it `response.done`. So every part opens at the first frame that tells of it; what a frame
brings whole is compared with what came in pieces; and an item that only the terminal event holds is read from there,
while one that was streamed is never told twice (clients would run its call twice).

Parts are keyed by `output_index` (and `content_index`): deltas carry no call id. Frames of unknown types are skipped.

Nearly every chunk is one more piece of the text that is open. Such pieces become events at once, and reach the sequencer
together when anything else comes.
"""

from allgate.core.errors import ErrorKind, Failure
from allgate.dialects.contract import Sent
from allgate.dialects.openai_responses.finish import decode_finish
from allgate.dialects.openai_responses.output_decode import decode_output
from allgate.dialects.openai_responses.response_decode import created_s, response_extra
from allgate.dialects.openai_responses.stream_calls import StreamCalls
from allgate.dialects.openai_responses.stream_frames import (
    Frame,
    cut,
    failure_in,
    is_several,
    read_frame,
    read_text_delta,
)
from allgate.dialects.openai_responses.stream_messages import Key, StreamMessages
from allgate.dialects.openai_responses.stream_thoughts import StreamThoughts
from allgate.dialects.openai_responses.target import Target
from allgate.dialects.openai_responses.usage import usage_in
from allgate.dialects.passes.lenient import object_of, objects_of, text_of
from allgate.dialects.passes.openai_errors import failure_of
from allgate.dialects.passes.sequencer import PartSequencer
from allgate.dialects.passes.stop_matcher import StopMatcher
from allgate.operations.chat.events import Delta, Ended, Event, Failed, Finished, Start, UsageSeen
from allgate.operations.chat.parts import Part, Text, Thinking
from allgate.wire.json import JsonObject
from allgate.wire.sse import SseFrame, SseSplitter

CUT = "The upstream's stream ended before the answer was complete"

_AUTO_TIER = "auto"  # what is said before the tier is known
_Identity = tuple[str, str] | None

_PIECES = frozenset(
    "response." + name
    for name in (
        "output_item.added", "output_item.done", "content_part.added", "content_part.done", "output_text.delta",
        "output_text.annotation.added", "refusal.delta", "reasoning_text.delta", "reasoning.delta",
        "reasoning_summary_text.delta", "reasoning_summary.delta", "function_call_arguments.delta",
        "function_call_arguments.done", "custom_tool_call_input.delta", "custom_tool_call_input.done",
        "mcp_call_arguments.delta", "code_interpreter_call_code.delta",
    )
)  # fmt: skip
"""The frames that bring something of an item; the others repeat it, or tell of progress."""


class ResponsesStreamDecoder:
    """Bytes of one stream → events."""

    __slots__ = (
        "_calls", "_done", "_ended", "_events", "_flowing", "_index", "_items", "_kinds", "_messages", "_sequencer",
        "_splitter", "_started", "_stops", "_target", "_thoughts", "_told",
    )  # fmt: skip

    def __init__(self, sent: Sent) -> None:
        self._target = Target(sent.request, sent.caps)
        self._splitter = SseSplitter()
        self._events: list[Event] = []
        self._sequencer = PartSequencer(self._events)
        self._messages = StreamMessages(self._sequencer)
        self._thoughts = StreamThoughts(self._sequencer)
        self._calls = StreamCalls(self._sequencer, self._target)
        self._items: dict[int, JsonObject] = {}  # output index → the item as it was announced
        self._done: dict[int, JsonObject] = {}  # output index → the item as it was finished
        self._kinds: set[type[Part]] = set()  # of the parts that were told
        stops = sent.request.sampling.stop  # this dialect has none
        self._stops = StopMatcher(stops) if stops else None
        self._flowing: Key | None = None  # the text whose pieces take the quick way,
        self._index = 0  # the index of its events,
        self._told: list[str] = []  # and its pieces that did
        self._started = False
        self._ended = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete. Raises: WireError: bytes that are no event stream of this dialect."""
        if self._flowing is not None:
            text = read_text_delta(chunk)
            if text and not text.logprobs and (text.output_index, text.content_index) == self._flowing:
                if not text.delta:
                    return []
                self._told.append(text.delta)
                piece: list[Event] = [Delta(index=self._index, channel="text", text=text.delta)]
                return self._stops.pass_on(piece) if self._stops else piece
        if is_several(chunk):
            return [event for frame in cut(chunk) for event in self.feed(frame)]
        self._settle()
        for frame in self._splitter.feed(chunk):
            self._take(frame)
        events = self._events[:]
        self._events.clear()  # the sequencer holds this list
        self._flow()
        return self._stops.pass_on(events) if self._stops else events

    def _flow(self) -> None:
        """Let the next pieces of text take the quick way, if a text is open and a frame begins."""
        latest, sequencer = self._messages.latest, self._sequencer
        if latest is None or latest != sequencer.open_key or self._ended or not self._splitter.aligned:
            return
        if isinstance(
            sequencer.skeleton(latest), Text
        ):  # not so where pieces of text follow those of a refusal
            self._flowing, self._index = latest, sequencer.count - 1

    def _settle(self) -> None:
        """Give the sequencer the pieces that took the quick way. They are told already."""
        if self._told:
            self._sequencer.append_text(self._flowing, "".join(self._told))
            self._told.clear()
            self._events.clear()
        self._flowing = None

    def close(self) -> list[Event]:
        """The body ended: an unterminated last frame counts, a missing terminal event does not."""
        self._settle()
        last = self._splitter.close()
        if last is not None:
            self._take(last)
        if not self._ended:
            self._fail(Failure(kind=ErrorKind.UPSTREAM, message=CUT, upstream=True))
        return self._stops.pass_on(self._events) if self._stops else self._events

    def _take(self, raw: SseFrame) -> None:
        if self._ended or not raw.data or raw.data == b"[DONE]":
            return
        frame = read_frame(raw.data)
        kind = frame.type or raw.event.decode("latin-1")
        if frame.response is not None and not self._started:
            self._start(frame.response)
        match kind:
            case "response.failed" | "error":
                self._fail(failure_in(frame))
            case "response.completed" | "response.incomplete" | "response.done" | "response.cancelled":
                self._end(frame.response or {})
            case _:
                self._piece(kind, frame)

    def _start(self, response: JsonObject) -> None:
        self._started = True
        tier = text_of(response.get("service_tier"))
        self._events.append(
            Start(
                id=text_of(response.get("id")),
                model=text_of(response.get("model")),
                created_s=created_s(response),
                service_tier=tier if tier and tier != _AUTO_TIER else None,
            )
        )

    def _piece(self, kind: str, frame: Frame) -> None:
        """A frame of an item. Those of an item that is finished bring nothing new."""
        index = frame.output_index
        if kind not in _PIECES or index in self._done:
            return
        if not self._started:
            self._start({})
        match kind.removeprefix("response."):
            case (
                "output_text.delta" | "refusal.delta" | "content_part.added" | "output_text.annotation.added"
            ):
                self._messages.piece(kind, frame, self._items.get(index, {}))
            case "content_part.done":
                self._messages.content_done(frame, self._items.get(index, {}))
            case "reasoning_summary_text.delta" | "reasoning_summary.delta":
                self._thoughts.summary(frame)
            case "reasoning_text.delta" | "reasoning.delta":
                self._thoughts.words(frame)
            case "output_item.added":
                self._item_added(index, frame.item or {})
            case "output_item.done":
                self._item_done(index, frame.item or {})
            case (
                "function_call_arguments.delta"
                | "custom_tool_call_input.delta"
                | "mcp_call_arguments.delta"
                | "code_interpreter_call_code.delta"
            ):
                self._calls.piece(index, frame.delta)
            case "function_call_arguments.done" | "custom_tool_call_input.done":
                self._calls.whole(index, frame.arguments or frame.input)
            case _:
                pass

    def _item_added(self, index: int, item: JsonObject) -> None:
        if index in self._items or not item:
            return
        self._items[index] = item
        if item.get("type") == "reasoning":
            self._thoughts.added(index, item)
        elif item.get("type") != "message":
            self._calls.added(index, item)

    def _item_done(self, index: int, item: JsonObject) -> None:
        if not item:
            return
        self._done[index] = item
        parts = decode_output(item, self._target)
        self._kinds.update(map(type, parts))
        if item.get("type") == "message":
            self._messages.item_done(index, parts)
            return
        for part in parts:
            if isinstance(part, Thinking):
                self._thoughts.done(index, part)
            else:
                self._calls.done(index, part)

    def _end(self, response: JsonObject) -> None:
        """Tell what only the terminal event tells, then the usage, the finish and the end."""
        if response.get("status") == "failed":
            self._fail(failure_of(object_of(response.get("error"))))
            return
        if not self._started:
            self._start(response)
        output = objects_of(response.get("output"))
        if self._done != dict(enumerate(output)):  # nearly always it repeats what was told
            self._tell_untold(output)
        self._sequencer.close_all()
        self._kinds |= self._messages.kinds | self._calls.kinds
        usage = usage_in(response)
        if usage is not None:
            self._events.append(UsageSeen(usage=usage))
        self._events.append(Finished(finish=decode_finish(response, self._kinds)))
        self._events.append(Ended(usage=usage, extra=response_extra(response, self._target)))
        self._ended = True

    def _tell_untold(self, output: list[JsonObject]) -> None:
        """The items of the terminal event that no frame finished: by identity, or by place where they have none."""
        finished = {_identity(item) for item in self._done.values()}
        announced = {_identity(item): index for index, item in self._items.items()}
        free = max((*self._items, *self._done, *self._messages.indexes, len(output) - 1)) + 1
        for place, item in enumerate(output):
            identity = _identity(item)
            if identity in finished or (identity is None and place in self._done):
                continue
            index = announced.get(identity, place)
            if index in self._done:
                index, free = free, free + 1
            self._item_done(index, item)

    def _fail(self, failure: Failure) -> None:
        if not self._started:
            self._start({})
        self._events.append(Failed(failure=failure))
        self._ended = True


def _identity(item: JsonObject) -> _Identity:
    name = text_of(item.get("call_id")) or text_of(item.get("id"))
    return (text_of(item.get("type")), name) if name else None
