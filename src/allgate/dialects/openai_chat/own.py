"""The dialect's name, and members of its wire objects that the vocabulary has no word for.

They travel in `extra["openai_chat"]` and are put back under what an encoder of this dialect writes itself.
"""

from collections.abc import Set

from allgate.operations.chat.parts import Extra
from allgate.wire.json import JsonObject

NAME = "openai_chat"
VENDOR = "openai"
"""Whose file ids this dialect's clients send."""

LEGACY_FUNCTIONS = "legacy_functions"
"""In a request's extra: the client declared `functions`, so a call goes back to it as `function_call`."""


def rest(source: JsonObject, known: Set[str]) -> Extra:
    """The members of `source` that are not `known`, as an extra."""
    if source.keys() <= known:
        return {}
    unknown = {key: value for key, value in source.items() if key not in known}
    return {NAME: unknown}


def own(extra: Extra) -> JsonObject:
    """This dialect's members of an extra."""
    return extra.get(NAME, {})
