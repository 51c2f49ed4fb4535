"""Parts of a turn → content blocks of a request to a provider.

What the vendor refuses is repaired here, each time with a note: arguments that are no object, ids outside its alphabet,
texts of white space only, thinking without a seal it can read, citations whose index is another vendor's.

Thinking in the history (the table of our wire-format notes, §3.9): a readable seal is replayed verbatim with its text;
without one the block is left out, except for vendors that take or want it unsigned (`Caps.unsigned_thinking`).
"""

from typing import TypeGuard

from allgate.core.errors import WireError
from allgate.dialects.anthropic import hosted
from allgate.dialects.anthropic.citations import replayed
from allgate.dialects.anthropic.media_encode import media_block
from allgate.dialects.anthropic.request_decode import extra_members
from allgate.dialects.anthropic.seal_slots import readable
from allgate.dialects.anthropic.versions import CALL_ID, CALL_ID_CHARACTERS_MAX, DIALECT
from allgate.dialects.passes.call_ids import fitting_call_id
from allgate.dialects.passes.custom_tools import wrap_input
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.tool_names import ANTHROPIC_NAME, ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, converted, dropped
from allgate.operations.chat.parts import (
    Hosted,
    Media,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from allgate.operations.chat.request import ChatRequest
from allgate.wire import json
from allgate.wire.json import Json, JsonObject


def sent_call_id(call_id: str) -> str:
    """The id under which the vendor and its clients know a call: the same function for calls and results."""
    return fitting_call_id(call_id, CALL_ID, CALL_ID_CHARACTERS_MAX)


def tool_names(request: ChatRequest, caps: Caps) -> ToolNames:
    """The map of names, which the reply's decoder builds again."""
    return ToolNames(request, caps.tool_name_characters_max, ANTHROPIC_NAME)


class BlockWriter:
    """Writes the blocks of one request; what was not carried goes to `notes`."""

    __slots__ = ("_caps", "_names", "_request", "notes")

    def __init__(self, request: ChatRequest, caps: Caps, notes: list[Note]) -> None:
        self._request = request
        self._caps = caps
        self._names: ToolNames | None = None
        self.notes = notes

    @property
    def names(self) -> ToolNames:
        """The names of tools, read from the whole request for the first that is asked for: most requests have none."""
        if self._names is None:
            self._names = tool_names(self._request, self._caps)
        return self._names

    def blocks(self, parts: tuple[Part, ...]) -> list[JsonObject]:
        """The blocks of a turn. Raises: WireError: media that this deployment does not take."""
        if len(parts) == 1 and is_plain(part := parts[0]):
            return [{"type": "text", "text": part.text}] if part.text.strip() else []
        return hosted.placed(parts, self._part, self._hosted_result)

    def _part(self, part: Part) -> list[JsonObject]:
        match part:
            case Text():
                return self._text(part)
            case ToolCall():
                return [self._call(part)]
            case ToolResult():
                return [self._result(part)]
            case Thinking():
                return self._thinking(part)
            case Media():
                return [_marked(media_block(part, self._caps), part)]
            case Hosted():
                return self._hosted_use(part)
            case Refusal():
                return [_marked({"type": "text", "text": part.text}, part)] if part.text.strip() else []
            case Opaque():
                return self._opaque(part)

    def _text(self, part: Text) -> list[JsonObject]:
        """A text that is not blank, or the block that it stands for."""
        members = part.extra.get(DIALECT, {})
        if "_block" not in members:
            if not part.text.strip():
                return []
        elif self._understood(members["_block"]):
            return [_marked(dict(members["_block"]), part)]
        if part.seals:
            self._note_seals()
        block: JsonObject = {"type": "text", "text": part.text}
        if part.annotations:
            citations = replayed(part, self._caps)
            if citations:
                block["citations"] = citations
            if len(citations) < len(part.annotations):
                self.notes.append(dropped("citations", "not readable by this provider"))
        return [_marked(block, part)]

    def _understood(self, block: JsonObject) -> bool:
        """References to deferred tools mean something only where tools can be deferred."""
        return block.get("type") != "tool_reference" or "tool_search" in self._caps.hosted

    def _call(self, part: ToolCall) -> JsonObject:
        if part.seals:
            self._note_seals()
        return _marked(
            {
                "type": "tool_use",
                "id": sent_call_id(part.call_id),
                "name": self.names.sent(part.name, part.namespace),
                "input": self._input(part),
            },
            part,
        )

    def _input(self, part: ToolCall) -> JsonObject:
        """The arguments as an object, which is the only thing the vendor takes."""
        text = wrap_input(part.input) if part.input_kind == "text" else part.input
        value = arguments_object(text)
        if isinstance(value, dict):
            return value
        self.notes.append(converted("tool_use.input", "arguments that are no JSON object"))
        return {"_raw": text} if value is None else {"value": value[0]}

    def _result(self, part: ToolResult) -> JsonObject:
        block: JsonObject = {"type": "tool_result", "tool_use_id": sent_call_id(part.call_id)}
        content = [block for piece in part.parts for block in self._part(piece)]
        if not content and part.structured is not None:
            content = [{"type": "text", "text": json.encode_text(part.structured)}]
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            block["content"] = content[0]["text"]
        elif content:
            block["content"] = content
        if part.is_error:
            block["is_error"] = True
        return _marked(block, part)

    def _thinking(self, part: Thinking) -> list[JsonObject]:
        seal = next((seal for seal in part.seals if readable(seal, self._caps)), None)
        if seal is not None and seal.form == "redacted":
            return [_marked({"type": "redacted_thinking", "data": seal.value}, part)]
        if seal is not None:
            return [_marked({"type": "thinking", "thinking": part.text, "signature": seal.value}, part)]
        if self._caps.unsigned_thinking and part.text:
            return [_marked({"type": "thinking", "thinking": part.text}, part)]
        self._note_seals()
        return []

    def _hosted_use(self, part: Hosted) -> list[JsonObject]:
        if not self._is_replayable(part):
            self.notes.append(dropped(part.tool, "a call that another provider ran"))
            return []
        use = hosted.own_use(part)
        return [] if use is None else [use if part.result is not None else _marked(use, part)]

    def _hosted_result(self, part: Hosted) -> JsonObject | None:
        result = hosted.own_result(part) if self._is_replayable(part) else None
        return None if result is None else _cached(result, part)

    def _is_replayable(self, part: Hosted) -> bool:
        hits = part.result.hits if part.result else ()
        return hosted.is_own(part) and all(hit.seal is None or readable(hit.seal, self._caps) for hit in hits)

    def _opaque(self, part: Opaque) -> list[JsonObject]:
        if part.dialect == DIALECT and (raw := object_of(part.raw)):
            return [_marked(dict(raw), part)]
        self.notes.append(dropped(f"{part.dialect} item", "not understood by anthropic"))
        return []

    def _note_seals(self) -> None:
        self.notes.append(dropped("thinking", "not sealed for this provider"))


def arguments_object(text: str) -> JsonObject | list[Json] | None:
    """Arguments as an object; as a list of one where they are another JSON value; None where they are no JSON."""
    try:
        value: Json = json.decode(text or "{}", "arguments")
    except WireError:
        return None
    return object_of(value) if isinstance(value, dict) else [value]


def is_plain(part: Part) -> TypeGuard[Text]:
    """A text with nothing beside it, which is all that most turns are."""
    return type(part) is Text and not (part.annotations or part.cache or part.seals or part.extra)


def _marked(block: JsonObject, part: Part) -> JsonObject:
    """The block with its cache breakpoint, over what its own dialect had beside it."""
    if part.extra:
        block = {**extra_members(part.extra), **block}
    return block if part.cache is None else _cached(block, part)


def _cached(block: JsonObject, part: Part) -> JsonObject:
    if part.cache is None:
        return block
    control: JsonObject = {"type": "ephemeral", **part.extra.get(DIALECT, {}).get("_cache_control", {})}
    if part.cache.ttl is not None:
        control["ttl"] = part.cache.ttl
    return {**block, "cache_control": control}
