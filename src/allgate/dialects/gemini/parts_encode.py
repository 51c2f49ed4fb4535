"""Parts of an answer → parts of a candidate, whole or as they close in a stream.

A foreign seal of a thought waits for the next part that is not a thought (`signatures`); seals that find none leave in an
empty thought of their own. Thoughts are shown only to a client that asked for them, seals always travel.
"""

from allgate.dialects.contract import Asked
from allgate.dialects.gemini.arguments import arguments_object
from allgate.dialects.gemini.hosted import hosted_parts
from allgate.dialects.gemini.media import media_part
from allgate.dialects.gemini.parts_decode import NO_ARGUMENTS, own_members
from allgate.dialects.gemini.signatures import ORIGIN, for_client, unsealed
from allgate.dialects.passes.custom_tools import wrap_input
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import (
    Hosted,
    Media,
    Opaque,
    Part,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from allgate.wire.json import JsonObject


class PartsEncoder:
    """Writes the parts of one candidate, in order."""

    __slots__ = ("_called", "_seals", "_unsealed", "malformed", "notes", "shown", "waiting")

    def __init__(self, asked: Asked) -> None:
        self._seals = asked.seals
        reasoning = asked.request.reasoning
        self.shown = reasoning is not None and reasoning.show in ("summary", "full")
        """Whether the client asked to see thoughts."""
        self.waiting: list[Seal] = []
        """Seals that the next part must carry."""
        self._unsealed: list[str] = []  # thinking that has no seal
        self._called = False
        self.malformed = False
        """A call was left out because its arguments are no JSON."""
        self.notes: list[Note] = []

    def whole(self, part: Part) -> list[JsonObject]:
        """A part with all it holds."""
        if type(part) is Text and not (part.seals or part.extra or self.waiting):
            return [{"text": part.text}] if part.text else []  # nearly every part
        match part:
            case Thinking():
                thought: list[JsonObject] = (
                    [{"text": part.text, "thought": True}] if part.text and self.shown else []
                )
                return self._joined(thought, self.after_thought(part))
            case Text():
                body: JsonObject = {**own_members(part), "text": part.text}
                return self.sealed([body], part.seals) if part.text or part.seals else []
            case Refusal():
                return self.sealed([{"text": part.text}], part.seals) if part.text else []
            case _:
                return self.closed(part)

    def closed(self, part: Part) -> list[JsonObject]:
        """A part that is written only when it is complete: a call, media, a hosted call."""
        match part:
            case ToolCall():
                return self.sealed(self._call(part), part.seals or self._unsigned())
            case Media():
                spoken: list[JsonObject] = [{"text": part.transcript}] if part.transcript else []
                return self.sealed([*spoken, media_part(part)], part.seals)
            case Hosted():
                return self._hosted(part)
            case Opaque(dialect="gemini", raw=raw):
                return self.sealed([{**raw}], part.seals)
            case Opaque() | ToolResult():
                self.notes.append(dropped("content", "a block that gemini has no word for"))
                return []
            case _:
                return []

    def after_thought(self, part: Thinking) -> list[JsonObject]:
        """What follows a thought: its own vendor's signature at once, a foreign seal later."""
        parts: list[JsonObject] = []
        if part.text and not part.seals:
            self._unsealed.append(part.text)
        for seal in part.seals:
            if seal.origin == ORIGIN and self.shown:
                parts.append(self._slot(seal, thought=True))
            else:
                self.waiting.append(seal)
        return parts

    def after_text(self, seals: tuple[Seal, ...]) -> list[JsonObject]:
        """The signature of a text that has left: Gemini's own streams end like this."""
        return [self._slot(seal, thought=False) for seal in seals[:1]]

    def sealed(self, parts: list[JsonObject], own: tuple[Seal, ...]) -> list[JsonObject]:
        """These parts with what they and the thoughts before them must carry; only one seal fits on a part."""
        if not parts or not (own or self.waiting):
            return parts
        seals = [*self.waiting, *own]
        self.waiting.clear()
        parts[0]["thoughtSignature"] = for_client(seals[-1], self._seals)
        return [*(self._slot(seal, thought=True) for seal in seals[:-1]), *parts]

    def rest(self) -> list[JsonObject]:
        """The answer ends: seals that found no part."""
        parts = [self._slot(seal, thought=True) for seal in self.waiting]
        self.waiting.clear()
        return parts

    def _unsigned(self) -> tuple[Seal, ...]:
        """What a call without a seal bears: our mark on the first of an answer, nothing on others."""
        first, self._called = not self._called and not self.waiting, True
        return (unsealed("\n\n".join(self._unsealed)),) if first else ()

    def _slot(self, seal: Seal, *, thought: bool) -> JsonObject:
        body: JsonObject = {"text": "", "thought": True} if thought else {"text": ""}
        return {**body, "thoughtSignature": for_client(seal, self._seals)}

    def _joined(self, thought: list[JsonObject], after: list[JsonObject]) -> list[JsonObject]:
        """A whole thought bears its signature itself."""
        if thought and after:
            thought[0]["thoughtSignature"] = after[0]["thoughtSignature"]
            return [*thought, *after[1:]]
        return [*thought, *after]

    def _call(self, call: ToolCall) -> list[JsonObject]:
        text = wrap_input(call.input) if call.input_kind == "text" else call.input or NO_ARGUMENTS
        arguments, fit = arguments_object(text)
        if fit == "text":
            self.malformed = True
            self.notes.append(dropped("tool call", "its arguments are not complete JSON"))
            return []
        function: JsonObject = {"id": call.call_id, "name": call.name, "args": arguments}
        return [{**own_members(call), "functionCall": function}]

    def _hosted(self, hosted: Hosted) -> list[JsonObject]:
        signatures: list[str | None] = [for_client(seal, self._seals) for seal in hosted.seals]
        parts = hosted_parts(hosted, signatures)
        if not parts and hosted.tool not in ("web_search", "web_fetch"):
            self.notes.append(dropped(hosted.tool, "a hosted call that gemini has no word for"))
        return parts
