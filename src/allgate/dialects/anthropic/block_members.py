"""What a block holds beside its content: a cache breakpoint, and members that the vocabulary has no word for."""

from allgate.dialects.anthropic.versions import DIALECT
from allgate.operations.chat.parts import CacheMark, Extra
from allgate.wire.json import Json, JsonObject, object_at

_MARK_MEMBERS = frozenset({"type", "ttl"})


def mark_of(block: JsonObject) -> tuple[CacheMark | None, JsonObject]:
    """The cache breakpoint behind a block, and the members of it that the vocabulary has no word for (scope)."""
    raw: Json = block.get("cache_control")
    if not isinstance(raw, dict):
        return None, {}
    control = object_at(raw, "cache_control")
    ttl = control.get("ttl")
    others = {key: value for key, value in control.items() if key not in _MARK_MEMBERS}
    return CacheMark(ttl=ttl if isinstance(ttl, str) else None), {"_cache_control": others} if others else {}


def extra_of(block: JsonObject, known: frozenset[str], more: JsonObject) -> Extra:
    """What a block holds beside what is known; null counts as absent."""
    if not more and block.keys() <= known:
        return {}
    members = {key: value for key, value in block.items() if key not in known and value is not None}
    return {DIALECT: {**members, **more}} if members or more else {}
