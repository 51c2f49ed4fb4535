"""Prompt-cache breakpoints of a finished body: as many as the deployment takes, the last ones.

The vendor refuses a fifth. A later breakpoint covers everything before it, so the earliest are given up first; the order
of the prefix is tools, system, messages.
"""

from collections.abc import Iterator

from allgate.dialects.passes.lenient import objects_of
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, clamped, dropped
from allgate.wire.json import JsonObject

MARK = "cache_control"
MARKED = b'"cache_control"'
"""What a body must hold for any of this to matter."""


def limit_marks(body: JsonObject, caps: Caps) -> Note | None:
    """Take the breakpoints that this deployment does not take out of `body`, and say so. The blocks must be our own."""
    marked = [block for block in _blocks(body) if MARK in block]
    if MARK in body:
        marked.append(body)
    if caps.cache != "explicit":
        kept, note = 0, dropped(MARK, "this model has no explicit prompt cache")
    else:
        kept, note = caps.cache_marks_max, clamped(MARK, f"at most {caps.cache_marks_max} breakpoints")
    surplus = marked[: max(0, len(marked) - kept)]
    for block in surplus:
        del block[MARK]
    return note if surplus else None


def _blocks(body: JsonObject) -> Iterator[JsonObject]:
    yield from objects_of(body.get("tools"))
    yield from objects_of(body.get("system"))
    for message in objects_of(body.get("messages")):
        for block in objects_of(message.get("content")):
            if block.get("type") == "tool_result":
                yield from objects_of(block.get("content"))
            yield block
