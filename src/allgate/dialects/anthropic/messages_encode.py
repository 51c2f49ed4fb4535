"""Turns → messages that alternate, begin with the user and answer every call at once.

The vendor merges consecutive messages of one role itself; compatible servers do not, so they are merged here. Rules:

- A tool turn's results stand first in the user message that follows its assistant message.
- A system turn in the middle is a message of its own where the deployment takes that (after a user message only, so one
  that comes elsewhere waits for the next); else it is user text in `<system-reminder>` tags at its place. It is never
  hoisted to the top: that would change its meaning, and break prompt caches at every turn.
- There are no pictures in assistant messages: one that the assistant made opens the next user message.
- A last assistant message is a prefill where the deployment takes one, or a paused answer that is to go on; else the
  user asks to continue. Every repair is noted.
"""

from collections.abc import Iterable

from allgate.core.errors import wire_error
from allgate.dialects.anthropic.blocks_encode import BlockWriter, sent_call_id
from allgate.dialects.anthropic.hosted import is_result, is_use
from allgate.dialects.anthropic.request_decode import extra_members
from allgate.operations.chat.normal import NO_RESULT
from allgate.operations.chat.notes import added, converted
from allgate.operations.chat.parts import Media, Part, Text
from allgate.operations.chat.request import Turn
from allgate.wire.json import JsonObject

CONTINUE = "Continue exactly from where the previous message stopped."
OPENING = "(continue)"
EMPTY = "(empty message)"
PICTURE_ABOVE = "[image produced by the assistant above]"


class MessageWriter:
    """Writes the messages of one request."""

    __slots__ = ("_messages", "_mid_system", "_pictures", "_role", "_waiting", "_writer")

    def __init__(self, writer: BlockWriter, *, mid_system: bool) -> None:
        self._messages: list[JsonObject] = []
        self._writer = writer
        self._mid_system = mid_system
        self._role = ""  # of the last message
        self._waiting: list[Turn] = []  # system turns that may not stand where they came
        self._pictures: list[Part] = []  # made by the assistant, for the next user message

    def messages(self, turns: Iterable[Turn], *, prefill: bool) -> list[JsonObject]:
        """The messages. Raises: WireError: no user turn at all, or content that the deployment cannot take."""
        for turn in turns:
            match turn.role:
                case "user" | "tool":
                    self._user(turn)
                case "assistant":
                    self._assistant(turn)
                case "system" | "developer" if not self._mid_system:
                    self._reminder(turn)
                case "system" | "developer" if self._role in ("user", "system"):
                    self._system(turn)
                case "system" | "developer":
                    self._waiting.append(turn)
        if self._pictures:
            self._append("user", self._taken_pictures(), {})
        for turn in self._waiting:
            self._reminder(turn)
        if not self._messages:
            raise wire_error("messages must contain at least one user message", param="messages")
        if self._messages[0]["role"] != "user":
            self._messages.insert(0, {"role": "user", "content": [{"type": "text", "text": OPENING}]})
            self._writer.notes.append(added("messages.0", "the first message must be the user's"))
        if self._role == "assistant":
            self._after_assistant(prefill=prefill)
        return self._messages

    def _user(self, turn: Turn) -> None:
        blocks = self._writer.blocks(turn.parts)
        if self._pictures:
            pictures = self._taken_pictures()
            blocks = [*blocks, *pictures] if turn.role == "tool" else [*pictures, *blocks]
        if not blocks and self._role != "user":
            blocks = [{"type": "text", "text": EMPTY}]
            self._writer.notes.append(added("messages", "a user message without content"))
        if turn.name is not None:
            self._writer.notes.append(converted("messages.name", "not carried by anthropic"))
        self._append("user", blocks, extra_members(turn.extra) if turn.extra else {})
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for system in waiting:
                self._system(system)

    def _assistant(self, turn: Turn) -> None:
        parts = turn.parts
        pictures = [part for part in parts if isinstance(part, Media)]
        if pictures:
            parts = tuple(part for part in parts if not isinstance(part, Media))
            self._pictures += [Text(text=PICTURE_ABOVE), *pictures]
            self._writer.notes.append(converted("messages.image", "an assistant's picture became the user's"))
        blocks = self._writer.blocks(parts)
        if blocks:
            self._append("assistant", blocks, extra_members(turn.extra))

    def _system(self, turn: Turn) -> None:
        if blocks := self._writer.blocks(turn.parts):
            self._messages.append({**extra_members(turn.extra), "role": "system", "content": blocks})
            self._role = "system"

    def _reminder(self, turn: Turn) -> None:
        texts = [part.text for part in turn.parts if isinstance(part, Text) and part.text.strip()]
        if len(texts) < len(turn.parts):
            self._writer.notes.append(
                converted("messages.system", "only the text of a system message is carried")
            )
        if texts:
            text = "\n\n".join(texts)
            reminder = {"type": "text", "text": f"<system-reminder>\n{text}\n</system-reminder>"}
            self._append("user", [*self._taken_pictures(), reminder], {})

    def _append(self, role: str, blocks: list[JsonObject], members: JsonObject) -> None:
        """A message, or more of the last one where the role is the same."""
        if self._role == role:
            last = self._messages[-1]
            self._messages[-1] = {**last, **members, "content": [*last["content"], *blocks]}
        elif blocks:
            self._messages.append({**members, "role": role, "content": blocks})
            self._role = role

    def _taken_pictures(self) -> list[JsonObject]:
        pictures, self._pictures = self._pictures, []
        return self._writer.blocks(tuple(pictures))

    def _after_assistant(self, *, prefill: bool) -> None:
        """What an assistant message at the end needs."""
        last = self._messages[-1]
        blocks: list[JsonObject] = last["content"]
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if calls:
            self._messages.append({"role": "user", "content": [_unanswered(call_id) for call_id in calls]})
            self._writer.notes.append(added("messages", "a call without a result"))
        elif is_use(blocks[-1]["type"]) or is_result(blocks[-1]["type"]):
            return  # a paused answer: the vendor goes on where it stopped
        elif prefill:
            last["content"] = _stripped(blocks)
        else:
            self._messages.append({"role": "user", "content": [{"type": "text", "text": CONTINUE}]})
            self._writer.notes.append(added("messages", "this model takes no assistant prefill"))


def _unanswered(call_id: str) -> JsonObject:
    return {
        "type": "tool_result", "tool_use_id": sent_call_id(call_id), "content": NO_RESULT, "is_error": True,
    }  # fmt: skip


def _stripped(blocks: list[JsonObject]) -> list[JsonObject]:
    """A final assistant text must not end in white space."""
    last = blocks[-1]
    if last["type"] != "text":
        return blocks
    return [*blocks[:-1], {**last, "text": last["text"].rstrip()}]
