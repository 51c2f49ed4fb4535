"""One candidate of a reply, as its pieces come in: parts of the grammar of events.

Gemini marks no boundaries. A text or a thought goes on until something else begins; a signature ends the part it stands
on, so that a sealed part is never merged with another; one that comes alone at the end belongs to the part before it.
Every function call is a part, also where two of the same function follow each other. A hosted call stays open until its
result comes or anything else begins.

The last text stays open until the reply ends, because its sources come with the last chunk.
"""

from collections.abc import Hashable

from allgate.core.ids import call_id_from
from allgate.core.value import Value, changed
from allgate.dialects.contract import Sent
from allgate.dialects.gemini.finish import finish_of
from allgate.dialects.gemini.grounding import Citation, annotations_in
from allgate.dialects.gemini.hosted import answered, answers
from allgate.dialects.gemini.partial_args import PartialArguments
from allgate.dialects.gemini.parts_decode import NO_ARGUMENTS
from allgate.dialects.gemini.signatures import seals_of_provider
from allgate.dialects.passes.custom_tools import unwrap_input
from allgate.dialects.passes.sequencer import PartSequencer
from allgate.dialects.passes.tool_names import ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Event, Finished
from allgate.operations.chat.fold import skeleton
from allgate.operations.chat.parts import Hosted, Part, Seal, Text, Thinking, ToolCall
from allgate.operations.chat.tools import Builtin, BuiltinKind, Custom
from allgate.wire.json import Json, JsonObject, encode_text

_TEXT = Text(text="")
_THOUGHT = Thinking(form="summary")


class Answering(Value, frozen=True, kw_only=True):
    """What a reply must be known of its request: names, kinds of tools, whose seals these are."""

    names: ToolNames
    custom: frozenset[tuple[str, str | None]]
    builtins: dict[str, BuiltinKind]
    caps: Caps
    turns: int

    def seals(self, signature: str | None) -> tuple[Seal, ...]:
        return seals_of_provider(signature, self.caps)


def answering(sent: Sent, names: ToolNames) -> Answering:
    """From the request that is being answered."""
    tools = sent.request.tools
    return Answering(
        names=names,
        custom=frozenset([(tool.name, tool.namespace) for tool in tools if isinstance(tool, Custom)]),
        builtins={
            tool.name or tool.kind: tool.kind
            for tool in tools
            if isinstance(tool, Builtin) and tool.runs == "client"
        },
        caps=sent.caps,
        turns=len(sent.request.turns),
    )


