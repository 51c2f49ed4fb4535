"""How rules and profiles are written, in a family's file and in the rows of the configuration alike.

A rule is a table with one action; a profile lists what differs. Both are checked when they are read (`checks`). Errors are
ValueErrors that name the member.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from allgate.catalogue.checks import check_rule, check_types
from allgate.catalogue.profile import Ability, CachePolicy, Kind, Level, Limits, Profile, Suffix, Thinking
from allgate.catalogue.rule import Action, Rule
from allgate.core.value import Value, changed
from allgate.operations.chat.request import Effort
from allgate.wire.json import Json

Said = Meta
"""A field's sentence in docs/settings.md."""

Dialect = Literal["openai_chat", "openai_completions", "openai_responses", "anthropic", "gemini"]


class RuleRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule: one action on some settings, its conditions and bounds, and why."""

    clear: Annotated[tuple[str, ...], Said(description="Settings that are not sent.")] = ()
    clamp: Annotated[tuple[str, ...], Said(description="Settings brought to the nearest allowed value.")] = ()
    refuse: Annotated[
        tuple[str, ...],
        Said(description="Settings that end the request with a 400; with bounds, outside them."),
    ] = ()
    rename: Annotated[
        dict[str, str], Said(description='Settings sent under another name: `{ system = "developer" }`.')
    ] = {}
    set: Annotated[
        dict[str, Json], Said(description="Settings sent with this value, whatever the client said.")
    ] = {}
    default: Annotated[
        dict[str, Json], Said(description="Settings sent with this value where the client said nothing.")
    ] = {}
    when: Annotated[
        tuple[str, ...],
        Said(
            description="All must hold: `thinking`, `stream`, `interleaved`, `together`, the name of a setting that was said; `not ` turns one round."
        ),
    ] = ()
    at_least: Annotated[float | None, Said(description="Lower bound of a number.")] = None
    at_most: Annotated[float | None, Said(description="Upper bound of a number.")] = None
    among: Annotated[tuple[str, ...], Said(description="The allowed words.")] = ()
    below: Annotated[str | None, Said(description="Another setting that the number must stay below.")] = None
    to: Annotated[
        tuple[Dialect, ...],
        Said(description="Only towards providers that are spoken to in these dialects. Default: all."),
    ] = ()
    why: Annotated[
        str, Said(min_length=1, description="The reason, for the note or the 400: the client reads it.")
    ]


class ProfileRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a model. What a row does not say is its family's."""

    kind: Annotated[Kind | None, Said(description="What it is for. Default: `chat`.")] = None
    summary: Annotated[str | None, Said(description="One sentence for the model list.")] = None
    abilities: Annotated[
        tuple[Ability, ...] | None,
        Said(description="What it can do; what is not named is refused or left out. Default: not known."),
    ] = None
    endpoints: Annotated[
        tuple[Dialect, ...] | None,
        Said(description="The dialects in which clients may ask for it. Default: every one."),
    ] = None
    accepts: Annotated[tuple[str, ...] | None, Said(description="MIME types of media that it takes.")] = None
    limits: Annotated[
        Limits | None, Said(description="Bounds of the model: `{ output_tokens = 64_000 }`.")
    ] = None
    thinking: Annotated[
        Thinking | None,
        Said(description="How it is told to think: `none`, `budget`, `level`, `adaptive`, `effort`."),
    ] = None
    efforts: Annotated[tuple[Effort, ...] | None, Said(description="Effort words that it takes.")] = None
    levels: Annotated[tuple[Level, ...] | None, Said(description="Thinking levels that it takes.")] = None
    suffixes: Annotated[
        tuple[Suffix, ...] | None,
        Said(description="Endings of the name that say how to think: `-thinking`, `-nothinking`, `-low`, …"),
    ] = None
    cache: Annotated[
        CachePolicy | None,
        Said(
            description="Whose cache marks are sent: the `client`'s, or one on the `system` or `conversation` too."
        ),
    ] = None
    safety: Annotated[
        dict[str, str] | None,
        Said(
            description="Safety settings by category, sent in place of the client's. Default: the client's own."
        ),
    ] = None


_ACTIONS: tuple[Action, ...] = ("clear", "clamp", "refuse", "rename", "set", "default")


def rules_of(row: RuleRow) -> tuple[Rule, ...]:
    """The rules of a row: one, or one for each setting that has a value of its own. Raises: ValueError."""
    said: list[Action] = [action for action in _ACTIONS if getattr(row, action)]
    if len(said) != 1:
        raise ValueError(
            f"a rule has one of {', '.join(_ACTIONS)}; this one has {' and '.join(said) or 'none'}"
        )
    action = said[0]
    wanted = cast("tuple[str, ...] | Mapping[str, Json]", getattr(row, action))
    shared = Rule(
        action=action,
        settings=tuple(wanted),
        when=row.when,
        at_least=row.at_least,
        at_most=row.at_most,
        among=row.among,
        below=row.below,
        to=row.to,
        why=row.why,
    )
    if not isinstance(wanted, Mapping):
        check_rule(shared)
        return (shared,)
    rules = tuple(changed(shared, settings=(name,), value=value) for name, value in wanted.items())
    for rule in rules:
        check_rule(rule)
    return rules


def profile_with(base: Profile, row: ProfileRow) -> Profile:
    """`base` with what the row says. Raises: ValueError: words that do not go together."""
    said = {name: value for name in ProfileRow.__struct_fields__ if (value := getattr(row, name)) is not None}
    if row.limits is not None:
        said["limits"] = _limits_with(base.limits, row.limits)
    profile = changed(base, **said)
    check_types(profile.accepts or ())
    if profile.thinking == "none" and profile.suffixes:
        raise ValueError(f"suffixes: {profile.suffixes[0]} says how to think, and this model does not think")
    return profile


def _limits_with(base: Limits, row: Limits) -> Limits:
    said = {name: value for name, value in msgspec.structs.asdict(row).items() if value is not None}
    return changed(base, **said)
