"""`input` of a request: a string, or a list of items, as system texts and turns.

Items are smaller than turns: one assistant turn is a run of reasoning, messages and calls. The run ends where a tool's
output, another speaker, or a message of another phase begins. What marks the borders of message items inside a turn
(ids, status, phase) stays on the first part of each, for this dialect.

The leading run of system and developer messages becomes `system`. Items of other kinds inside that run (Codex puts its
`additional_tools` first) are remembered by what they stand before.
"""

from typing import TypeGuard

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.openai_responses import compaction
from allgate.dialects.openai_responses.content_decode import ContentPart, decode_content, with_message
from allgate.dialects.openai_responses.items_decode import decode_item
from allgate.dialects.openai_responses.outputs_decode import OUTPUTS, decode_output
from allgate.dialects.openai_responses.own import BEFORE, NAME, own, rest
from allgate.dialects.openai_responses.seals_decode import opened
from allgate.dialects.openai_responses.tools_decode import declared_in_item
from allgate.dialects.seals import SealBox
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import Opaque, Part, Seal, Text, Thinking
from allgate.operations.chat.request import Role, Turn
from allgate.operations.chat.tools import Tool
from allgate.wire.json import Json, JsonObject, list_at, object_at, optional_text, text_at

_MEMBERS = frozenset({"type", "role", "id", "content"})
_ROLES: tuple[Role, ...] = ("user", "assistant", "system", "developer")
_PHASES = {"commentary": "commentary", "final": "final", "final_answer": "final"}

# Item types → the members without which the item means nothing.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "function_call": ("call_id", "name", "arguments"),
    "custom_tool_call": ("call_id", "name", "input"),
    "local_shell_call": ("call_id",),
    "apply_patch_call": ("call_id",),
    "computer_call": ("call_id",),
    "item_reference": ("id",),
}

# Items that are no words of the assistant's: who says them.
_SPEAKERS: dict[str, Role] = {
    "additional_tools": "developer",
    "configuration_update": "developer",
    "compaction_trigger": "user",
    "mcp_approval_response": "user",
}


