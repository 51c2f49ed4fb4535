"""What each generation of Claude takes and refuses, read off its name.

Source: wire-format notes §0, §2.3 and §3.8–3.9 (documentation excerpts and recorded errors). A `sim-` model is the
most permissive Claude; a model of another vendor behind Anthropic's format (Kimi, GLM, MiniMax…) is one that takes
unsigned thinking and insists on alternating roles.
"""

import re

from allgate.core.value import Value
from allgate.simulator.scenes import MODEL_PREFIX

_NEW = re.compile(r"claude-(?P<tier>[a-z]+)-(?P<major>\d+)(?:-(?P<minor>\d)(?!\d))?")
_OLD = re.compile(r"claude-(?P<major>\d)(?:-(?P<minor>\d)(?!\d))?-(?P<tier>[a-z]+)")
_NEWEST_TIERS = ("fable", "mythos")
EFFORTS = ("low", "medium", "high", "xhigh", "max")


class Claude(Value, frozen=True, kw_only=True):
    """The traits of one model."""

    sampling: bool = True
    both_temperatures: bool = True  # temperature and top_p together
    budget: bool = True  # thinking by budget
    adaptive: bool = True
    efforts: tuple[str, ...] = EFFORTS
    prefill: bool = True
    system_turns: bool = True
    forced_tools: bool = True
    signed: bool = True  # thinking must come back with its signature
    merges_roles: bool = True
    output_tokens_max: int = 128_000


def traits(model: str) -> Claude:
    """The traits of `model`."""
    if model.startswith(MODEL_PREFIX):
        return Claude()
    match = _OLD.match(model) or _NEW.match(model)
    if match is None:
        return Claude(signed=False, merges_roles=False, system_turns=False)
    tier, version = match["tier"], (int(match["major"]), int(match["minor"] or 0))
    newest = tier in _NEWEST_TIERS
    fixed = newest or (version >= (4, 7) if tier == "opus" else version >= (5, 0))
    return Claude(
        sampling=not fixed,
        both_temperatures=version < (4, 5),
        budget=not fixed and version >= (3, 7),
        adaptive=version >= (4, 6),
        efforts=_efforts(tier, version),
        prefill=not newest and version < (4, 6),
        system_turns=newest or version >= ((4, 8) if tier == "opus" else (5, 5)),
        forced_tools=not newest,
        output_tokens_max=_output_tokens_max(tier, version),
    )


def _efforts(tier: str, version: tuple[int, int]) -> tuple[str, ...]:
    if version >= (4, 7) or tier in _NEWEST_TIERS:
        return EFFORTS
    if version >= (4, 6) or (tier == "opus" and version >= (4, 5)):
        return ("low", "medium", "high", "max")
    return ()


def _output_tokens_max(tier: str, version: tuple[int, int]) -> int:
    if version >= (4, 6):
        return 128_000
    if version >= (4, 0):
        return 32_000 if tier == "opus" and version < (4, 5) else 64_000
    return 64_000 if version >= (3, 7) else 8_192
