"""The effort, budget and level tables, and ruling 6."""

import pytest

from allgate.core.errors import WireError
from allgate.operations.chat.caps import CAPS_DEFAULT, Caps
from allgate.operations.chat.request import Effort, Reasoning

from allgate.dialects.passes.reasoning import (  # isort: skip
    EFFORTS,
    effort_of_budget,
    resolve_budget,
    resolve_effort,
    resolve_level,
    wanted,
)

BUDGET = Caps(thinking="budget", budget_min=1024, budget_max=32_000)
ADAPTIVE = Caps(thinking="adaptive", efforts=("low", "medium", "high", "max"))
LEVELS_TWO = Caps(thinking="level", levels=("low", "high"))


def budget_for(effort: Effort, max_tokens: int | None = 100_000, caps: Caps = BUDGET) -> int | None:
    return resolve_budget(Reasoning(effort=effort), caps, max_tokens)[0]


def test_the_documented_budgets_of_low_medium_and_high_are_fixed() -> None:
    assert [budget_for(effort) for effort in ("low", "medium", "high")] == [1280, 2048, 4096]


def test_every_effort_has_a_budget_and_max_is_the_targets_maximum() -> None:
    assert [budget_for(effort) for effort in EFFORTS] == [0, 1024, 1280, 2048, 4096, 8192, 32_000]


def test_minimal_is_raised_to_the_targets_own_minimum() -> None:
    assert budget_for("minimal", caps=Caps(thinking="budget", budget_min=128, budget_max=24_576)) == 512


@pytest.mark.parametrize("effort", ["none", "low", "medium", "high"])
def test_effort_survives_the_way_through_a_budget(effort: Effort) -> None:
    budget = budget_for(effort)
    assert budget is not None
    assert effort_of_budget(budget) == effort


def test_no_budget_is_promoted_to_xhigh() -> None:
    assert effort_of_budget(100_000) == "high"


def test_a_derived_budget_is_lowered_to_three_quarters_of_max_tokens_and_noted() -> None:
    value, notes = resolve_budget(Reasoning(effort="high"), BUDGET, 2048)
    assert value == 1536
    assert [note.kind for note in notes] == ["clamped"]


def test_a_derived_budget_never_falls_below_the_minimum() -> None:
    assert budget_for("high", max_tokens=1100) == 1024


@pytest.mark.parametrize("max_tokens", [1, 1000, 1024])
def test_a_small_max_tokens_switches_derived_thinking_off_and_says_so(max_tokens: int) -> None:
    value, notes = resolve_budget(Reasoning(effort="high"), BUDGET, max_tokens)
    assert value == 0
    assert notes[0].kind == "dropped"


def test_a_written_budget_just_below_max_tokens_is_kept() -> None:
    """Claude Code sends 31,999 with max_tokens 32,000."""
    assert resolve_budget(Reasoning(budget_tokens=31_999), BUDGET, 32_000) == (31_999, ())


@pytest.mark.parametrize(("budget", "max_tokens"), [(1023, 32_000), (1, None), (2048, 2048), (4096, 2048)])
def test_a_written_budget_that_breaks_the_rule_is_refused(budget: int, max_tokens: int | None) -> None:
    with pytest.raises(WireError) as caught:
        resolve_budget(Reasoning(budget_tokens=budget), BUDGET, max_tokens)
    assert caught.value.failure.status == 400
    assert caught.value.failure.param == "thinking.budget_tokens"


def test_a_written_budget_is_lowered_where_the_limit_is_ours() -> None:
    value, notes = resolve_budget(Reasoning(budget_tokens=31_999), BUDGET, 8192, limit_is_ours=True)
    assert value == 6144
    assert notes


def test_a_budget_above_the_targets_maximum_is_clamped() -> None:
    caps = Caps(thinking="budget", budget_min=512, budget_max=24_576)
    value, notes = resolve_budget(Reasoning(budget_tokens=31_999), caps, None)
    assert value == 24_576
    assert notes[0].kind == "clamped"


def test_thinking_that_cannot_be_off_gets_the_minimum() -> None:
    caps = Caps(thinking="budget", budget_min=128, can_disable_thinking=False)
    value, notes = resolve_budget(Reasoning(mode="off"), caps, None)
    assert value == 128
    assert notes


