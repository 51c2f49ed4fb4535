"""What the encoders of one request share: the request, the target's Caps, its tool names, and the notes they write."""

from allgate.core.errors import unsupported
from allgate.dialects.openai_responses.own import NAME
from allgate.dialects.passes.call_ids import fitting_call_id
from allgate.dialects.passes.custom_tools import custom_names
from allgate.dialects.passes.tool_names import OPENAI_NAME, ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, converted, dropped
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.tools import Builtin
from allgate.wire.json import JsonObject

CALL_ID = r"[!-~]+"  # any printable character but a space; the vendor limits only the length
CALL_ID_CHARACTERS_MAX = 64
NAME_CHARACTERS_MAX = 128

_NO_NAMES: frozenset[tuple[str, str | None]] = frozenset()


class Target:
    """One request on its way to one deployment.

    `own`: the request came in this dialect. `native`: the target knows the vendor's own tool forms (namespaces, custom
    tools, items that declare tools); compatible servers often know functions only.
    """

    __slots__ = ("caps", "custom", "names", "native", "notes", "own", "request")

    def __init__(self, request: ChatRequest, caps: Caps) -> None:
        self.request = request
        self.caps = caps
        self.own = request.dialect == NAME
        self.native = caps.namespaces and caps.custom_tools
        limit = (
            NAME_CHARACTERS_MAX if self.native else min(NAME_CHARACTERS_MAX, caps.tool_name_characters_max)
        )
        self.names = ToolNames(request, limit, OPENAI_NAME)
        self.custom = custom_names(request) if request.tools else _NO_NAMES
        self.notes: list[Note] = []

    def named(self, name: str, namespace: str | None) -> JsonObject:
        """The members that name a tool in a call of the history."""
        if self.own and self.caps.namespaces:
            return {"name": name, "namespace": namespace} if namespace else {"name": name}
        return {"name": self.names.sent(name, namespace)}

    def received(self, name: str, namespace: str | None) -> tuple[str, str | None]:
        """The client's (name, namespace) of a call in the target's answer."""
        if namespace or (self.own and self.caps.namespaces):
            return name, namespace
        return self.names.received(name)

    def is_custom(self, name: str, namespace: str | None) -> bool:
        """Whether the client declared this tool as a custom one. A bare name is enough where only one tool has it."""
        if (name, namespace) in self.custom:
            return True
        return (
            namespace is None
            and sum(known == name for known, _ in self.custom) == 1
            and not self._declared(name)
        )

    def builtin_of(self, name: str) -> str | None:
        """The kind of the client-run built-in that goes by this name; None for any other tool."""
        for tool in self.request.tools:
            if isinstance(tool, Builtin) and tool.runs == "client" and tool.name == name:
                return tool.kind
        return None

    def _declared(self, name: str) -> bool:
        return any(
            tool.name == name and getattr(tool, "namespace", None) is None for tool in self.request.tools
        )

    def drop(self, path: str, reason: str = f"not supported by this {NAME} deployment") -> None:
        self.notes.append(dropped(path, reason))

    def convert(self, path: str, reason: str) -> None:
        self.notes.append(converted(path, reason))


def sent_call_id(call_id: str) -> str:
    """A call id that this dialect admits (64 characters); the same for the call and its result."""
    return fitting_call_id(call_id, CALL_ID, CALL_ID_CHARACTERS_MAX)


def refuse(what: str, path: str) -> Exception:
    """The error for something whose silent loss would change the meaning."""
    return unsupported(f"{what} is not supported by this model's endpoint", param=path)
