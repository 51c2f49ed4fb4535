"""The tool calls of one choice, put together from whatever fragments a provider sends.

The format says: the first fragment of a call has `index`, `id`, `type` and the whole name, the others have `index` and
a piece of the arguments. Servers exist that leave the index out, start at 1, give every call index 0, repeat id and
name in each fragment, send the name in pieces, send arguments before the name, or give no id at all. Rules:

- A fragment belongs to the call of its index; without an index, to the call of its id; without both, to the last call.
- Another id on the same index is another call. So is a name with arguments where the call's arguments are complete.
- A name that equals the one we have is a repetition; another one, before any arguments, is its next piece.
- A call without an id gets one derived from the answer's id and the call's place.

The format has no end marker for a call. A call is closed at the end of the answer, or earlier if something else begins
and its arguments are a complete JSON object: until then parallel calls may still be interleaved.
"""

from io import StringIO

from allgate.core.errors import WireError, wire_error
from allgate.core.ids import call_id_from
from allgate.core.value import changed
from allgate.dialects.contract import Sent
from allgate.dialects.openai_chat.chunks import CallPiece
from allgate.dialects.passes.custom_tools import StreamingUnwrap, custom_names
from allgate.dialects.passes.lenient import object_of, text_of
from allgate.dialects.passes.sequencer import PartSequencer
from allgate.dialects.passes.tool_names import OPENAI_NAME, ToolNames
from allgate.operations.chat.parts import Seal, ToolCall
from allgate.wire import json

CALLS_MAX = 1_024
"""Calls of one choice: vendors stop at 128 parallel ones; beyond this a reply is a runaway, not an answer."""

CallKey = tuple[str, int]


class _Call:
    """A call in the making. `key` names it to the sequencer, `name` is the provider's word for the tool."""

    __slots__ = ("closed", "index", "key", "name", "part", "started", "unwrap", "written")

    def __init__(self, key: CallKey, part: ToolCall, index: int | None) -> None:
        self.key = key
        self.part = part
        self.index = index
        self.name = ""
        self.started = False  # the name is complete, and told
        self.closed = False
        self.written = StringIO()  # the arguments as the provider wrote them
        self.unwrap: StreamingUnwrap | None = None


