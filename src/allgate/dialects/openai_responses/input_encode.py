"""`instructions` and `input` of a request: system texts and turns as items, in their order.

What OpenAI pairs must stay paired: a message or call whose id it knows is refused without the reasoning item that came
before it. So where a turn's reasoning cannot be replayed, the ids of that turn's other items are left out.

Pictures that an assistant made have no place in this dialect's history unless its own image tool made them: they stand
at the head of the next user message.
"""

from allgate.core.value import changed
from allgate.dialects.openai_responses import compaction
from allgate.dialects.openai_responses import items_encode as items
from allgate.dialects.openai_responses.content_encode import input_part
from allgate.dialects.openai_responses.item_ids import sendable_id
from allgate.dialects.openai_responses.own import BEFORE, IN_MESSAGE, MESSAGE, NAME, VENDOR, own
from allgate.dialects.openai_responses.target import Target, refuse
from allgate.dialects.passes.lenient import object_of, objects_of
from allgate.operations.chat.parts import (
    Extra,
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
from allgate.operations.chat.request import Turn
from allgate.wire.json import JsonObject

_PICTURE_ABOVE = "[image produced by the assistant above]"
_CONTINUE = "Continue exactly from where the previous message stopped."
_TOLD_OTHERWISE = ("additional_tools", compaction.TRIGGER)  # in `tools`, and in words
BILLING_LINE = "x-anthropic-billing-header:"
"""Claude Code's first system text: its hash differs in every request, and would spoil the target's prompt cache."""


class InputWriter:
    """Collects the items of one request."""

    def __init__(self, target: Target) -> None:
        self.items: list[JsonObject] = []
        self.instructions: str | None = None
        self._target = target
        self._pictures: list[Media] = []  # of the assistant, for the next user message
        self._customs: set[str] = set()  # call ids that were sent as custom calls

    def write(self) -> None:
        """Write the whole conversation. Raises: WireError: media that the target cannot take."""
        request = self._target.request
        if request.system:
            self._system(request.system)
        turns = request.turns
        last_user = len(turns) - 1
        while last_user >= 0 and turns[last_user].role != "user":
            last_user -= 1
        for index, turn in enumerate(turns):
            if turn.extra:
                self._before(turn.extra)
            match turn.role:
                case "user":
                    self._speech(turn, "user")
                case "assistant":
                    self._assistant(turn, current=index > last_user)
                case "tool":
                    self._tool(turn)
                case "system" | "developer":
                    self._late_system(turn)
        self._end()

    def _system(self, system: tuple[Text, ...]) -> None:
        """`instructions`, and the client's own leading messages with whatever items stood before them."""
        target = self._target
        texts = [text for text in system if self._is_wanted(text)]
        if target.caps.cache == "explicit" and not target.own and any(text.cache for text in texts):
            self.items.append(self._message("developer", texts, {}))  # instructions have no place for a mark
            return
        plain: list[str] = []
        messages: list[list[Text]] = []
        for text in texts:
            if text.extra and MESSAGE in own(text.extra):
                messages.append([text])
            elif messages:
                messages[-1].append(text)
            else:
                plain.append(text.text)
        if plain:
            self.instructions = "\n\n".join(plain)
        for message in messages:
            self._before(message[0].extra)
            members = object_of(own(message[0].extra)[MESSAGE])
            self.items.append(self._message(str(members.get("role")), message, members))

    def _before(self, extra: Extra) -> None:
        """The items that stood before a leading message or a turn; only the vendor reads them."""
        if self._target.native:
            self.items += [dict(item) for item in objects_of(own(extra).get(BEFORE))]

    def _is_wanted(self, text: Text) -> bool:
        if not text.text.startswith(BILLING_LINE):
            return True
        self._target.drop("system", "a billing line of another vendor")
        return False

    def _message(self, role: str, parts: list[Text], members: JsonObject) -> JsonObject:
        content = [item for part in parts if (item := input_part(part, self._target)) is not None]
        kept = {key: value for key, value in members.items() if key not in ("id", "type", "role")}
        item_id = members.get("id")
        head = sendable_id("message", item_id if isinstance(item_id, str) else None)
        return {"type": "message", **head, **kept, "role": self._role(role), "content": content}

    def _role(self, role: str) -> str:
        return "system" if role == "developer" and self._target.caps.system_role == "system" else role

    def _late_system(self, turn: Turn) -> None:
        """A system message in the middle stays there; for a target without, it is the user who reminds."""
        if self._target.caps.mid_system or not any(isinstance(part, Text) for part in turn.parts):
            self._speech(turn, self._role(turn.role))
            return
        self._target.convert("system", "a later system message, sent as a reminder from the user")
        reminded = tuple(
            changed(part, text=f"<system-reminder>\n{part.text}\n</system-reminder>")
            if isinstance(part, Text)
            else part
            for part in turn.parts
        )
        self._speech(changed(turn, parts=reminded), "user")

    def _speech(self, turn: Turn, role: str) -> None:
        """A message of anyone but the assistant; items that only this dialect knows stand between its messages."""
        if turn.name is not None and turn.name:
            self._target.drop("name", "this dialect names no speakers")
        content: list[JsonObject] = []
        for part in turn.parts:
            if part.extra and self._target.native and compaction.is_in_words(part):
                continue
            if isinstance(part, Opaque) and IN_MESSAGE not in own(part.extra):
                self._said(content, turn, role)
                content = []
                self._opaque(part)
                continue
            if self._pictures and role == "user":
                content += self._waiting_pictures()
            if (item := input_part(part, self._target)) is not None:
                content.append(item)
        self._said(content, turn, role)

    def _said(self, content: list[JsonObject], turn: Turn, role: str) -> None:
        """A message of this content, if there is any."""
        if content:
            head = sendable_id("message", turn.id) if turn.id and self._target.own else {}
            kept = (
                {key: value for key, value in own(turn.extra).items() if key != BEFORE} if turn.extra else {}
            )
            self.items.append({"type": "message", **head, **kept, "role": role, "content": content})

    def _waiting_pictures(self) -> list[JsonObject]:
        pictures, self._pictures = self._pictures, []
        content: list[JsonObject] = []
        for picture in pictures:
            content.append({"type": "input_text", "text": _PICTURE_ABOVE})
            item = input_part(changed(picture, extra={}, cache=None), self._target)
            content += [item] if item else []
        return content

    def _assistant(self, turn: Turn, *, current: bool) -> None:
        target = self._target
        thoughts = {
            id(part): items.reasoning_item(part, target, current=current)
            for part in turn.parts
            if isinstance(part, Thinking)
        }
        with_ids = target.own and None not in thoughts.values()
        message: list[Text | Refusal] = []
        for part in turn.parts:
            if message and not _continues(message[0], part):
                self.items.append(items.message_item(message, target, turn.phase, with_ids=with_ids))
                message = []
            self._note_foreign_seals(part)
            match part:
                case Text() | Refusal():
                    message.append(part)
                case Thinking():
                    self._thought(thoughts[id(part)])
                case ToolCall():
                    self._call(part, with_ids=with_ids)
                case Hosted():
                    self._keep(items.hosted_item(part, target), f"{part.tool} call")
                case Media():
                    self._picture(part)
                case Opaque():
                    self._opaque(part)
                case ToolResult():
                    raise AssertionError("normal form keeps results in tool turns")
        if message:
            self.items.append(items.message_item(message, target, turn.phase, with_ids=with_ids))

    def _note_foreign_seals(self, part: Part) -> None:
        if part.seals and not isinstance(part, Thinking):
            self._target.drop("signature", "sealed by another provider")

    def _thought(self, item: JsonObject | None) -> None:
        self._keep(item, "reasoning")

    def _keep(self, item: JsonObject | None, what: str) -> None:
        if item is None:
            self._target.drop(what, "of another provider, which this one cannot read")
        else:
            self.items.append(item)

    def _call(self, call: ToolCall, *, with_ids: bool) -> None:
        item = items.call_item(call, self._target, with_ids=with_ids)
        if item["type"] == "custom_tool_call":
            self._customs.add(call.call_id)
        self.items.append(item)

    def _picture(self, picture: Media) -> None:
        item = items.picture_item(picture, self._target)
        if item:
            self.items.append(item)
        elif picture.kind == "image":
            self._pictures.append(picture)
            self._target.convert("image", "a picture of the assistant's, moved to the next user message")
        else:
            self._target.drop(picture.kind, "an assistant's media have no place in this dialect's history")

    def _opaque(self, part: Part) -> None:
        """An item of an unknown type goes back to the vendor."""
        target = self._target
        raw = object_of(part.raw) if isinstance(part, Opaque) and part.dialect == NAME else {}
        kind = raw.get("type")
        if kind == "item_reference" and not target.caps.store:
            raise refuse("An item_reference", "input")
        if raw and target.native and (kind != "compaction" or target.caps.seal_origin == VENDOR):
            self.items.append(dict(raw))
        elif kind not in _TOLD_OTHERWISE:
            target.drop(f"{kind or 'opaque'} item", "known to its own provider only")

    def _tool(self, turn: Turn) -> None:
        """All results, then a user message with what the results could not hold."""
        beside: list[JsonObject] = []
        for result in (part for part in turn.parts if isinstance(part, ToolResult)):
            shown = result
            media = tuple(part for part in result.parts if isinstance(part, Media))
            if media and not (self._target.caps.tool_images or result.builtin == "computer"):
                shown = changed(
                    result, parts=tuple(part for part in result.parts if not isinstance(part, Media))
                )
                beside.append(
                    {"type": "input_text", "text": f"[from the result of tool call {result.call_id}]"}
                )
                beside += [item for part in media if (item := input_part(part, self._target)) is not None]
                self._target.convert("tool result", "its media, moved to a user message")
            custom = result.call_id in self._customs
            self.items.append(items.output_item(shown, self._target, custom=custom))
        if beside:
            self.items.append({"type": "message", "role": "user", "content": beside})

    def _end(self) -> None:
        """What waited for a next user message gets one; a text the model was to continue becomes a request to do so."""
        if self._pictures:
            self.items.append({"type": "message", "role": "user", "content": self._waiting_pictures()})
        turns = self._target.request.turns
        last = turns[-1].parts[-1] if turns and turns[-1].role == "assistant" and turns[-1].parts else None
        if isinstance(last, Text) and not self._target.own and not self._target.caps.prefill:
            self._target.convert("prefill", "this dialect has none, sent as a request to continue")
            self.items.append(
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": _CONTINUE}]}
            )


def _continues(first: Text | Refusal, part: Part) -> bool:
    """Whether `part` belongs to the message that `first` began."""
    return isinstance(part, (Text, Refusal)) and MESSAGE not in own(part.extra) and part.id == first.id
