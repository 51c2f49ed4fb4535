"""Prompt-cache breakpoints of a finished body: as many as the deployment takes, the last ones.

The vendor refuses a fifth. A later breakpoint covers everything before it, so the earliest are given up first; the order
of the prefix is tools, system, messages.
"""

from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, clamped, dropped
from allgate.wire.json import JsonObject

MARK = "cache_control"


def limit_marks(body: JsonObject, caps: Caps) -> Note | None:
    """Take the breakpoints that this deployment does not take out of `body`, and say so. The blocks must be our own."""
    marked = _marked_blocks(body)
    if MARK in body:
        marked.append(body)
    if not marked:
        return None
    if caps.cache != "explicit":
        kept, note = 0, dropped(MARK, "this model has no explicit prompt cache")
    else:
        kept, note = caps.cache_marks_max, clamped(MARK, f"at most {caps.cache_marks_max} breakpoints")
    surplus = marked[: max(0, len(marked) - kept)]
    for block in surplus:
        del block[MARK]
    return note if surplus else None


def _marked_blocks(body: JsonObject) -> list[JsonObject]:
    marked: list[JsonObject] = []
    for block in (*body.get("tools", ()), *body.get("system", ())):
        if MARK in block:
            marked.append(block)
    for message in body["messages"]:
        for block in message["content"]:
            if block.get("type") == "tool_result" and list is type(inner := block.get("content")):
                marked += [piece for piece in inner if MARK in piece]
            if MARK in block:
                marked.append(block)
    return marked
