"""What can be written of a rule or a profile, and what is refused when it is read."""

import msgspec
import pytest

from allgate.catalogue.profile import UNKNOWN, Limits
from allgate.catalogue.rows import ProfileRow, RuleRow, profile_with, rules_of
from allgate.catalogue.rule import Rule
from allgate.core.value import changed


def row(**members: object) -> RuleRow:
    return msgspec.convert({"why": "w", **members}, RuleRow)


def test_a_rule_has_one_action_on_its_settings() -> None:
    assert rules_of(row(clear=["temperature", "top_p"], when=["thinking"])) == (
        Rule(action="clear", settings=("temperature", "top_p"), when=("thinking",), why="w"),
    )


def test_each_value_is_a_rule_of_its_own() -> None:
    found = rules_of(row(set={"temperature": 1, "extra.enable_search": True}))
    assert [(one.settings, one.value) for one in found] == [
        (("temperature",), 1),
        (("extra.enable_search",), True),
    ]


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "none"),
        ({"clear": ["seed"], "refuse": ["seed"]}, "clear and refuse"),
        ({"clear": ["temprature"]}, "'temprature'"),
        ({"clear": ["seed"], "when": ["thinkin"]}, "'thinkin'"),
        ({"clear": ["extra."]}, "'extra.'"),
        ({"refuse": ["thinking_budget"], "below": "max_token"}, "'max_token'"),
        ({"clamp": ["temperature"]}, "at_least"),
        ({"clamp": ["temperature"], "at_least": 2, "at_most": 1}, "above"),
        ({"clamp": ["service_tier"], "among": ["flex"]}, "use refuse"),
        ({"set": {"seed": 1}, "at_most": 2}, "no bounds"),
    ],
)
def test_a_rule_that_nothing_could_keep_is_refused(members: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        rules_of(row(**members))


@pytest.mark.parametrize("members", [{"why": ""}, {"clears": ["seed"]}, {"to": ["openai"]}, {"at_most": "1"}])
def test_a_rule_of_the_wrong_shape_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        row(clear=["seed"], **members)


def test_what_a_row_does_not_say_is_the_familys() -> None:
    family = changed(UNKNOWN, abilities=("tools",), limits=Limits(context_tokens=9, output_tokens=5))
    found = profile_with(family, ProfileRow(thinking="effort", limits=Limits(output_tokens=4)))
    assert found == changed(family, thinking="effort", limits=Limits(context_tokens=9, output_tokens=4))


def test_a_suffix_of_a_model_that_does_not_think_is_refused() -> None:
    with pytest.raises(ValueError, match="-thinking"):
        profile_with(UNKNOWN, ProfileRow(thinking="none", suffixes=("-thinking",)))
