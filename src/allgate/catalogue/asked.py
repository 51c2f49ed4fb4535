"""What a client set, read for rules alone: without the conversation, which may be a megabyte.

Most requests set nothing that a rule is about; `Glance` sees that from the names of a body's members. Where one may act, the
few members that rules read are cut out of the body, a stub stands for the conversation, and the dialect's own decoder
reads that: so a rule judges a passed-through body by the same words as a translated one, for 20 µs, and 20 to 50 more for
each 100 KB of conversation that is skipped.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from allgate.catalogue.rule import CONDITIONS, NOT, Rule
from allgate.catalogue.settings import SETTINGS, setting
from allgate.core.value import Value, changed
from allgate.dialects.contract import ChatDialect, Head
from allgate.dialects.seals import SealBox
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import Json, decode_object, encode
from allgate.wire.message import WireRequest

_Words = frozenset[str]

_SYSTEM_ROLE = re.compile(rb'"role"\s*:\s*"system"')
_STUBS: Mapping[str, tuple[str, Json]] = {
    "openai_chat": ("messages", [{"role": "user", "content": "."}]),
    "openai_completions": ("prompt", "."),
    "openai_responses": ("input", [{"role": "user", "content": "."}]),
    "anthropic": ("messages", [{"role": "user", "content": "."}]),
    "gemini": ("contents", [{"role": "user", "parts": [{"text": "."}]}]),
}
_SYSTEM_STUB: Json = {"role": "system", "content": "."}
_HOLDS_MEMBERS = "extra_body"
"""What clients of chat write when they meant the SDK's argument of this name: what it holds counts as members of the body."""
_ALWAYS = ("model", "stream", _HOLDS_MEMBERS)
_NO_SEALS = SealBox((b"",), "")

GLANCES_REMEMBERED = 1_024
"""Forty families with five suffixes each, several times over; a glance takes 0.7 ms to make and 5 KB to keep."""

_spans = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Trigger(Value, frozen=True, kw_only=True):
    """A rule can act only on a body that has a member of each set of `needed`, none of `absent`, and that wants more output
    tokens than `output_above`."""

    needed: tuple[_Words, ...] = ()
    absent: _Words = frozenset()
    output_above: float | None = None


class Glance(Value, frozen=True, kw_only=True):
    """How the rules of a model look at bodies of one dialect. `read`: the members to cut out of one; `roles`: whether a
    system role among its messages matters too."""

    triggers: tuple[Trigger, ...]
    read: _Words
    roles: bool = False

    def may_act(self, head: Head) -> bool:
        """Can any rule act on this body?"""
        fields = head.fields
        if _HOLDS_MEMBERS in fields:
            return bool(self.triggers)
        for one in self.triggers:
            if one.output_above is not None and (head.output_tokens_max or 0) <= one.output_above:
                continue
            if one.absent.isdisjoint(fields) and not any(words.isdisjoint(fields) for words in one.needed):
                return True
        return False


def glances(rules: Iterable[Rule]) -> dict[str, Glance]:
    """One for each dialect of clients. Models with equal rules share theirs: there are thousands of models and few families."""
    return _glances(msgspec.json.encode(tuple(rules)))


@lru_cache(GLANCES_REMEMBERED)
def _glances(written: bytes) -> dict[str, Glance]:
    """By the rules as text, because rules with lists in them have no hash."""
    rules = msgspec.json.decode(written, type=tuple[Rule, ...])
    return {dialect: _glance(rules, dialect) for dialect in _STUBS}


def _glance(rules: tuple[Rule, ...], dialect: str) -> Glance:
    triggers = tuple(found for rule in rules if (found := _trigger(rule, dialect)) is not None)
    names = _names_in(rules)
    read = frozenset(word.partition(".")[0] for name in names for word in _said(name, dialect))
    roles = "system" in names and bool(_said("system", dialect))
    return Glance(triggers=triggers, read=read - {_STUBS[dialect][0]} | frozenset(_ALWAYS), roles=roles)


def _names_in(rules: tuple[Rule, ...]) -> set[str]:
    """Every setting that an action, a condition or a bound reads."""
    named = (name for rule in rules for name in (*rule.settings, *rule.when, rule.below) if name is not None)
    words = {name.removeprefix(NOT) for name in named}
    return words - (frozenset(CONDITIONS) - {"thinking"})


def _trigger(rule: Rule, dialect: str) -> Trigger | None:
    """None: nothing that this dialect can say is the rule's business."""
    sets = [_said(name, dialect) for name in rule.when if name == "thinking" or name in SETTINGS]
    absent: _Words = frozenset()
    if rule.action == "default" and all(setting(name).exact for name in rule.settings):
        absent = frozenset[str]().union(*(_said(name, dialect) for name in rule.settings))
    elif rule.settings != ("endpoint",) and rule.action not in ("set", "default"):
        places = [_said(name, dialect) for name in rule.settings]
        sets += places if "together" in rule.when else [frozenset[str]().union(*places)]
    if not all(sets):
        return None
    return Trigger(needed=tuple(sets), absent=absent, output_above=_output_above(rule))


def _output_above(rule: Rule) -> float | None:
    """A bound on the length of the answer stands in every head: nearly every client says one, and nearly none too much."""
    only_at_most = rule.at_least is None and not rule.among and rule.below is None
    bounds = rule.action in ("clamp", "refuse") and rule.settings == ("max_tokens",) and only_at_most
    return rule.at_most if bounds else None


def _said(name: str, dialect: str) -> _Words:
    return frozenset(setting(name).members.get(dialect, ()))


def examined(head: Head, wire: WireRequest, dialect: ChatDialect, seen: Mapping[str, Glance]) -> Head:
    """The head with what the client set in canonical words, where a rule may act on it; else as it was.

    Raises: WireError: a setting that is not what its format says.
    """
    glance = seen.get(dialect.name)
    if glance is None or not glance.may_act(head):
        return head
    return changed(head, asked=_asked(wire, dialect, glance))


def _asked(wire: WireRequest, dialect: ChatDialect, glance: Glance) -> ChatRequest:
    stub, talk = _STUBS[dialect.name]
    if glance.roles and _SYSTEM_ROLE.search(wire.body):
        talk = [_SYSTEM_STUB, *talk]
    members = {name: value for name, value in _members(wire.body).items() if _plain(name) in glance.read}
    small = changed(wire, body=encode({**members, stub: talk}))
    return dialect.decode_request(small, _NO_SEALS)


def _members(body: bytes) -> Mapping[str, Json]:
    try:
        return _spans.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return decode_object(body)


def _plain(name: str) -> str:
    """Gemini's members in the one of their two spellings that heads use; no other dialect has such names."""
    return "generationConfig" if name == "generation_config" else name
