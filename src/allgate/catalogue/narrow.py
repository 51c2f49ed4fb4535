"""What a profile means for a deployment: narrower Caps in every dialect, and rules that it implies.

The provider's Caps say what its wire takes, the profile what the model takes: what can be sent is what both have. So a
family is written once and holds at its own vendor, at a reseller that speaks another dialect, and at the simulator.
"""

from collections.abc import Iterable

from allgate.catalogue.profile import Profile, Suffix
from allgate.catalogue.rule import Rule
from allgate.core.value import changed
from allgate.operations.chat.caps import Caps

_MODES: dict[str, tuple[str, ...]] = {
    "anthropic": ("budget", "adaptive"),
    "gemini": ("budget", "level"),
    "openai_chat": ("effort",),
    "openai_responses": ("effort",),
}
"""The ways of thinking that a dialect has words for. Elsewhere the provider's own way stays."""

PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_completions": "/v1/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models",
}
"""Where a client finds each dialect."""

_SUFFIXES: dict[Suffix, dict[str, str]] = {
    "-thinking": {"thinking": "on"},
    "-nothinking": {"thinking": "off"},
    "-low": {"thinking": "on", "reasoning_effort": "low"},
    "-medium": {"thinking": "on", "reasoning_effort": "medium"},
    "-high": {"thinking": "on", "reasoning_effort": "high"},
}


def narrowed(caps: Caps, profile: Profile, dialect: str) -> Caps:
    """`caps` of a provider, as far as the model has them."""
    if profile.thinking == "none" or profile.thinking in _MODES.get(dialect, ()):
        caps = changed(caps, thinking=profile.thinking)
    if profile.efforts:
        caps = changed(caps, efforts=_both(caps.efforts, profile.efforts))
    if profile.levels:
        caps = changed(caps, levels=profile.levels)
    if profile.accepts is not None:
        caps = _accepting(caps, profile.accepts)
    if profile.abilities is not None:
        caps = _able(caps, profile.abilities)
    limits = profile.limits
    return changed(
        caps,
        cache_policy=profile.cache if caps.cache == "explicit" else caps.cache_policy,
        output_max=limits.output_tokens or caps.output_max,
        stop_max=min(caps.stop_max, limits.stop_sequences or caps.stop_max),
        media_max=min(caps.media_max, limits.images or caps.media_max),
        media_bytes_max=min(caps.media_bytes_max, limits.media_bytes or caps.media_bytes_max),
    )


def _accepting(caps: Caps, mimes: tuple[str, ...]) -> Caps:
    return changed(
        caps,
        image_mimes=_both(caps.image_mimes, mimes),
        document_mimes=_both(caps.document_mimes, mimes),
        audio_mimes=_both(caps.audio_mimes, mimes),
        video_mimes=_both(caps.video_mimes, mimes),
    )


def _able(caps: Caps, abilities: Iterable[str]) -> Caps:
    """Caps without what the model lacks. A tool that the provider runs is one of its abilities only if it is named."""
    has = frozenset(abilities)
    lost = {"web_search", "code_execution"} - has
    outputs = tuple(kind for kind in caps.modalities_out if kind == "text" or f"{kind}_output" in has)
    return changed(
        caps,
        tools=caps.tools and "tools" in has,
        json_object=caps.json_object and "json_object" in has,
        json_schema=caps.json_schema if "json_schema" in has else "none",
        image_mimes=caps.image_mimes if "image_input" in has else (),
        document_mimes=caps.document_mimes if "document_input" in has else (),
        audio_mimes=caps.audio_mimes if "audio_input" in has else (),
        video_mimes=caps.video_mimes if "video_input" in has else (),
        hosted=tuple(kind for kind in caps.hosted if kind not in lost),
        web_search_style=caps.web_search_style if "web_search" in has else "none",
        modalities_out=outputs,
    )


def _both(wide: tuple[str, ...], narrow: Iterable[str]) -> tuple[str, ...]:
    kept = frozenset(narrow)
    return tuple(word for word in wide if word in kept)


def implied(profile: Profile, output_tokens_default: int | None) -> tuple[Rule, ...]:
    """The rules that follow from a profile, and from a bound of the answer that is not the gateway's own."""
    rules: list[Rule] = []
    if profile.endpoints:
        why = f"ask for it at {' or '.join(PATHS[dialect] for dialect in profile.endpoints)}"
        rules.append(Rule(action="refuse", settings=("endpoint",), among=profile.endpoints, why=why))
    if profile.thinking == "none":
        said = ("thinking", "reasoning_effort")
        rules.append(Rule(action="clear", settings=said, why="this model does not think"))
    if profile.efforts:
        rules.append(Rule(action="clamp", settings=("reasoning_effort",), among=profile.efforts))
    if profile.levels:
        rules.append(Rule(action="clamp", settings=("thinking_level",), among=profile.levels))
    if profile.limits.output_tokens:
        rules.append(Rule(action="clamp", settings=("max_tokens",), at_most=profile.limits.output_tokens))
    if output_tokens_default:
        why = "the default of this model"
        rules.append(Rule(action="default", settings=("max_tokens",), value=output_tokens_default, why=why))
    if profile.safety:
        rules.append(_safety(profile.safety))
    return tuple(rules)


def _safety(settings: dict[str, str]) -> Rule:
    """The operator's settings, where the provider has such."""
    wanted = [{"category": category, "threshold": level} for category, level in settings.items()]
    why = "the operator decides"
    return Rule(action="set", settings=("safety_settings",), value=wanted, to=("gemini",), why=why)


def suffix_rules(suffix: Suffix) -> tuple[Rule, ...]:
    """What a suffix of the name asks for, whatever the body says."""
    why = f"the name ends in {suffix}"
    return tuple(
        Rule(action="set", settings=(name,), value=value, why=why)
        for name, value in _SUFFIXES[suffix].items()
    )
