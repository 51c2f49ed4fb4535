"""How much to think, said three ways: an effort word, a budget of tokens, a level word.

A client uses the word of its dialect, a deployment understands one of the three (`Caps.thinking`); the tables here
translate. The budgets of low, medium and high (1280, 2048, 4096) are what a peer gateway documents to its customers,
so they are fixed points, and they come back as the same word (`effort_of_budget`).

Rules kept here:
- A budget that the client wrote is never changed to fit: below the target's minimum, or not below its max_tokens, it
  is refused. So is a level together with a budget. A budget that we derived is lowered to three quarters of max_tokens,
  and with max_tokens ≤ the minimum thinking is off. A budget above the target's maximum is clamped. All are noted.
- Never promoted: no budget becomes xhigh or max, because models without those words refuse them.
- "Dynamic" (budget -1, adaptive) is not a word: it stays unsaid where the target has none.
"""

from typing import cast

from allgate.core.errors import wire_error
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, clamped, converted, dropped
from allgate.operations.chat.request import Effort, Reasoning

DYNAMIC = -1
OFF = 0

EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LEVELS = ("minimal", "low", "medium", "high", "xhigh")

# "minimal" is raised to the target's own minimum (1024 at Anthropic, 512 or 128 at Gemini); "max" is its maximum.
EFFORT_BUDGETS: dict[Effort, int] = {
    "none": OFF, "minimal": 512, "low": 1280, "medium": 2048, "high": 4096, "xhigh": 8192,
}  # fmt: skip

# The lower ends of the bands in which a budget means an effort.
_BANDS: tuple[tuple[int, Effort], ...] = ((4096, "high"), (2048, "medium"), (1024, "low"), (1, "minimal"))


def wanted(reasoning: Reasoning | None) -> bool | None:
    """Does the client want the model to think? None: it did not say."""
    if reasoning is None:
        return None
    if reasoning.mode == "off" or reasoning.budget_tokens == OFF or reasoning.effort == "none":
        return False
    said = reasoning.mode or reasoning.budget_tokens or reasoning.effort or reasoning.level
    return True if said else None


def effort_of_budget(budget_tokens: int) -> Effort | None:
    """The effort a budget stands for; None for a dynamic one.

    >>> [effort_of_budget(n) for n in (0, -1, 512, 1280, 2048, 4096, 30_000)]
    ['none', None, 'minimal', 'low', 'medium', 'high', 'high']
    """
    if budget_tokens <= OFF:
        return "none" if budget_tokens == OFF else None
    return next(effort for lower, effort in _BANDS if budget_tokens >= lower)


def resolve_effort(
    reasoning: Reasoning | None, caps: Caps, max_tokens: int | None = None
) -> tuple[Effort | None, tuple[Note, ...]]:
    """The effort word to send to a deployment that knows `caps.efforts`; None: send nothing.

    `max_tokens` is not needed here and accepted for the sake of one shape. Raises: WireError: level with budget.
    """
    del max_tokens
    wish, notes = _effort(reasoning)
    if wish is None or wish in caps.efforts:
        return wish, notes
    if not caps.efforts:
        return None, (*notes, dropped("reasoning.effort", "this model has no effort setting"))
    fit = cast(Effort, _nearest(wish, EFFORTS, caps.efforts, up=_rises(wish, caps)))
    return fit, (*notes, clamped("reasoning.effort", f"{wish} is not offered, sent {fit}"))


def resolve_level(
    reasoning: Reasoning | None, caps: Caps, max_tokens: int | None = None
) -> tuple[str | None, tuple[Note, ...]]:
    """The level word (lower case) to send to a deployment that knows `caps.levels`; None: send nothing.

    `max_tokens` is not needed here and accepted for the sake of one shape. Raises: WireError: level with budget.
    """
    del max_tokens
    wish, notes = _effort(reasoning)
    if wish is None or not caps.levels:
        return None, (*notes, dropped("reasoning", "this model has no thinking levels")) if wish else notes
    word = {"none": "minimal", "max": "xhigh"}.get(wish, wish)
    fit = word if word in caps.levels else _nearest(word, LEVELS, caps.levels, up=word == "medium")
    if fit == wish or (wish, fit) == ("max", "xhigh"):
        return fit, notes
    return fit, (*notes, clamped("reasoning", f"{wish} is not offered, sent {fit}"))


