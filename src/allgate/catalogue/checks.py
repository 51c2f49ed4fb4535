"""What is wrong with a rule or a profile that can be read, found before anything is served.

A setting that does not exist, a value that it cannot have, a bound that nothing could keep, a type of media that nobody
takes: each would do nothing, or end every request in an error of the provider.
"""

from collections.abc import Iterable

import msgspec

from allgate.catalogue.rule import CONDITIONS, NOT, Rule
from allgate.catalogue.settings import MEMBERS_ONLY, setting
from allgate.operations.chat.request import ChatRequest
from allgate.providers import PROVIDERS

MIMES = frozenset(
    mime
    for provider in PROVIDERS
    for speaks in provider.speaks
    for kind in ("image_mimes", "document_mimes", "audio_mimes", "video_mimes")
    for mime in getattr(speaks.caps, kind)
)
"""Every type of media that one of the gateway's own providers takes."""

_RENAMES = {("system", "developer"), ("thinking_budget", "reasoning_effort")}
"""Beside members that only the provider knows."""

_EMPTY = ChatRequest(dialect="openai_chat", model="", turns=())


def check_types(mimes: Iterable[str]) -> None:
    """Raises: ValueError: a type that no provider takes, so that it would allow nothing."""
    if unknown := [mime for mime in mimes if mime not in MIMES]:
        raise ValueError(f"accepts: nobody takes {unknown[0]!r}; there are {', '.join(sorted(MIMES))}")


def check_rule(rule: Rule) -> None:
    """Raises: ValueError: naming the member."""
    for name in (*rule.settings, *(() if rule.below is None else (rule.below,))):
        _check_setting(name)
    for word in rule.when:
        if (name := word.removeprefix(NOT)) not in CONDITIONS:
            _check_setting(name)
    _check_bounds(rule)
    match rule.action:
        case "clamp":
            _check_clamp(rule)
        case "set" | "default":
            _check_value(rule)
        case "rename":
            _check_rename(rule)
        case "clear" | "refuse":
            pass


def _check_setting(name: str) -> None:
    try:
        setting(name)
    except KeyError:
        raise ValueError(f"there is no setting or condition {name!r}; docs/models.md lists them") from None


def _check_bounds(rule: Rule) -> None:
    least, most = rule.at_least, rule.at_most
    if rule.action not in ("clear", "clamp", "refuse") and (
        rule.among or rule.below or (least, most) != (None, None)
    ):
        raise ValueError(f"{rule.action}: takes no bounds")
    if least is not None and most is not None and least > most:
        raise ValueError(f"at_least: {least:g} is above at_most, {most:g}")


def _check_clamp(rule: Rule) -> None:
    if not rule.among and (rule.at_least, rule.at_most) == (None, None):
        raise ValueError("clamp: needs at_least, at_most or among")
    for name in rule.settings:
        if rule.among and not set(rule.among) <= set(setting(name).ordered):
            raise ValueError(f"clamp: {name} has no nearest word among {', '.join(rule.among)}; use refuse")


def _check_value(rule: Rule) -> None:
    """What the request says with the value in it must have its own types."""
    (name,) = rule.settings
    found = setting(name)
    words = found.words or found.ordered
    if words and rule.value not in words:
        raise ValueError(f"{rule.action}: {name} is one of {', '.join(words)}, not {rule.value!r}")
    try:
        request = found.put(_EMPTY, rule.value)
        msgspec.convert(request.service_tier, str | None)
        for part in (request.sampling, request.reasoning, request.identity):
            msgspec.convert(msgspec.to_builtins(part), None if part is None else type(part))
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise ValueError(f"{rule.action}: {name} cannot be {rule.value!r}: {error}") from error


def _check_rename(rule: Rule) -> None:
    (name,) = rule.settings
    if (name, rule.value) not in _RENAMES and not str(rule.value).startswith(MEMBERS_ONLY):
        raise ValueError(
            f"rename: {name} can be sent as extra.NAME, a member of the provider's, not as {rule.value!r}"
        )
