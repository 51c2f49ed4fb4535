"""What each generation of Gemini takes and refuses, read off its name.

Source: wire-format notes §2.4 and §3.8–3.9, and recordings/google (2.5 takes call ids and combines code execution with
functions). A `sim-` model is a Gemini 3 that thinks by budget or by level, as it is asked.
"""

import re

from allgate.core.value import Value
from allgate.simulator.scenes import MODEL_PREFIX

_NAME = re.compile(r"gemini-(?P<version>\d(?:\.\d)?)-(?P<tier>pro|flash-lite|flash)")
LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
Range = tuple[int, int]


class Gemini(Value, frozen=True, kw_only=True):
    """The traits of one model. `budget` is the range of thinking budgets beside −1, and `can_stop` allows 0."""

    budget: Range | None = (0, 32_768)
    can_stop: bool = True
    levels: tuple[str, ...] = LEVELS
    signatures: bool = True  # required on the first call of each step
    call_ids: bool = True  # gives ids to its calls
    takes_ids: bool = True
    penalties: bool = True
    combines: bool = True  # functions beside searches, and beside a JSON answer
    thinks: bool = True


def traits(model: str) -> Gemini:
    """The traits of `model`."""
    if model.startswith(MODEL_PREFIX):
        return Gemini()
    match = _NAME.match(model)
    if match is None:  # gemini-flash-latest, gemma: newest habits
        return Gemini(penalties=False)
    version, tier = float(match["version"]), match["tier"]
    if version >= 3:
        levels = ("LOW", "HIGH") if tier == "pro" and version < 3.1 else LEVELS[:4]
        return Gemini(budget=(128, 32_768), can_stop=False, levels=levels, penalties=False)
    if version >= 2.5:
        budget = {"pro": (128, 32_768), "flash": (1, 24_576), "flash-lite": (512, 24_576)}[tier]
        return Gemini(
            budget=budget, can_stop=tier != "pro", levels=(), signatures=False, call_ids=False, combines=False
        )
    return Gemini(
        budget=None,
        levels=(),
        signatures=False,
        call_ids=False,
        takes_ids=False,
        combines=False,
        thinks=False,
    )
