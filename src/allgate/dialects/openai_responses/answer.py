"""What the reply encoders of one answer share: whom it answers, the tools by name, and ids that are not taken yet."""

from allgate.dialects.contract import Asked
from allgate.dialects.openai_responses.item_ids import PREFIXES, made_id
from allgate.dialects.openai_responses.own import NAME
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import Part, Refusal, Text, ToolCall
from allgate.operations.chat.tools import Tool


class Answer:
    """One answer on its way to one client. `notes` collects what it cannot be told."""

    __slots__ = ("_ids", "_tools", "asked", "notes", "summary_wanted")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        reasoning = asked.request.reasoning
        self.summary_wanted = reasoning is not None and reasoning.show == "summary"
        self.notes: list[Note] = []
        self._ids: set[str] = set()
        tools = asked.request.tools
        self._tools = {(tool.name, getattr(tool, "namespace", None)): tool for tool in tools} if tools else {}

    def item_id(self, item_type: str, native: str | None, place: int) -> str:
        """The id of the item at `place`: the provider's own where it has this dialect's form, else one of ours."""
        found = native
        if not found or found in self._ids or not found.startswith(PREFIXES.get(item_type, "item") + "_"):
            found = made_id(item_type, self.asked.response_id, place)
        self._ids.add(found)
        return found

    def tool_of(self, call: ToolCall) -> tuple[Tool | None, str | None]:
        """The declared tool that a call means, and the namespace that the client needs to hear."""
        if (call.name, call.namespace) in self._tools:
            return self._tools[call.name, call.namespace], call.namespace
        spaces = [namespace for name, namespace in self._tools if name == call.name]
        if len(spaces) == 1 and call.namespace is None:
            return self._tools[call.name, spaces[0]], spaces[0]
        return None, call.namespace

    def drop(self, what: str) -> None:
        self.notes.append(dropped(what, f"has no place in {NAME}"))


def continues(last: Part | None, part: Part) -> bool:
    """Whether `part` stands in the same message item as `last`: pieces of one text, with nothing between them.

    A sealed text ends its message, because the seal travels in an item behind it.
    """
    if not isinstance(last, (Text, Refusal)) or not isinstance(part, (Text, Refusal)):
        return False
    return last.id == part.id and not last.seals
