"""One output item while it streams, and the items that are not texts: calls, and those that are told at once.

Each item goes through the same steps: `start` (added), `open` and `close` of its parts with `delta` between, and `item`,
the final value, which its `output_item.done` and the response's output show. Every item closes late: only the next part
or the finish tells whether the item was cut (status `incomplete`).
"""

from typing import Protocol

from allgate.dialects.openai_responses import answer_items as items
from allgate.dialects.openai_responses.answer import Answer
from allgate.dialects.openai_responses.frames import DeltaFrame, FrameWriter
from allgate.dialects.passes.custom_tools import StreamingUnwrap
from allgate.operations.chat.events import Delta
from allgate.operations.chat.parts import Part, ToolCall
from allgate.wire.json import JsonObject


class StreamItem(Protocol):
    """An output item in the making."""

    def start(self) -> JsonObject:
        """The item as it is when it is announced."""
        ...

    def open(self, part: Part, /) -> bytes: ...
    def delta(self, event: Delta, /) -> bytes: ...
    def close(self, part: Part, /) -> bytes: ...

    def item(self, status: str, /) -> JsonObject:
        """The item as it is in the end."""
        ...


class CallItem:
    """A call for the client. `kind` is the item type; a built-in's call has no deltas on the wire."""

    __slots__ = (
        "_answer",
        "_call",
        "_delta",
        "_done",
        "_frames",
        "_id",
        "_kind",
        "_place",
        "_sent",
        "_unwrap",
    )

    def __init__(
        self, item_id: str, output_index: int, frames: FrameWriter, answer: Answer, part: ToolCall, kind: str
    ) -> None:
        self._id = item_id
        self._frames = frames
        self._answer = answer
        self._call = part
        self._kind = kind
        self._place: JsonObject = {"item_id": item_id, "output_index": output_index}
        self._sent = False
        is_custom = kind == "custom_tool_call"
        events = "response.custom_tool_call_input" if is_custom else "response.function_call_arguments"
        self._done = events + ".done"
        has_deltas = is_custom or kind == "function_call"
        self._delta = DeltaFrame(frames, events + ".delta", self._place) if has_deltas else None
        self._unwrap = StreamingUnwrap() if is_custom and part.input_kind == "json" else None

    def start(self) -> JsonObject:
        item = items.call(self._id, self._call, self._answer, "in_progress")
        return {**item, "arguments": ""} if self._kind == "function_call" else item

    def open(self, _part: Part) -> bytes:
        return b""

    def delta(self, event: Delta) -> bytes:
        if event.channel != "input" or self._delta is None:
            return b""
        return self._piece(self._unwrap.feed(event.text) if self._unwrap else event.text)

    def _piece(self, text: str) -> bytes:
        if not text or self._delta is None:
            return b""
        self._sent = True
        return self._delta.of(text)

    def close(self, part: Part) -> bytes:
        assert isinstance(part, ToolCall), "a call item holds a call"
        self._call = part
        if self._delta is None:
            return b""
        rest = self._piece(self._unwrap.close()) if self._unwrap else b""
        item = items.call(self._id, part, self._answer, "completed")
        if self._kind == "custom_tool_call":
            return rest + self._frames.frame(self._done, {**self._place, "input": item["input"]})
        arguments = item["arguments"]
        whole = b"" if self._sent else self._piece(arguments)
        said = {**self._place, "name": part.name, "arguments": arguments}
        return whole + self._frames.frame(self._done, said)

    def item(self, status: str) -> JsonObject:
        return items.call(self._id, self._call, self._answer, status)


# item type → events of its progress, and the event and member of its streamed input
_PROGRESS: dict[str, tuple[str, ...]] = {
    "web_search_call": ("in_progress", "searching"),
    "file_search_call": ("in_progress", "searching"),
    "code_interpreter_call": ("in_progress",),
    "image_generation_call": ("in_progress", "generating"),
    "mcp_call": ("in_progress",),
    "mcp_list_tools": ("in_progress",),
}
_INPUT: dict[str, tuple[str, str]] = {
    "code_interpreter_call": ("response.code_interpreter_call_code", "code"),
    "mcp_call": ("response.mcp_call_arguments", "arguments"),
}


class WholeItem:
    """A hosted call, a picture, or an item of this dialect's own: its value comes at its end."""

    __slots__ = ("_frames", "_id", "_input", "_kind", "_part", "_place", "_said")

    def __init__(self, item_id: str, output_index: int, frames: FrameWriter, part: Part, kind: str) -> None:
        self._id = item_id
        self._frames = frames
        self._part = part
        self._kind = kind
        self._place: JsonObject = {"item_id": item_id, "output_index": output_index}
        event = _INPUT.get(kind)
        self._input = DeltaFrame(frames, event[0] + ".delta", self._place) if event else None
        self._said: list[str] = []

    def start(self) -> JsonObject:
        return items.whole(self._kind, self._id, self._part, "in_progress")

    def open(self, _part: Part) -> bytes:
        steps = _PROGRESS.get(self._kind, ())
        return b"".join(self._step(step) for step in steps)

    def _step(self, step: str) -> bytes:
        return self._frames.frame(f"response.{self._kind}.{step}", self._place)

    def delta(self, event: Delta) -> bytes:
        if event.channel != "input" or self._input is None or not event.text:
            return b""
        self._said.append(event.text)
        return self._input.of(event.text)

    def close(self, part: Part) -> bytes:
        self._part = part
        said = b""
        if self._said:
            event, member = _INPUT[self._kind]
            said = self._frames.frame(event + ".done", {**self._place, member: "".join(self._said)})
        return said + (self._step("completed") if self._kind in _PROGRESS else b"")

    def item(self, status: str) -> JsonObject:
        return items.whole(self._kind, self._id, self._part, status)