@pytest.mark.parametrize(
    "reasoning", [Reasoning(budget_tokens=-1), Reasoning(mode="adaptive"), Reasoning(mode="on")]
)
def test_dynamic_stays_dynamic(reasoning: Reasoning) -> None:
    assert resolve_budget(reasoning, BUDGET, 32_000) == (-1, ())
    assert resolve_effort(reasoning, CAPS_DEFAULT) == (None, ())
    assert resolve_level(reasoning, LEVELS_TWO) == (None, ())


@pytest.mark.parametrize("resolve", [resolve_budget, resolve_effort, resolve_level])
def test_level_and_budget_together_are_refused(resolve: object) -> None:
    assert callable(resolve)
    with pytest.raises(WireError):
        resolve(Reasoning(level="high", budget_tokens=2048), BUDGET, None)


@pytest.mark.parametrize("resolve", [resolve_budget, resolve_effort, resolve_level])
@pytest.mark.parametrize("reasoning", [None, Reasoning(), Reasoning(show="summary")])
def test_nothing_said_sends_nothing(resolve: object, reasoning: Reasoning | None) -> None:
    assert callable(resolve)
    assert resolve(reasoning, BUDGET, None) == (None, ())


@pytest.mark.parametrize(
    ("effort", "offered", "sent"),
    [
        ("xhigh", ("low", "medium", "high"), "high"),
        ("max", ("low", "medium", "high", "xhigh"), "xhigh"),
        ("max", ("low", "medium", "high"), "high"),
        ("none", ("minimal", "low"), "minimal"),
        ("minimal", ("none", "low", "medium"), "low"),
        ("medium", ("low", "high"), "low"),
        ("low", ("high",), "high"),
    ],
)
def test_an_effort_that_is_not_offered_becomes_its_neighbour(
    effort: Effort, offered: tuple[Effort, ...], sent: Effort
) -> None:
    value, notes = resolve_effort(Reasoning(effort=effort), Caps(efforts=offered))
    assert value == sent
    assert notes[0].kind == "clamped"


def test_xhigh_rises_to_max_on_an_adaptive_model() -> None:
    assert resolve_effort(Reasoning(effort="xhigh"), ADAPTIVE)[0] == "max"


def test_a_model_without_efforts_gets_none_and_a_note() -> None:
    value, notes = resolve_effort(Reasoning(effort="high"), Caps(efforts=()))
    assert value is None
    assert notes[0].kind == "dropped"


def test_a_budget_becomes_an_effort_with_a_note() -> None:
    value, notes = resolve_effort(Reasoning(budget_tokens=2500), CAPS_DEFAULT)
    assert value == "medium"
    assert notes[0].kind == "converted"


@pytest.mark.parametrize(
    ("effort", "level"),
    [
        ("none", "low"),
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "high"),
        ("high", "high"),
        ("max", "high"),
    ],
)
def test_medium_goes_up_where_a_model_knows_low_and_high_only(effort: Effort, level: str) -> None:
    assert resolve_level(Reasoning(effort=effort), LEVELS_TWO)[0] == level


def test_a_level_the_model_has_is_sent_as_written() -> None:
    caps = Caps(thinking="level", levels=("minimal", "low", "medium", "high"))
    assert resolve_level(Reasoning(level="medium"), caps) == ("medium", ())
    assert resolve_level(Reasoning(effort="none"), caps)[0] == "minimal"


def test_an_unknown_level_is_dropped_with_a_note() -> None:
    value, notes = resolve_effort(Reasoning(level="ludicrous"), CAPS_DEFAULT)
    assert value is None
    assert notes[0].path == "reasoning.level"


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        (None, None),
        (Reasoning(show="full"), None),
        (Reasoning(mode="off", effort="high"), False),
        (Reasoning(budget_tokens=0), False),
        (Reasoning(effort="none"), False),
        (Reasoning(level="low"), True),
        (Reasoning(mode="adaptive"), True),
    ],
)
def test_wanted_tells_off_from_unsaid(reasoning: Reasoning | None, expected: bool | None) -> None:
    assert wanted(reasoning) is expected
