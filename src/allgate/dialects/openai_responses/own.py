"""The dialect's name, and the members of its wire objects that the vocabulary has no word for.

They travel in `extra["openai_responses"]` and are put back under what an encoder of this dialect writes itself.
"""

from allgate.operations.chat.parts import Extra
from allgate.wire.json import JsonObject

NAME = "openai_responses"
VENDOR = "openai"
"""Whose seals and file ids this dialect's clients send bare."""

MESSAGE = "message"
"""In a part's extra: it begins a message item, and these are that item's members (`id`, `role`, `phase`, `status`…)."""

IN_MESSAGE = "in_message"
"""In an Opaque's extra: it is a part of a message's content, not an item."""

BEFORE = "before"
"""In a leading text's or a turn's extra: items of other kinds that stood right before it."""

NAMESPACE = "namespace"
"""In a tool's extra: what its namespace says beside its name and tools; on the first tool of each."""

ITEM = "item"
"""In a hosted call's extra: the whole item, which this dialect sends back as it was."""

ORIGIN = "declared_in"
"""In a tool's extra: the type of the input item that declared it; such a tool is not a member of `tools`."""


def rest(source: JsonObject, known: frozenset[str]) -> Extra:
    """The members of `source` that are not `known`, as an extra."""
    if known.issuperset(source):
        return {}
    return {NAME: {key: value for key, value in source.items() if key not in known}}


def own(extra: Extra) -> JsonObject:
    """This dialect's members of an extra."""
    return extra.get(NAME, {})
