"""Arguments that come in pieces (`streamFunctionCallArguments`), put together to one object.

Each piece names a place by a JSON path (`$.recipe.ingredients[0].amount`) and brings a string, number, boolean or null;
further strings for the same place continue it. Only what such paths can say is understood: names, quoted names, and
positions.
"""

import re
from collections.abc import Iterable
from typing import cast

from allgate.dialects.gemini.members import members_of
from allgate.dialects.passes.lenient import text_of
from allgate.wire.json import Json, JsonObject

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]""")
_STEPS_MAX = 64  # levels of nesting, as deep as Google's own parser goes
_POSITION_MAX = 10_000  # an argument list longer than this is a runaway


class PartialArguments:
    """The object so far."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: JsonObject = {}

    def take(self, pieces: Iterable[JsonObject]) -> None:
        """Put further pieces in their places; a piece whose path makes no sense is left out."""
        for piece in pieces:
            piece = members_of(piece, "partialArgs")
            steps = _steps(text_of(piece.get("jsonPath")))
            if steps:
                _put(self.value, steps, piece)


def _steps(path: str) -> list[str | int]:
    if not path.startswith("$"):
        return []
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None or len(steps) == _STEPS_MAX:
            return []
        name, place, single, double = match.groups()
        if place is not None and int(place) > _POSITION_MAX:
            return []
        steps.append(int(place) if place is not None else name or single or double or "")
        position = match.end()
    return steps


def _put(node: Json, steps: list[str | int], piece: JsonObject) -> None:
    *way, last = steps
    for step, following in zip(way, steps[1:], strict=True):
        node = _entered(node, step, [] if isinstance(following, int) else {})
    if "stringValue" in piece:
        value: Json = text_of(_entered(node, last, "")) + text_of(piece["stringValue"])
    elif "numberValue" in piece or "boolValue" in piece:
        value = piece.get("numberValue", piece.get("boolValue"))
    elif "nullValue" in piece:
        value = None
    else:
        return
    _entered(node, last, value)
    if isinstance(node, dict) and isinstance(last, str):
        cast(JsonObject, node)[last] = value
    elif isinstance(node, list) and isinstance(last, int):
        cast(list[Json], node)[last] = value


def _entered(node: Json, step: str | int, empty: Json) -> Json:
    """What stands at `step` of `node`; `empty`, put there, where nothing does. None where the kinds do not fit."""
    if isinstance(node, dict) and isinstance(step, str):
        members = cast(JsonObject, node)
        if members.get(step) is None:
            members[step] = empty
        return members[step]
    if isinstance(node, list) and isinstance(step, int):
        items = cast(list[Json], node)
        items += [None] * (step + 1 - len(items))
        if items[step] is None:
            items[step] = empty
        return items[step]
    return None
