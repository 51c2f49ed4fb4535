"""The names of tools, as one target accepts them, and the way back.

A client may call its tool `my.tool`, use 200 characters, or put it into a namespace; the target takes, say, 64
characters of `[A-Za-z0-9_-]` and knows no namespaces. Rules:

- All names of a request are mapped together: declared tools first, then the tool choice, then calls and results of the
  history. So the same client name is the same target name everywhere in one request.
- A namespace is flattened to `ns__name`. What the target does not accept becomes `_`; what is too long is cut.
- A name that the target accepts as it is keeps itself. A changed name that is already taken gets 8 hex digits of a hash
  of the original at its end, never a running number: the name stays the same from request to request, and with it the
  provider's prompt cache.
- A bare name means the namespaced tool if only one tool has it: Codex leaves out `functions`, and models often do.

There is no state: a reply decoder builds the map again from the request that it answers. It is built when a name is asked
for, so that a request without tools does not pay for it.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b

from allgate.operations.chat.parts import ToolCall, ToolResult
from allgate.operations.chat.request import ChatRequest

OPENAI_NAME = r"[A-Za-z0-9_-]+"
ANTHROPIC_NAME = r"[A-Za-z0-9_-]+"
GEMINI_NAME = r"[A-Za-z_][A-Za-z0-9_.:-]*"

NAMESPACE_SEPARATOR = "__"
_HASH_CHARACTERS = (
    8  # 32 bits: two of a hundred tools collide once in a million requests, and then digits are added
)

ToolKey = tuple[str, str | None]
"""(name, namespace) in the client's words."""


class ToolNames:
    """The two-way map for one request and one target.

    `pattern` is a regular expression for a whole name (`OPENAI_NAME`, `ANTHROPIC_NAME`, `GEMINI_NAME`); every prefix of
    an accepted name must be accepted too. `characters_max` is the target's limit.
    """

    __slots__ = ("_accepted", "_characters_max", "_namespaced", "_pattern", "_received", "_request", "_sent")

    def __init__(self, request: ChatRequest, characters_max: int, pattern: str) -> None:
        self._request = request
        self._characters_max = characters_max
        self._pattern = pattern
        self._accepted: re.Pattern[str] | None = None  # not built yet
        self._sent: dict[ToolKey, str] = {}
        self._received: dict[str, ToolKey] = {}
        self._namespaced: dict[str, str] = {}

    def sent(self, name: str, namespace: str | None = None) -> str:
        """What the target is told for a tool of the client."""
        if self._accepted is None:
            self._build()
        key = self._resolved(name, namespace)
        known = self._sent.get(key)
        return known if known is not None else self._fitting(_flat(key))

    def received(self, name: str) -> ToolKey:
        """The client's (name, namespace) for what the target called; an unknown name comes back as it is.

        Models also answer with the bare name of a namespaced tool, or with `namespace.name`.
        """
        if self._accepted is None:
            self._build()
        known = self._received.get(name)
        if known is not None:
            return known
        if name in self._namespaced:
            return name, self._namespaced[name]
        namespace, dot, child = name.partition(".")
        return (child, namespace) if dot and (child, namespace) in self._sent else (name, None)

    def _build(self) -> None:
        """Name what the request declares and mentions: those that keep themselves first."""
        self._accepted = re.compile(self._pattern)
        declared, mentioned = list(_declared(self._request)), list(_mentioned(self._request))
        self._namespaced = _only_namespaced(declared)
        keys = list(dict.fromkeys([*declared, *(self._resolved(*key) for key in mentioned)]))
        for key in [*filter(self._keeps_itself, keys), *keys]:
            if key not in self._sent:
                self._add(key)

    def _resolved(self, name: str, namespace: str | None) -> ToolKey:
        return (name, namespace) if namespace else (name, self._namespaced.get(name))

    def _keeps_itself(self, key: ToolKey) -> bool:
        return self._accepts(_flat(key))

    def _accepts(self, name: str) -> bool:
        assert self._accepted is not None
        return 0 < len(name) <= self._characters_max and self._accepted.fullmatch(name) is not None

    def _add(self, key: ToolKey) -> None:
        flat = _flat(key)
        name, salt = self._fitting(flat), 0
        while name in self._received:
            suffix = "_" + _hash(key, salt)
            name = self._fitting(flat)[: self._characters_max - len(suffix)] + suffix
            salt += 1
        self._sent[key] = name
        self._received[name] = key

    def _fitting(self, name: str) -> str:
        """`name` with what the target does not accept replaced, cut to its length."""
        if self._accepts(name):
            return name
        fitting = ""
        for character in name[: self._characters_max]:
            if self._accepts(fitting + character):
                fitting += character
            elif not fitting and self._accepts(
                "_" + character
            ):  # a leading digit, where a letter is asked for
                fitting = "_" + character
            else:
                fitting += "_"
        return fitting[: self._characters_max] or "_"


def _declared(request: ChatRequest) -> Iterator[ToolKey]:
    for tool in request.tools:
        if tool.name:
            yield tool.name, getattr(tool, "namespace", None)


def _mentioned(request: ChatRequest) -> Iterator[ToolKey]:
    if request.tool_choice:
        for name in request.tool_choice.names:
            yield name, None
    for turn in request.turns:
        for part in turn.parts:
            if isinstance(part, ToolCall):
                yield part.name, part.namespace
            elif isinstance(part, ToolResult) and part.name:
                yield part.name, None


def _only_namespaced(declared: list[ToolKey]) -> dict[str, str]:
    """Bare name → namespace, for the names that exactly one tool has and that stand in a namespace."""
    namespaces: dict[str, set[str | None]] = {}
    for name, namespace in declared:
        namespaces.setdefault(name, set()).add(namespace)
    return {
        name: namespace
        for name, (namespace, *others) in ((name, tuple(found)) for name, found in namespaces.items())
        if namespace and not others
    }


def _flat(key: ToolKey) -> str:
    name, namespace = key
    if not namespace:
        return name
    return namespace.removesuffix(NAMESPACE_SEPARATOR) + NAMESPACE_SEPARATOR + name


def _hash(key: ToolKey, salt: int) -> str:
    name, namespace = key
    original = "\x00".join((namespace or "", name, *([str(salt)] if salt else ())))
    return blake2b(original.encode("utf-8", "surrogatepass"), digest_size=_HASH_CHARACTERS // 2).hexdigest()
