"""Custom tools (raw text in, optionally within a grammar) for targets that only know functions.

Codex's `apply_patch` and `exec` are such tools. For a target without them a custom tool is offered as a function with
one string argument, `input`; the history's calls are wrapped the same way; and what comes back is unwrapped, also while
it streams, because the client takes nothing but a custom call for a custom tool (Codex answers a function call with
"aborted").

Models do not always keep to `{"input": "…"}`: they rename the member, write `{"command": ["apply_patch", "…"]}`, or
leave the JSON out. The rule, the same whole and streamed: `{"input": "` at the start streams as it arrives; anything
else is read when it is complete: a JSON string is itself; an object's only member is its string, or the last string of
its list; `{}` is empty; whatever remains is taken as it was written.
"""

import re
from typing import cast

from allgate.core.errors import WireError
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.tools import Custom, Function
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

INPUT_MEMBER = "input"
_RULE = "Put the raw text in `input`; do not wrap it in JSON or markdown."
_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {INPUT_MEMBER: {"type": "string"}},
    "required": [INPUT_MEMBER],
    "additionalProperties": False,
}

_HEAD = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_HEAD_CHARACTERS_MAX = 64  # a head with its white space; what is longer is read when it is complete
_PIECE = re.compile(r'[^"\\]+|\\u[0-9a-fA-F]{4}|\\[^u]|\\u(?![0-9a-fA-F]{0,3}\Z)|"', re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"'}


def as_function(tool: Custom) -> Function:
    """The function that stands for a custom tool; its grammar is told in words."""
    texts = [tool.description, _RULE]
    if tool.grammar:
        texts.append(f"The text must match this {tool.grammar.syntax} grammar:\n{tool.grammar.definition}")
    return Function(
        name=tool.name,
        description="\n\n".join(text for text in texts if text),
        schema=_SCHEMA,
        namespace=tool.namespace,
        deferred=tool.deferred,
        cache=tool.cache,
    )


def custom_names(request: ChatRequest) -> frozenset[tuple[str, str | None]]:
    """(name, namespace) of every custom tool that the client declared: calls of these must come back as text."""
    return frozenset((tool.name, tool.namespace) for tool in request.tools if isinstance(tool, Custom))


def wrap_input(text: str) -> str:
    """The arguments that stand for a custom call in the history: `{"input":…}`."""
    return json.encode_text({INPUT_MEMBER: text})


def unwrap_input(arguments: str) -> str:
    """The raw text inside the arguments that a model wrote for a wrapped custom tool. Never fails.

    >>> unwrap_input('{"input": "a\\nb"}')
    'a\\nb'
    """
    unwrap = StreamingUnwrap()
    return unwrap.feed(arguments) + unwrap.close()


class StreamingUnwrap:
    """`unwrap_input` while the arguments arrive: any slicing gives the same text."""

    __slots__ = ("_collected", "_decode", "_head")

    def __init__(self) -> None:
        self._head = ""
        self._collected: list[str] = []  # arguments that do not begin with the head, until they are complete
        self._decode: _JsonString | None = None

    def feed(self, arguments: str) -> str:
        """The text that these further arguments give."""
        if self._decode:
            return self._decode.feed(arguments)
        if self._collected:
            self._collected.append(arguments)
            return ""
        self._head += arguments
        head = _HEAD.match(self._head, 0, _HEAD_CHARACTERS_MAX)
        if head:
            self._decode = _JsonString()
            return self._decode.feed(self._head[head.end() :])
        if len(self._head) >= _HEAD_CHARACTERS_MAX:
            self._collected.append(self._head)
        return ""

    def close(self) -> str:
        """The rest, when the arguments are complete (or were cut)."""
        if self._decode:
            return self._decode.close()
        return _whole("".join(self._collected) or self._head)


class _JsonString:
    """A JSON string behind its opening quote, decoded as it arrives; what follows the closing quote is ignored."""

    __slots__ = ("_done", "_high", "_pending")

    def __init__(self) -> None:
        self._done = False
        self._pending = ""  # an escape that is not complete
        self._high = ""  # the first half of a surrogate pair

    def feed(self, piece: str) -> str:
        if self._done:
            return ""
        pending = self._pending + piece
        if not self._high and '"' not in pending and "\\" not in pending:
            return pending
        texts: list[str] = []
        position = 0
        while not self._done and (match := _PIECE.match(pending, position)):
            position = match.end()
            if match.group() == '"':
                self._done = True
            else:
                texts.append(self._text_of(match.group()))
        self._pending = pending[position:]
        return "".join(texts)

    def close(self) -> str:
        return ("\ufffd" if self._high else "") + ("" if self._done else self._pending)

    def _text_of(self, token: str) -> str:
        if len(token) == 6 and token.startswith("\\u"):
            return self._code_unit(int(token[2:], 16))
        before, self._high = "\ufffd" if self._high else "", ""
        if token[0] != "\\":
            return before + token
        return before + _ESCAPES.get(token[1:], token)  # `\d` is no escape: the model forgot to double it

    def _code_unit(self, unit: int) -> str:
        """A `\\u` escape; the two halves of a character outside the basic plane are joined."""
        high, self._high = self._high, ""
        if 0xDC00 <= unit < 0xE000:
            return (high + chr(unit)).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        before = "\ufffd" if high else ""
        if 0xD800 <= unit < 0xDC00:
            self._high = chr(unit)
            return before
        return before + chr(unit)


def _whole(arguments: str) -> str:
    """The text of arguments that do not begin with `{"input": "`."""
    try:
        value: Json = json.decode(arguments, "arguments")
    except WireError:
        return arguments
    if isinstance(value, dict):
        members = cast(JsonObject, value)
        if not members:
            return ""
        first: Json = next(iter(members.values()))
        value = members.get(INPUT_MEMBER, first if len(members) == 1 else None)
    if isinstance(value, list) and value:
        value = cast(list[Json], value)[-1]
    return value if isinstance(value, str) else arguments