class Calls:
    """Collects call fragments into `parts`."""

    __slots__ = ("_calls", "_customs", "_names", "_parts", "_salt", "_sent")

    def __init__(self, parts: PartSequencer, sent: Sent, salt: str) -> None:
        """`salt` makes derived ids differ between answers."""
        self._parts = parts
        self._sent = sent
        self._calls: list[_Call] = []
        self._salt = salt
        self._names: ToolNames | None = None  # built for the first call: most answers have none
        self._customs: frozenset[tuple[str, str | None]] = frozenset()

    def goes_on(self, piece: CallPiece) -> bool:
        """The ordinary fragment, nothing but more arguments for the last call: true if it is that, and was taken."""
        function = piece.function
        if not self._calls or function is None or not function.arguments or function.name or piece.id:
            return False
        call = self._calls[-1]
        if piece.index != call.index or not call.started or piece.extra_content is not None:
            return False
        call.written.write(function.arguments)
        self._tell(call, function.arguments)
        return True

    def is_new(self, piece: CallPiece) -> bool:
        """True if this fragment begins a call, so that what was open before can be closed."""
        return self._owner(piece) is None

    def take(self, piece: CallPiece) -> None:
        """One fragment. Raises: WireError: more than CALLS_MAX calls."""
        call = self._owner(piece) or self._begun(piece)
        name, text = _name(piece), _input(piece)
        if piece.id and not call.part.call_id:
            call.part = changed(call.part, call_id=piece.id)
        if name and not call.started and name != call.name:
            call.name += name
        if text:
            call.written.write(text)
            if call.started:
                self._tell(call, text)
            elif call.name:
                self._start(call)
        self._keep_seal(call, piece)

    def close_complete(self) -> None:
        """Something else begins: close the calls whose arguments cannot go on."""
        for call in self._calls:
            if not call.closed and _is_complete(call):
                self._close(call)

    def close_all(self) -> None:
        for call in self._calls:
            if not call.closed:
                self._close(call)

    def _owner(self, piece: CallPiece) -> _Call | None:
        """The call that this fragment continues; None if it begins one."""
        if piece.index is None and piece.id:
            return next((call for call in self._calls if call.part.call_id == piece.id), None)
        if piece.index is None:
            last = self._calls[-1] if self._calls else None
            return None if last is None or (_name(piece) and last.started) else last
        call = next((call for call in reversed(self._calls) if call.index == piece.index), None)
        if call is None or (piece.id and call.part.call_id and piece.id != call.part.call_id):
            return None
        if _name(piece) and _input(piece) and call.started and (call.closed or _is_complete(call)):
            return None
        return call

    def _begun(self, piece: CallPiece) -> _Call:
        if len(self._calls) >= CALLS_MAX:
            raise wire_error(f"The reply holds more than {CALLS_MAX} tool calls")
        is_custom = piece.type == "custom" or (piece.function is None and piece.custom is not None)
        part = ToolCall(call_id=piece.id or "", name="", input_kind="text" if is_custom else "json")
        call = _Call(("call", len(self._calls)), part, piece.index)
        self._calls.append(call)
        self._parts.open(call.key, part, hold=True)
        return call

    def _start(self, call: _Call) -> None:
        """Arguments begin, so the name is complete: tell it in the client's words, and what was held back."""
        name, namespace = self._received(call.name)
        call.started = True
        call.part = changed(
            call.part,
            call_id=call.part.call_id or call_id_from(self._salt, str(call.key[1])),
            name=name,
            namespace=namespace,
        )
        if (name, namespace) in self._customs and call.part.input_kind == "json":
            call.part = changed(call.part, input_kind="text")
            call.unwrap = StreamingUnwrap()
        self._parts.amend(call.key, call.part)
        self._parts.announce(call.key)
        self._tell(call, call.written.getvalue())

    def _tell(self, call: _Call, text: str) -> None:
        if call.unwrap:
            text = call.unwrap.feed(text)
        if text:
            self._parts.append_text(call.key, text)

    def _received(self, name: str) -> tuple[str, str | None]:
        """The client's name and namespace for what the provider called."""
        if self._names is None:
            request, caps = self._sent.request, self._sent.caps
            self._names = ToolNames(request, caps.tool_name_characters_max, OPENAI_NAME)
            self._customs = custom_names(request)
        return self._names.received(name)

    def _keep_seal(self, call: _Call, piece: CallPiece) -> None:
        """Google's compatibility layer puts a thought signature beside the function."""
        caps = self._sent.caps
        if piece.extra_content is None or caps.seal_origin != "gemini":
            return
        google = object_of(object_of(piece.extra_content).get("google"))
        if value := text_of(google.get("thought_signature")):
            if not call.started:
                self._start(call)
            seal = Seal(origin="gemini", scope=caps.seal_scope, form="thought", value=value)
            self._parts.append(call.key, "seal", seal=seal)

    def _close(self, call: _Call) -> None:
        call.closed = True
        if not call.started and (call.name or call.written.tell()):
            self._start(call)
        if call.unwrap and (rest := call.unwrap.close()):
            self._parts.append_text(call.key, rest)
        self._parts.close(call.key)


def _is_complete(call: _Call) -> bool:
    """True if the arguments cannot go on: a complete JSON object, or any text of a custom call."""
    written = call.written.getvalue()
    if call.part.input_kind == "text" and call.unwrap is None:
        return bool(written)
    if not written.rstrip().endswith("}"):
        return False
    try:
        return isinstance(json.decode(written), dict)
    except WireError:
        return False


def _name(piece: CallPiece) -> str:
    inner = piece.function or piece.custom
    return (inner.name or "") if inner else ""


def _input(piece: CallPiece) -> str:
    if piece.function:
        return piece.function.arguments or ""
    return (piece.custom.input or "") if piece.custom else ""
