"""Content blocks of a reply → parts, the same for a whole answer and for a stream.

Names come back in the client's words, custom tools as raw text, and a structured answer that was asked for through a
tool as text. Seals get the trust domain of the deployment that answered.
"""

from allgate.dialects.anthropic import hosted, json_output
from allgate.dialects.anthropic.block_members import extra_of
from allgate.dialects.anthropic.blocks_encode import tool_names
from allgate.dialects.anthropic.citations import annotations_of
from allgate.dialects.anthropic.content import plain_text
from allgate.dialects.anthropic.seal_slots import SlotForm
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.contract import Sent
from allgate.dialects.passes.custom_tools import custom_names, unwrap_input
from allgate.dialects.passes.lenient import object_of, text_of
from allgate.dialects.passes.tool_names import ToolNames
from allgate.operations.chat.parts import (
    Annotation,
    Hosted,
    HostedResult,
    Opaque,
    Part,
    Seal,
    Text,
    Thinking,
    ToolCall,
)
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

_TEXT_MEMBERS = frozenset({"type", "text", "citations"})
_THINKING_MEMBERS = frozenset({"type", "thinking", "signature", "data"})
_CALL_MEMBERS = frozenset({"type", "id", "name", "input"})


class ReplyReader:
    """Reads the blocks of one reply. `called`: one was a call that the client runs."""

    __slots__ = ("_customs", "_json_tool", "_names", "_origin", "_scope", "_sent", "called")

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self.called = False
        self._origin = sent.caps.seal_origin
        self._scope = sent.caps.seal_scope
        self._json_tool = ""
        if sent.request.output is not None and json_output.is_emulated(sent.request, sent.caps):
            self._json_tool = json_output.tool_name(sent.request)
        self._names: ToolNames | None = None  # built for the first call: most answers have none
        self._customs: frozenset[tuple[str, str | None]] = frozenset()

    def part(self, block: JsonObject) -> Part:
        """The part of a whole block; a provider-run call comes without its result."""
        match block.get("type"):
            case "text":
                skeleton = self.text(block)
                return Text(
                    text=text_of(block.get("text")), annotations=self.annotations(block), extra=skeleton.extra
                )
            case "thinking" | "redacted_thinking":
                return self.thinking(block, text_of(block.get("thinking")), self.seal(block))
            case "tool_use":
                return self._whole_call(block)
            case "server_tool_use" | "mcp_tool_use":
                return hosted.use_part(block)
            case _:
                return Opaque(dialect=DIALECT, raw=block)

    def text(self, block: JsonObject) -> Text:
        """A text without its content."""
        return Text(text="", extra=extra_of(block, _TEXT_MEMBERS, {}))

    def annotations(self, block: JsonObject) -> tuple[Annotation, ...]:
        return annotations_of(block.get("citations"), self._origin, self._scope)

    def thinking(self, block: JsonObject, text: str, seal: Seal | None) -> Thinking:
        return Thinking(
            text=text,
            form="raw" if text else "hidden",
            seals=() if seal is None else (seal,),
            extra=extra_of(block, _THINKING_MEMBERS, {}),
        )

    def seal(self, block: JsonObject) -> Seal | None:
        """The seal in a thinking block, or in a signature_delta."""
        form: SlotForm = "redacted" if block.get("type") == "redacted_thinking" else "signature"
        value = text_of(block.get("data" if form == "redacted" else "signature"))
        return Seal(origin=self._origin, scope=self._scope, form=form, value=value) if value else None

    def call(self, block: JsonObject) -> ToolCall | Text:
        """A call without its input; an empty text for the tool that stands for structured output."""
        name = text_of(block.get("name"))
        if self._json_tool and name == self._json_tool:
            return Text(text="")
        if self._names is None:
            self._names = tool_names(self._sent.request, self._sent.caps)
            self._customs = custom_names(self._sent.request)
        self.called = True
        name, namespace = self._names.received(name)
        return ToolCall(
            call_id=text_of(block.get("id")),
            name=name,
            namespace=namespace,
            input_kind="text" if (name, namespace) in self._customs else "json",
            extra=extra_of(block, _CALL_MEMBERS, {}),
        )

    def _whole_call(self, block: JsonObject) -> ToolCall | Text:
        call = self.call(block)
        text = whole_input(block)
        if isinstance(call, Text):
            return Text(text=text)
        return ToolCall(
            call_id=call.call_id,
            name=call.name,
            namespace=call.namespace,
            input=unwrap_input(text) if call.input_kind == "text" else text,
            input_kind=call.input_kind,
            extra=call.extra,
        )

    def result(self, block: JsonObject) -> HostedResult:
        return hosted.result_of(block, self._origin, self._scope)


def whole_input(block: JsonObject) -> str:
    """The input of a call as compact JSON text."""
    return json.encode_text(object_of(block.get("input")))


def join_results(content: list[Json], reader: ReplyReader) -> list[Part]:
    """The parts of a whole content list, provider-run calls with their results."""
    parts: list[Part] = []
    uses: dict[str, int] = {}
    for block in content:
        if (text := plain_text(block)) is not None:
            parts.append(Text(text=text))
        elif dict is type(block):
            _join(block, parts, uses, reader)
    return [part for part in parts if not (isinstance(part, Text) and not part.text)]


def _join(block: JsonObject, parts: list[Part], uses: dict[str, int], reader: ReplyReader) -> None:
    """One more block; `uses` are the places of provider-run calls."""
    kind = text_of(block.get("type"))
    if not hosted.is_result(kind):
        if hosted.is_use(kind):
            uses[text_of(block.get("id"))] = len(parts)
        parts.append(reader.part(block))
        return
    place = uses.get(text_of(block.get("tool_use_id")))
    use = None if place is None else parts[place]
    result = reader.result(block)
    if place is None or not isinstance(use, Hosted):
        parts.append(hosted.result_part(block, result))
    else:
        parts[place] = hosted.joined(use, result, enclosed=len(parts) - 1 - place)
