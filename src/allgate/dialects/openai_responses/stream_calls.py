"""The calls of a stream while they arrive: of the client's tools, and of those that the provider runs.

Arguments come in pieces, whole in `.done`, or only in the finished item; what is missing at each step is added, so that
encoders always see pieces. A custom tool that was offered as a function is unwrapped on the way.
"""

from allgate.core.value import changed
from allgate.dialects.openai_responses.output_decode import decode_output
from allgate.dialects.openai_responses.target import Target
from allgate.dialects.passes.custom_tools import StreamingUnwrap
from allgate.dialects.passes.lenient import text_of
from allgate.dialects.passes.sequencer import PartSequencer
from allgate.operations.chat.fold import skeleton
from allgate.operations.chat.parts import Hosted, Part, ToolCall
from allgate.wire.json import JsonObject

_OPENED_EARLY = frozenset(
    {
        "function_call", "custom_tool_call", "web_search_call", "file_search_call", "code_interpreter_call", "mcp_call",
    }
)  # fmt: skip
"""Item types whose kind of part is known when they are announced, and that last long enough to be shown meanwhile."""


class StreamCalls:
    """Calls by output index, on their way into the sequencer. `kinds`: of the parts that opened."""

    __slots__ = ("_raw", "_sequencer", "_target", "_unwraps", "kinds")

    def __init__(self, sequencer: PartSequencer, target: Target) -> None:
        self._sequencer = sequencer
        self._target = target
        self._raw: dict[int, list[str]] = {}  # what the wire brought of a call's input
        self._unwraps: dict[int, StreamingUnwrap] = {}
        self.kinds: set[type[Part]] = set()

    def added(self, index: int, item: JsonObject) -> None:
        """An item was announced: its part opens if its kind is known already."""
        kind = text_of(item.get("type"))
        if kind not in _OPENED_EARLY:
            return
        (part,) = decode_output(item, self._target)
        part = skeleton(part)
        if kind == "function_call" and isinstance(part, ToolCall) and part.input_kind == "text":
            self._unwraps[index] = StreamingUnwrap()
        is_named = not isinstance(part, ToolCall) or bool(part.name and item.get("call_id"))
        self._sequencer.open(_key(index), part if is_named else _NAMELESS, hold=not is_named)
        self._raw[index] = []
        self.kinds.add(type(part))

    def piece(self, index: int, text: str) -> None:
        """A further piece of a call's input."""
        if index not in self._raw:
            self._sequencer.open(_key(index), _NAMELESS, hold=True)
            self._raw[index] = []
        self._raw[index].append(text)
        unwrap = self._unwraps.get(index)
        if unwrap is not None:
            text = unwrap.feed(text)
        if text:
            self._sequencer.append_text(_key(index), text)

    def whole(self, index: int, text: str) -> None:
        """A call's input was told whole: add what the pieces left out."""
        told = "".join(self._raw.get(index, ()))
        if len(text) > len(told) and text.startswith(told):
            self.piece(index, text[len(told) :])

    def done(self, index: int, final: Part) -> None:
        """The item is complete; `final` is its part. Where another kind was announced, the client is left with that."""
        opened = self._sequencer.skeleton(_key(index))
        if opened is not None and type(opened) is not type(final):
            self._sequencer.amend(_key(index), skeleton(final))  # of no effect once it was announced
            opened = self._sequencer.skeleton(_key(index))
        if opened is None:
            self._sequencer.open(_key(index), skeleton(final))
        elif type(opened) is not type(final):
            self._sequencer.close(_key(index))
            return
        elif isinstance(final, ToolCall) and isinstance(opened, ToolCall):
            final = self._call_done(index, opened, final)
        elif isinstance(final, Hosted) and self._raw.get(index):
            final = self._hosted_done(index, final)
        self._sequencer.close(_key(index), final)
        self._raw[index] = []

    def _call_done(self, index: int, opened: ToolCall, final: ToolCall) -> ToolCall:
        if not opened.name:
            self._sequencer.amend(_key(index), skeleton(final))
        else:
            final = changed(final, call_id=opened.call_id, name=opened.name, namespace=opened.namespace)
        return changed(final, input=self._completed(index, final.input))

    def _hosted_done(self, index: int, final: Hosted) -> Hosted:
        final = changed(final, input=self._completed(index, final.input))
        if final.result is not None:
            self._sequencer.append(_key(index), "result", result=final.result)
        return final

    def _completed(self, index: int, text: str) -> str:
        """The input as the stream tells it: pieces first, then what only the finished item holds."""
        told = self._sequencer.text(_key(index))
        if not told:
            return text
        if text.startswith(told):
            if len(text) > len(told):
                self._sequencer.append_text(_key(index), text[len(told) :])
            return text
        return told


_NAMELESS = ToolCall(call_id="", name="")


def _key(index: int) -> tuple[str, int]:
    return "call", index
