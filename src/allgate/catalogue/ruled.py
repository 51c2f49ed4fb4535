"""Rules kept on one request: what it becomes, what was changed, or why it is refused.

Pure, and the same for every dialect: rules work on the canonical request. Where a body is translated, the request that
comes out is encoded; where it is passed through, `edits` say which settings the bytes must differ in (`catalogue.spans`),
and the request that came in held nothing but settings (`catalogue.asked`).

Rules are kept in their order, and each sees what the one before left. Nothing changes in silence: what is cleared, clamped
or renamed is a note; `set` is one where the client had said something else.
"""

from collections.abc import Callable, Iterable

from allgate.catalogue.bounds import has_bounds, in_words, is_inside, nearest
from allgate.catalogue.narrow import PATHS
from allgate.catalogue.rule import NOT, Action, Rule
from allgate.catalogue.settings import MEMBERS_ONLY, Setting, effort_for, setting, thinks, with_member
from allgate.core.errors import ErrorKind, Failure, WireError, unsupported, wire_error
from allgate.core.value import Value
from allgate.dialects.anthropic.versions import INTERLEAVED_THINKING
from allgate.operations.chat.notes import Note, added, clamped, converted, dropped
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import Json

_HOLDS: dict[str, Callable[[ChatRequest], bool]] = {
    "thinking": lambda request: thinks(request) is True,
    "stream": lambda request: request.stream,
    "interleaved": lambda request: any(beta.startswith(INTERLEAVED_THINKING) for beta in request.betas),
}


class Edit(Value, frozen=True, kw_only=True):
    """A setting that is to be sent differently. `value` None: not at all. `name`: under this name of a member."""

    setting: str
    value: Json = None
    name: str | None = None


class Ruled(Value, frozen=True, kw_only=True):
    """The request as it may be sent, the settings that changed on the way, and what to tell the client."""

    request: ChatRequest
    edits: tuple[Edit, ...] = ()
    notes: tuple[Note, ...] = ()


class _Case(Value, frozen=True, kw_only=True):
    """One rule about one setting of one request. `said` None: the client did not say it."""

    request: ChatRequest
    rule: Rule
    setting: Setting
    said: Json
    to: str


_Kept = tuple[ChatRequest, Edit, tuple[Note, ...]] | None
"""The request afterwards, what changed, and what to say; None: nothing changed."""


def ruled(request: ChatRequest, rules: Iterable[Rule], to: str) -> Ruled:
    """`request` as `rules` allow it towards a provider that is spoken to in `to`. Raises: WireError: one refuses it."""
    edits: dict[str, Edit] = {}
    notes: list[Note] = []
    for rule in rules:
        if rule.to and to not in rule.to:
            continue
        for one in _meant(request, rule):
            said = one.said(request)
            if said is None and rule.action not in ("set", "default"):
                continue
            kept = _ACTIONS[rule.action](_Case(request=request, rule=rule, setting=one, said=said, to=to))
            if kept is not None:
                request, edits[one.name] = kept[:2]
                notes += kept[2]
    return Ruled(request=request, edits=tuple(edits.values()), notes=tuple(notes))


def _meant(request: ChatRequest, rule: Rule) -> tuple[Setting, ...]:
    """The settings that the rule acts on in this request."""
    settings = tuple(setting(name) for name in rule.settings)
    for word in rule.when:
        name = word.removeprefix(NOT)
        if name == "together":
            holds = all(one.said(request) is not None for one in settings)
        elif name in _HOLDS:
            holds = _HOLDS[name](request)
        else:
            holds = setting(name).said(request) is not None
        if holds is word.startswith(NOT):
            return ()
    return settings


def _is_meant(case: _Case) -> bool:
    """Without bounds every value is meant; with bounds, those outside."""
    return not has_bounds(case.rule) or not is_inside(case.request, case.rule, case.said)


def _clear(case: _Case) -> _Kept:
    if not _is_meant(case):
        return None
    name = case.setting.name
    return case.setting.put(case.request, None), Edit(setting=name), (dropped(name, case.rule.why),)


def _clamp(case: _Case) -> _Kept:
    fit = nearest(case.request, case.rule, case.setting, case.said)
    if fit == case.said:
        return None
    name = case.setting.name
    note = clamped(name, f"{case.said} is not taken, sent {fit}{_because(case.rule)}")
    return case.setting.put(case.request, fit), Edit(setting=name, value=fit), (note,)


def _rename(case: _Case) -> _Kept:
    request = _renamed(case, str(case.rule.value))
    if request is None:
        return None
    name = case.setting.name
    note = converted(name, f"sent as {case.rule.value}{_because(case.rule)}")
    return request, Edit(setting=name, value=case.said, name=str(case.rule.value)), (note,)


def _renamed(case: _Case, name: str) -> ChatRequest | None:
    """Under its new name: another role, another way to say the same, or a member that only the provider knows."""
    if case.setting.name == "system":
        return case.setting.put(case.request, name)
    if (case.setting.name, name) == ("thinking_budget", "reasoning_effort"):
        effort = effort_for(case.said)
        return None if effort is None else setting(name).put(case.request, effort)
    request = case.setting.put(case.request, None)
    return with_member(request, case.to, name.removeprefix(MEMBERS_ONLY), case.said)


def _set(case: _Case) -> _Kept:
    if case.said == case.rule.value:
        return None
    name = case.setting.name
    notes = () if case.said is None else (converted(name, f"set{_because(case.rule)}"),)
    return _valued(case), Edit(setting=name, value=case.rule.value), notes


def _default(case: _Case) -> _Kept:
    if case.said is not None:
        return None
    name, value = case.setting.name, case.rule.value
    note = added(name, f"{value}{_because(case.rule)}")
    return _valued(case), Edit(setting=name, value=value), (note,)


def _valued(case: _Case) -> ChatRequest:
    """With the rule's value; a member that only one dialect knows is for the provider, whatever the client speaks."""
    name, value = case.setting.name, case.rule.value
    if name.startswith(MEMBERS_ONLY):
        return with_member(case.request, case.to, name.removeprefix(MEMBERS_ONLY), value)
    return case.setting.put(case.request, value)


def _refuse(case: _Case) -> _Kept:
    if not _is_meant(case):
        return None
    raise _refusal(case)


def _refusal(case: _Case) -> WireError:
    """A 400 with what was wrong, with which value, and what to do about it."""
    name, why = case.setting.name, _because(case.rule)
    if name == "endpoint":
        told = f"This model is not offered at {PATHS.get(case.said, case.said)}{why}"
        return WireError(
            Failure(kind=ErrorKind.UNSUPPORTED, message=told, code="unsupported_endpoint", param="model")
        )
    if bounds := in_words(case.request, case.rule):
        return wire_error(f"{name} must be {bounds}, got {case.said}{why}", param=name)
    if "together" in case.rule.when:
        return wire_error(f"{' and '.join(case.rule.settings)} cannot be used together{why}", param=name)
    return unsupported(f"This model does not take {name}{why}", param=name)


def _because(rule: Rule) -> str:
    return f": {rule.why}" if rule.why else ""


_ACTIONS: dict[Action, Callable[[_Case], _Kept]] = {
    "clear": _clear,
    "clamp": _clamp,
    "rename": _rename,
    "set": _set,
    "default": _default,
    "refuse": _refuse,
}
