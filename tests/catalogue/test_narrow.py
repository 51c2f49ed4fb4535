"""What a profile leaves of a provider's Caps, and the rules that it implies."""

import pytest

from allgate.catalogue.narrow import implied, narrowed, suffix_rules
from allgate.catalogue.profile import UNKNOWN, Limits, Profile
from allgate.catalogue.rule import Rule
from allgate.core.value import changed
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.providers.anthropic import MESSAGES_CAPS
from allgate.providers.gemini import GENERATE_CAPS
from allgate.providers.openai import RESPONSES_CAPS

NOTHING = Profile(abilities=(), accepts=())
ALL = {
    "openai_chat": CAPS_DEFAULT,
    "openai_responses": RESPONSES_CAPS,
    "anthropic": MESSAGES_CAPS,
    "gemini": GENERATE_CAPS,
}


@pytest.mark.parametrize("dialect", ALL)
def test_what_nobody_said_narrows_nothing(dialect: str) -> None:
    assert narrowed(ALL[dialect], UNKNOWN, dialect) == ALL[dialect]
    assert implied(UNKNOWN, None) == ()


@pytest.mark.parametrize("dialect", ALL)
def test_what_a_model_lacks_is_lacking_in_every_dialect(dialect: str) -> None:
    caps = narrowed(changed(ALL[dialect], modalities_out=("text", "image")), NOTHING, dialect)
    assert (caps.tools, caps.json_object, caps.json_schema) == (False, False, "none")
    assert (caps.image_mimes, caps.document_mimes, caps.audio_mimes, caps.video_mimes) == ((), (), (), ())
    assert not {"web_search", "code_execution"} & set(caps.hosted)
    assert (caps.web_search_style, caps.modalities_out) == ("none", ("text",))


def test_a_model_has_only_what_the_wire_has_too() -> None:
    profile = Profile(
        abilities=("tools", "json_object", "audio_input", "image_input", "image_output"),
        accepts=("image/heic", "image/png", "audio/wav"),
        efforts=("low", "max"),
    )
    caps = narrowed(CAPS_DEFAULT, profile, "openai_chat")
    assert (caps.image_mimes, caps.audio_mimes, caps.efforts) == (("image/png",), (), ("low",))
    assert caps.modalities_out == ("text",)
    assert narrowed(MESSAGES_CAPS, profile, "anthropic").json_object is False


@pytest.mark.parametrize(
    ("thinking", "dialect", "found"),
    [
        ("none", "openai_chat", "none"),
        ("none", "anthropic", "none"),
        ("adaptive", "anthropic", "adaptive"),
        ("adaptive", "openai_chat", "effort"),  # a reseller has its own word for it
        ("budget", "gemini", "budget"),
        ("level", "gemini", "level"),
        ("level", "anthropic", "budget"),
        ("effort", "openai_responses", "effort"),
        (None, "gemini", "level"),
    ],
)
def test_a_way_of_thinking_is_told_in_the_dialects_that_have_words_for_it(
    thinking: str | None, dialect: str, found: str
) -> None:
    profile = changed(UNKNOWN, thinking=thinking)
    assert narrowed(ALL[dialect], profile, dialect).thinking == found


def test_the_longest_answer_is_the_models_own() -> None:
    assert MESSAGES_CAPS.output_max == 64_000
    longer = narrowed(MESSAGES_CAPS, Profile(limits=Limits(output_tokens=128_000)), "anthropic")
    shorter = narrowed(
        MESSAGES_CAPS, Profile(limits=Limits(output_tokens=8_192, stop_sequences=4)), "anthropic"
    )
    assert (longer.output_max, shorter.output_max, shorter.stop_max) == (128_000, 8_192, 4)


def test_a_profile_implies_rules() -> None:
    profile = Profile(
        endpoints=("openai_chat", "gemini"),
        efforts=("low", "high"),
        levels=("low",),
        limits=Limits(output_tokens=9),
        safety={"A": "B"},
    )
    found = {(rule.action, rule.settings): rule for rule in implied(profile, 5)}
    assert found["refuse", ("endpoint",)].why == "ask for it at /v1/chat/completions or /v1beta/models"
    assert found["clamp", ("reasoning_effort",)].among == ("low", "high")
    assert found["clamp", ("thinking_level",)].among == ("low",)
    assert found["clamp", ("max_tokens",)].at_most == 9
    assert found["default", ("max_tokens",)].value == 5
    assert found["set", ("safety_settings",)].to == ("gemini",)
    assert len(found) == 6


def test_a_suffix_switches_thinking_and_says_how_much() -> None:
    why = "the name ends in -low"
    assert suffix_rules("-low") == (
        Rule(action="set", settings=("thinking",), value="on", why=why),
        Rule(action="set", settings=("reasoning_effort",), value="low", why=why),
    )