class ChoiceDecoder:
    """Takes the pieces of one candidate and appends events."""

    __slots__ = (
        "_about", "_base", "_calls", "_events", "_index", "_keys", "_partial", "_parts", "_running", "_told_hosted",
        "append_text", "citations", "finish_message", "finish_reason", "key", "open_thought", "part_starts",
    )  # fmt: skip

    def __init__(self, about: Answering, events: list[Event], index: int) -> None:
        self._about = about
        self._events = events
        self._index = index
        self._parts = PartSequencer(events, index)
        self.append_text = self._parts.append_text
        """With `key`, the quick way of `text` for a piece that goes on with the open part."""
        self.open_thought: bool | None = None
        """Whether the open part is a thought (or a text); None: neither is open. What is open has text."""
        self.key = 0  # of the open text or thought
        self._keys = 0
        self._base = 0  # bytes of visible text in closed parts
        self._calls = 0
        self._running: list[tuple[Hashable, Hosted]] = []
        self._partial: tuple[ToolCall, PartialArguments] | None = None
        self.citations: list[Citation] = []
        self.part_starts: list[int] = []
        self.finish_reason: str | int | None = None
        self.finish_message: str | None = None
        self._told_hosted = False

    def text(self, text: str, thought: bool, signature: str | None) -> None:
        """A piece of text or of a thought."""
        if text:
            if self.open_thought is not thought or signature:
                self._begin(thought)
            self.append_text(self.key, text)
        if signature:
            self._sign(thought, signature)

    def went_on(self, text: str) -> None:
        """The open text or thought went on by this, of which the events have left."""
        self.append_text(self.key, text)
        self._events.pop()

    def part(self, part: Part) -> None:
        """Any other part, whole."""
        if isinstance(part, Hosted) and part.result is not None and self._answered(part):
            return
        self.end_text()
        if isinstance(part, ToolCall):
            part = self._call(part)
        elif isinstance(part, Hosted) and not part.call_id:
            part = changed(
                part, call_id=call_id_from(str(self._about.turns), str(self._index), str(self._keys))
            )
        key = self._next_key()
        if isinstance(part, Hosted) and part.result is None:
            self._running.append((key, part))
            self._parts.open(key, skeleton(part))
            if part.input:
                self._parts.append_text(key, part.input)
            for seal in part.seals:
                self._parts.append(key, "seal", seal=seal)
            return
        self._end_running()
        self._parts.open(key, skeleton(part))
        self._parts.close(key, part)

    def logprobs(self, entries: list[Json]) -> None:
        """Log probabilities of the text so far; without a text there is nothing they belong to."""
        if self.open_thought is False and entries:
            self._parts.append(self.key, "logprobs", logprobs=entries)

    def partial_call(self, call: ToolCall | None, pieces: list[JsonObject], more: bool) -> None:
        """A piece of a call whose arguments come in pieces; `call` is None where it continues the last."""
        if call is not None:
            self._end_partial()
            self._partial = (call, PartialArguments())
        if self._partial is not None:
            self._partial[1].take(pieces)
            if not more:
                self._end_partial()

    @property
    def visible_bytes(self) -> int:
        """How much text the client can see so far."""
        visible = self._parts.text(self.key) if self.open_thought is False else ""
        return self._base + len(visible.encode("utf-8", "surrogatepass"))

    def end_text(self) -> None:
        """Something else begins, or the reply ends: close the open text or thought, with its sources."""
        if self._partial is not None:
            self._end_partial()
        if self.open_thought is None:
            return
        if not self.open_thought:
            text = self._parts.text(self.key)
            if self.citations:
                for annotation in annotations_in(text, self._base, self.citations):
                    self._parts.append(self.key, "annotation", annotation=annotation)
            self._base += len(text.encode("utf-8", "surrogatepass"))
        self._parts.close(self.key)
        self.open_thought = None

    def close(self, hosted: list[Hosted], default_reason: str | None) -> bool:
        """The reply has ended. False if this candidate has not: nothing is said of its finish then."""
        self.end_text()
        self._end_running()
        self.tell_hosted(hosted)
        reason = self.finish_reason if self.finish_reason is not None else default_reason
        if reason is None:
            return False
        finish = finish_of(reason, self.finish_message, calls=self._calls > 0)
        self._events.append(Finished(finish=finish, choice=self._index))
        return True

    @property
    def untouched(self) -> bool:
        """True until the first part."""
        return self._keys == 0

    def tell_hosted(self, calls: list[Hosted]) -> None:
        """The searches that the metadata tells of, once."""
        if not self._told_hosted:
            self._told_hosted = bool(calls)
            for call in calls:
                self.part(call)

    def _begin(self, thought: bool) -> None:
        self.end_text()
        self._end_running()
        self.key = self._next_key()
        self.open_thought = thought
        self._parts.open(self.key, _THOUGHT if thought else _TEXT)

    def _sign(self, thought: bool, signature: str) -> None:
        if self.open_thought is not thought:
            self._begin(thought)
        for seal in self._about.seals(signature):
            self._parts.append(self.key, "seal", seal=seal)
        self.end_text()

    def _next_key(self) -> int:
        self._keys += 1
        return self._keys

    def _call(self, call: ToolCall) -> ToolCall:
        """The call in the client's words; one without an id gets the same id on every retry of the same history."""
        about = self._about
        self._calls += 1
        name, namespace = about.names.received(call.name)
        call_id = call.call_id or call_id_from(
            str(about.turns), str(self._index), str(self._parts.count), call.name, call.input
        )
        if (name, namespace) in about.custom:
            text = unwrap_input(call.input)
            return changed(
                call, call_id=call_id, name=name, namespace=namespace, input=text, input_kind="text"
            )
        return changed(
            call, call_id=call_id, name=name, namespace=namespace, builtin=about.builtins.get(name)
        )

    def _answered(self, answer: Hosted) -> bool:
        for place, (key, call) in enumerate(self._running):
            if answers(call, answer) or (not answer.call_id and call.tool == answer.tool):
                del self._running[place]
                result = answered(call, answer)
                if result.result is not None:
                    self._parts.append(key, "result", result=result.result)
                for seal in answer.seals:
                    self._parts.append(key, "seal", seal=seal)
                self._parts.close(key, result)
                return True
        return False

    def _end_running(self) -> None:
        for key, call in self._running:
            self._parts.close(key, call)
        self._running.clear()

    def _end_partial(self) -> None:
        if self._partial is not None:
            call, arguments = self._partial
            self._partial = None
            self.part(changed(call, input=encode_text(arguments.value) if arguments.value else NO_ARGUMENTS))
