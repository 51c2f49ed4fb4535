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
        ({"set": {"temperature": "hot"}}, "temperature cannot be 'hot'"),
        ({"default": {"max_tokens": 1.5}}, "max_tokens cannot be 1.5"),
        ({"set": {"thinking": "maybe"}}, "thinking is one of on, off"),
        ({"set": {"reasoning_effort": "huge"}}, "reasoning_effort is one of"),
        ({"set": {"response_format": "xml"}}, "response_format is one of"),
        ({"set": {"service_tier": 5}}, "service_tier cannot be 5"),
        ({"set": {"stop": 5}}, "stop cannot be 5"),
        ({"rename": {"temperature": "top_p"}}, "extra.NAME"),
        ({"rename": {"system": "user"}}, "extra.NAME"),
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


@pytest.mark.parametrize(
    "members",
    [
        {"set": {"stop": ["a"]}},
        {"set": {"thinking": "off"}},
        {"default": {"thinking_budget": 2048}},
        {"set": {"safety_settings": [{"category": "A", "threshold": "B"}]}},
        {"set": {"extra.enable_search": {"any": "thing"}}},
        {"rename": {"system": "developer", "max_tokens": "extra.max_new_tokens"}},
        {"clear": ["metadata", "user"], "when": ["not stream", "service_tier"]},
        {"refuse": ["service_tier"], "among": ["default"]},
    ],
)
def test_what_can_be_kept_is_read(members: dict[str, object]) -> None:
    assert rules_of(row(**members))


def test_a_type_of_media_that_nobody_takes_is_a_slip() -> None:
    with pytest.raises(ValueError, match=r"nobody takes 'image/jpg'; there are .*image/jpeg"):
        profile_with(UNKNOWN, ProfileRow(accepts=("image/png", "image/jpg")))
