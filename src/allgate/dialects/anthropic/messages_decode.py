"""Messages of a request → turns: one turn per message, in the client's order; `normal_form` does the regrouping.

What a message may hold here is more than the newest types say: any role may hold any block, `content` may be a string,
a signature may be null, and unknown blocks and members are kept for their own dialect. What is refused is a known
member of the wrong type, by the vendor's path ("messages.3.content.0.text").
"""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.anthropic import hosted
from allgate.dialects.anthropic.block_members import extra_of, mark_of
from allgate.dialects.anthropic.citations import annotations_of, opened
from allgate.dialects.anthropic.content import plain_text
from allgate.dialects.anthropic.media_decode import kept, media_part, search_result_part, tool_reference_part
from allgate.dialects.anthropic.seal_slots import CLIENT_DECLARED, ORIGIN, SlotForm, open_slot
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.passes.lenient import text_of
from allgate.dialects.seals import SealBox
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import (
    HostedResult,
    Media,
    Opaque,
    Part,
    Seal,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from allgate.operations.chat.request import Role, Turn
from allgate.wire import json
from allgate.wire.json import Json, JsonObject, list_at, object_at, optional_bool, text_at

ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "developer",
}

_MESSAGE_MEMBERS = frozenset({"role", "content"})
_TEXT_MEMBERS = frozenset({"type", "text", "citations", "cache_control"})
_CALL_MEMBERS = frozenset({"type", "id", "name", "input", "cache_control"})
_RESULT_MEMBERS = frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"})


def text_part(block: JsonObject, path: str) -> Text:
    mark, more = mark_of(block)
    return Text(
        text=text_at(block.get("text"), f"{path}.text"),
        annotations=annotations_of(block.get("citations"), ORIGIN, CLIENT_DECLARED),
        cache=mark,
        extra=extra_of(block, _TEXT_MEMBERS, more),
    )