class InputReader:
    """Collects what the items of one request say."""

    def __init__(self, seals: SealBox) -> None:
        self.system: list[Text] = []
        self.turns: list[Turn] = []
        self.tools: list[Tool] = []
        self.notes: list[Note] = []
        self._seals = seals
        self._parts: list[Part] = []  # of the assistant turn that is being collected
        self._phase: str | None = None
        self._before: list[
            JsonObject
        ] = []  # leading items of other kinds, which wait for what they stand before
        self._seals_for_next: tuple[Seal, ...] = ()

    def read(self, value: Json) -> None:
        """Take a whole `input`. Raises: WireError naming the item and its member."""
        if isinstance(value, str):
            self.turns.append(Turn(role="user", parts=(Text(text=value),)))
            return
        for index, item in enumerate(list_at(value, "input")):
            self._take(object_at(item, f"input[{index}]"), f"input[{index}]")
        self._end_turn()
        for item in self._before:
            self.turns.append(Turn(role="developer", parts=(Opaque(dialect=NAME, raw=item),)))

    def _take(self, item: JsonObject, path: str) -> None:
        kind: Json = item.get("type")
        if kind == "message" or (kind is None and "role" in item):
            self._message(item, path)
            return
        kind = optional_text(item, "type", f"{path}.type")
        if kind is None:  # an item_reference may leave its type out
            kind, item = "item_reference", {**item, "type": "item_reference"}
        for member in _REQUIRED.get(kind, ()):
            text_at(item.get(member), f"{path}.{member}")
        if kind in OUTPUTS and (result := decode_output(item, path)):
            self._turn(Turn(role="tool", parts=(result,)))
            self._declare(item, kind, path)
        elif kind in _SPEAKERS:
            self._said_by(_SPEAKERS[kind], item, kind, path)
        elif kind == "reasoning":
            self._reasoning(item, path)
        elif kind == compaction.ITEM_TYPE and (turn := compaction.expanded(item, self._seals)):
            self._turn(turn)
        else:
            self._assistant(decode_item(item))

    def _message(self, item: JsonObject, path: str) -> None:
        role: Json = item.get("role")
        if role not in _ROLES:
            role = text_at(role, f"{path}.role")
            raise wire_error(
                f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'",
                param=f"{path}.role",
            )
        content = decode_content(item.get("content"), f"{path}.content")
        if role == "assistant":
            spoken = with_message(content, _beside_content(item))
            self._assistant_message(spoken, _PHASES.get(str(item.get("phase"))))
        elif role != "user" and self._leading() and _all_text(content):
            spoken = tuple(part for part in content if part.text)
            self._system(with_message(spoken, _beside_content(item)))
        else:
            turn_id = optional_text(item, "id", f"{path}.id") if "id" in item else None
            self._turn(Turn(role=role, parts=content, id=turn_id, extra=rest(item, _MEMBERS)))

    def _system(self, parts: tuple[ContentPart, ...]) -> None:
        texts = [part for part in parts if isinstance(part, Text)]
        if texts and self._before:
            extra = {NAME: {**own(texts[0].extra), BEFORE: self._before}}
            texts[0], self._before = changed(texts[0], extra=extra), []
        self.system += texts

    def _turn(self, turn: Turn) -> None:
        """A turn of anyone but the assistant."""
        self._end_turn()
        self.turns.append(self._behind_leading(turn) if self._before else turn)

    def _behind_leading(self, turn: Turn) -> Turn:
        """`turn`, which remembers the items that stood before it."""
        extra = {**turn.extra, NAME: {**own(turn.extra), BEFORE: self._before}}
        self._before = []
        return changed(turn, extra=extra)

    def _assistant_message(self, content: tuple[ContentPart, ...], phase: str | None) -> None:
        if self._phase is not None and phase is not None and phase != self._phase:
            self._end_turn()
        self._phase = phase or self._phase
        for part in content:
            self._assistant(part)

    def _assistant(self, part: Part) -> None:
        if self._seals_for_next:
            part = changed(part, seals=part.seals + self._seals_for_next)
            self._seals_for_next = ()
        self._parts.append(part)

    def _reasoning(self, item: JsonObject, path: str) -> None:
        """Reasoning with its seal; a mere carrier of the next item's seal is not a part."""
        slot = opened(optional_text(item, "encrypted_content", f"{path}.encrypted_content"), self._seals)
        self.notes += slot.notes
        thinking = decode_item(item)
        if slot.for_next and slot.seal:
            self._seals_for_next += (slot.seal,)
        elif slot.seal:
            thinking = changed(thinking, seals=(slot.seal,))
        elif slot.notes and isinstance(thinking, Thinking) and not thinking.text:
            return
        if not slot.for_next or (isinstance(thinking, Thinking) and thinking.text):
            self._assistant(thinking)

    def _said_by(self, role: Role, item: JsonObject, kind: str, path: str) -> None:
        leading = self._leading()
        self._declare(item, kind, path)
        if leading and role == "developer":
            self._before.append(item)
        elif kind == compaction.TRIGGER:
            self._turn(compaction.trigger_turn(item))
        else:
            self._turn(Turn(role=role, parts=(Opaque(dialect=NAME, raw=item),)))

    def _leading(self) -> bool:
        """True while nothing but system and developer words has come."""
        return not self.turns and not self._parts

    def _declare(self, item: JsonObject, kind: str, path: str) -> None:
        if isinstance(item.get("tools"), list):
            self.tools += declared_in_item(item["tools"], f"{path}.tools", kind)

    def _end_turn(self) -> None:
        if self._seals_for_next:
            self.notes.append(dropped("encrypted_content", "the item that it belongs to is missing"))
            self._seals_for_next = ()
        if self._parts:
            phase = None if self._phase is None else "commentary" if self._phase == "commentary" else "final"
            said = Turn(role="assistant", parts=tuple(self._parts), phase=phase)
            self.turns.append(self._behind_leading(said) if self._before else said)
        self._parts, self._phase = [], None


def _beside_content(item: JsonObject) -> JsonObject:
    return {key: value for key, value in item.items() if key != "content"}


def _all_text(content: tuple[ContentPart, ...]) -> TypeGuard[tuple[Text, ...]]:
    return all(isinstance(part, Text) for part in content)