def resolve_budget(
    reasoning: Reasoning | None, caps: Caps, max_tokens: int | None = None, *, limit_is_ours: bool = False
) -> tuple[int | None, tuple[Note, ...]]:
    """The thinking budget to send: tokens, 0 off, -1 dynamic, None: send nothing.

    `max_tokens` is the output limit the budget must stay below (Anthropic); None where the target has no such rule.
    `limit_is_ours`: the client did not write that limit, so its budget is lowered instead of refused.
    Raises: WireError: a written budget that breaks the target's rule, or level with budget.
    """
    want = wanted(reasoning)
    if reasoning is None or want is None:
        return None, ()
    effort, notes = _effort(reasoning)
    if not want:
        if caps.can_disable_thinking:
            return OFF, ()
        return caps.budget_min, (clamped("reasoning", f"thinking cannot be off, sent {caps.budget_min}"),)
    written = reasoning.budget_tokens
    if written == DYNAMIC or (written is None and effort is None):
        return DYNAMIC, notes
    if written is None:
        assert effort is not None
        budget = EFFORT_BUDGETS.get(effort, caps.budget_max)
        return _fitted(max(budget, caps.budget_min), caps, max_tokens)
    _check_written(written, caps, None if limit_is_ours else max_tokens)
    return _fitted(
        written, caps, max_tokens if limit_is_ours and max_tokens and written >= max_tokens else None
    )


def _effort(reasoning: Reasoning | None) -> tuple[Effort | None, tuple[Note, ...]]:
    """What the client asked for, as an effort word."""
    if reasoning is None:
        return None, ()
    level, budget = reasoning.level, reasoning.budget_tokens
    if level is not None and budget is not None:
        raise wire_error(
            "A thinking level and a thinking budget cannot be used together: send one of them",
            param="thinking_budget",
        )
    if wanted(reasoning) is False:
        return "none", ()
    if reasoning.effort is not None:
        return reasoning.effort, ()
    if level is not None:
        if level in LEVELS:
            return cast(Effort, level), ()
        return None, (dropped("reasoning.level", "not a known thinking level"),)
    if budget is None or budget == DYNAMIC:
        return None, ()
    effort = effort_of_budget(budget)
    return effort, (converted("reasoning.budget_tokens", f"{budget} tokens became effort {effort}"),)


def _nearest(wish: str, order: tuple[str, ...], offered: tuple[str, ...], *, up: bool) -> str:
    """The offered word closest to `wish`: below it first, or above it first where `up`."""
    rank = order.index(wish)
    below = [word for word in order[:rank] if word in offered][-1:]
    above = [word for word in order[rank + 1 :] if word in offered][:1]
    fits = above + below if up else below + above
    return fits[0] if fits else offered[0]


def _rises(wish: str, caps: Caps) -> bool:
    """minimal never means off; xhigh means max on adaptive models, which have no word between high and max."""
    return wish == "minimal" or (wish == "xhigh" and caps.thinking == "adaptive")


def _check_written(budget: int, caps: Caps, max_tokens: int | None) -> None:
    if budget < caps.budget_min:
        raise wire_error(
            f"The thinking budget must be at least {caps.budget_min} tokens, got {budget}",
            param="thinking.budget_tokens",
        )
    if max_tokens is not None and budget >= max_tokens:
        raise wire_error(
            f"max_tokens ({max_tokens}) must be greater than the thinking budget ({budget})",
            param="thinking.budget_tokens",
        )


def _fitted(budget: int, caps: Caps, max_tokens: int | None) -> tuple[int, tuple[Note, ...]]:
    """`budget` under the target's maximum and, by ruling 6, under three quarters of `max_tokens`."""
    fit = min(budget, caps.budget_max)
    if max_tokens is not None:
        if max_tokens <= caps.budget_min:
            return OFF, (dropped("reasoning", f"max_tokens {max_tokens} leaves no room to think"),)
        fit = min(fit, max(caps.budget_min, max_tokens * 3 // 4))
    if fit == budget:
        return fit, ()
    return fit, (clamped("reasoning.budget_tokens", f"{budget} lowered to {fit}"),)