class MessageReader:
    """Reads the messages of one request; `notes` collects what had to be dropped."""

    __slots__ = ("_box", "notes")

    def __init__(self, box: SealBox) -> None:
        self._box = box
        self.notes: list[Note] = []

    def turns(self, messages: Json) -> list[Turn]:
        found = list_at(messages, "messages")
        if not found:
            raise wire_error("messages: at least one message is required", param="messages")
        turns: list[Turn] = []
        for place, raw in enumerate(found):
            if dict is type(raw) and len(raw) == 2 and str is type(text := raw.get("content")):
                role = raw.get("role")
                if role == "user" or role == "assistant":
                    turns.append(Turn(role=role, parts=(Text(text=text),)))
                    continue
            turns.append(self._turn(raw, f"messages.{place}"))
        return turns

    def _turn(self, raw: Json, path: str) -> Turn:
        message = object_at(raw, path)
        role = ROLES.get(text_at(message.get("role"), f"{path}.role"))
        if role is None:
            raise wire_error(
                f"{path}.role: {message['role']!r} is not one of user, assistant, system",
                param=f"{path}.role",
            )
        content: Json = message.get("content")
        if isinstance(content, str):
            parts: tuple[Part, ...] = (Text(text=content),)
        else:
            parts = self._parts(list_at(content, f"{path}.content"), f"{path}.content")
        return Turn(role=role, parts=parts, extra=extra_of(message, _MESSAGE_MEMBERS, {}))

    def _parts(self, blocks: list[Json], path: str) -> tuple[Part, ...]:
        parts: list[Part] = []
        uses: dict[str, int] = {}
        riding: list[Seal] = []  # seals whose part is the next one
        for place, raw in enumerate(blocks):
            if (text := plain_text(raw)) is not None:
                part = Text(text=text)
            else:
                block = object_at(raw, f"{path}.{place}")
                kind = text_at(block.get("type"), f"{path}.{place}.type")
                if hosted.is_result(kind) and kind != "tool_result":
                    self._hosted_result(block, parts, uses)
                    continue
                if hosted.is_use(kind):
                    uses[text_of(block.get("id"))] = len(parts)
                part = self._part(kind, block, f"{path}.{place}", riding)
            if part is None:
                continue
            if riding:
                part = changed(part, seals=(*riding, *part.seals))
                riding = []
            parts.append(part)
        if riding:  # Gemini's own shape of a seal that came last: an empty text that carries it
            parts.append(Text(text="", seals=tuple(riding)))
        return tuple(parts)

    def _part(self, kind: str, block: JsonObject, path: str, riding: list[Seal]) -> Part | None:
        """The part of one block; None for a block that only carried a seal, which then is in `riding`."""
        match kind:
            case "text":
                part = text_part(block, path)
                if any(annotation.seal for annotation in part.annotations):
                    part = changed(part, annotations=tuple(opened(a, self._box) for a in part.annotations))
                return part
            case "tool_use":
                return self._call(block, path)
            case "tool_result":
                return self._result(block, path)
            case "thinking" | "redacted_thinking":
                return self._thinking(kind, block, path, riding)
            case "image" | "document" | "search_result" | "tool_reference":
                return self._content(kind, block, path)
            case "server_tool_use" | "mcp_tool_use":
                return changed(hosted.use_part(block), cache=mark_of(block)[0])
            case _:
                return self._unknown(kind, block)

    def _content(self, kind: str, block: JsonObject, path: str) -> Text | Media | Opaque:
        """What may also stand inside a tool result."""
        mark, more = mark_of(block)
        match kind:
            case "text":
                return text_part(block, path)
            case "image" | "document":
                return media_part(kind, block, path, mark, more)
            case "search_result":
                return search_result_part(block, mark)
            case "tool_reference":
                return tool_reference_part(block, mark)
            case _:
                return _opaque(block)

    def _unknown(self, kind: str, block: JsonObject) -> Part:
        """A compaction's summary stands for what came before it, so other models must hear it."""
        summary = text_of(block.get("content")) if kind == "compaction" else ""
        if not summary:
            return _opaque(block)
        raw = {key: value for key, value in block.items() if key != "cache_control"}
        return Text(text=summary, cache=mark_of(block)[0], extra=kept(raw))

    def _thinking(self, kind: str, block: JsonObject, path: str, riding: list[Seal]) -> Part | None:
        form: SlotForm = "signature" if kind == "thinking" else "redacted"
        value: Json = block.get("signature" if kind == "thinking" else "data")
        slot = open_slot(text_at(value, f"{path}.{form}") if value is not None else None, form, self._box)
        if slot.forged:
            self.notes.append(dropped(f"{path}.{form}", "not a seal of this account"))
        text = text_at(block.get("thinking") or "", f"{path}.thinking") or slot.text
        mark, more = mark_of(block)
        extra = extra_of(block, frozenset({"type", "thinking", "signature", "data", "cache_control"}), more)
        if slot.seal and (slot.next_part or (slot.seal.form == "thought" and kind == "redacted_thinking")):
            if slot.next_part:
                riding.append(slot.seal)
                return Thinking(text=text, cache=mark, extra=extra) if text else None
            return Text(text="", seals=(slot.seal,), cache=mark)
        if not text and slot.seal is None:
            return None
        seals = (slot.seal,) if slot.seal else ()
        return Thinking(text=text, form="raw" if text else "hidden", seals=seals, cache=mark, extra=extra)

    def _call(self, block: JsonObject, path: str) -> ToolCall:
        given: Json = block.get("input")
        mark, more = mark_of(block)
        return ToolCall(
            call_id=text_at(block.get("id") or "", f"{path}.id"),
            name=text_at(block.get("name"), f"{path}.name"),
            input=json.encode_text(object_at(given, f"{path}.input")) if given is not None else "{}",
            cache=mark,
            extra=extra_of(block, _CALL_MEMBERS, more),
        )

    def _result(self, block: JsonObject, path: str) -> ToolResult:
        content: Json = block.get("content")
        if isinstance(content, str):
            parts: tuple[Text | Media | Opaque, ...] = (Text(text=content),)
        else:
            inner = [] if content is None else list_at(content, f"{path}.content")
            parts = tuple(self._inner(raw, f"{path}.content.{place}") for place, raw in enumerate(inner))
        mark, more = mark_of(block)
        return ToolResult(
            call_id=text_at(block.get("tool_use_id") or "", f"{path}.tool_use_id"),
            parts=parts,
            is_error=bool(optional_bool(block, "is_error", f"{path}.is_error")),
            cache=mark,
            extra=extra_of(block, _RESULT_MEMBERS, more),
        )

    def _inner(self, raw: Json, path: str) -> Text | Media | Opaque:
        block = object_at(raw, path)
        return self._content(text_at(block.get("type"), f"{path}.type"), block, path)

    def _hosted_result(self, block: JsonObject, parts: list[Part], uses: dict[str, int]) -> None:
        result = self._opened_hits(hosted.result_of(block, ORIGIN, CLIENT_DECLARED))
        mark = mark_of(block)[0]
        place = uses.get(text_of(block.get("tool_use_id")))
        use = None if place is None else parts[place]
        if place is None or not isinstance(use, hosted.Hosted):
            parts.append(changed(hosted.result_part(block, result), cache=mark))
            return
        whole = hosted.joined(use, result, enclosed=len(parts) - 1 - place)
        parts[place] = changed(whole, cache=mark or use.cache)

    def _opened_hits(self, result: HostedResult) -> HostedResult:
        """The hits with the seals of our envelopes restored."""
        if not result.hits:
            return result
        return changed(result, hits=tuple(self._opened_hit(hit) for hit in result.hits))

    def _opened_hit(self, hit: SearchHit) -> SearchHit:
        slot = open_slot(hit.seal.value if hit.seal else None, "signature", self._box)
        if slot.seal is None or slot.seal.origin != ORIGIN:
            return changed(hit, seal=slot.seal)
        return hit


def _opaque(block: JsonObject) -> Opaque:
    raw = {key: value for key, value in block.items() if key != "cache_control"}
    return Opaque(dialect=DIALECT, raw=raw, cache=mark_of(block)[0])
