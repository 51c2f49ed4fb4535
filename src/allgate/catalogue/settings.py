"""The settings that rules are about: one canonical name for each, and where every dialect says it.

`members` are words of `Head.fields`: top-level members of a body, and Gemini's `generationConfig.…`. Those of `own` say
nothing but this setting, so a passed-through body is edited by span; the others are larger objects, and a body in which
a rule changes what they say is translated (decision 0052).
"""

from collections.abc import Callable, Mapping
from typing import cast

from allgate.core.value import Value, changed
from allgate.dialects.passes.reasoning import DYNAMIC, effort_of_budget, wanted
from allgate.operations.chat.request import ChatRequest, Effort, OutputFormat, Reasoning
from allgate.wire.json import Json

Members = Mapping[str, tuple[str, ...]]

_CHAT, _TEXT, _RESPONSES = "openai_chat", "openai_completions", "openai_responses"
_ANTHROPIC, _GEMINI = "anthropic", "gemini"

_CHAT_THINKING = (
    "reasoning_effort", "reasoning", "thinking", "enable_thinking", "thinking_budget", "include_reasoning",
    "chat_template_kwargs", "extra_body", "google",
)  # fmt: skip
_THINKING: Members = {
    _CHAT: _CHAT_THINKING,
    _RESPONSES: ("reasoning",),
    _ANTHROPIC: ("thinking", "output_config"),
    _GEMINI: ("generationConfig.thinkingConfig",),
}


class Setting(Value, frozen=True, kw_only=True):
    """One setting. `said` reads it (None: the client did not say), `put` changes it (None: clears it).

    `ordered` are the words it can have, least first: only numbers and ordered words can be clamped. `words`: others. `exact`: where one of its
    members stands in a body, the setting was said.
    """

    name: str
    said: Callable[[ChatRequest], Json]
    put: Callable[[ChatRequest, Json], ChatRequest]
    members: Members
    own: Members = {}
    ordered: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    exact: bool = False


def _sampling(name: str, **members: str | tuple[str, ...]) -> Setting:
    """A member of `Sampling`, which every dialect says by a member of its own, Gemini inside its configuration."""
    places = {dialect: (word,) if isinstance(word, str) else word for dialect, word in members.items()}
    if _CHAT in places:
        places.setdefault(_TEXT, places[_CHAT])
    return Setting(
        name=name,
        said=lambda request: getattr(request.sampling, name) or _zero(getattr(request.sampling, name)),
        put=lambda request, value: changed(request, sampling=changed(request.sampling, **{name: value})),
        members=places,
        own=_without(places, _GEMINI),
        exact=True,
    )


def _without(members: Members, *dialects: str) -> Members:
    return {dialect: words for dialect, words in members.items() if dialect not in dialects}


def _zero(value: Json) -> Json:
    """A zero is said; an empty list of stop sequences is not."""
    return value if isinstance(value, int | float) else None


def _stop(request: ChatRequest, value: Json) -> ChatRequest:
    stops = (value,) if isinstance(value, str) else tuple(cast(list[str], value or ()))
    return changed(request, sampling=changed(request.sampling, stop=stops))


def thinks(request: ChatRequest) -> bool | None:
    """Did the client ask for thinking? None: it did not say. In Anthropic's own words an effort alone says nothing of it:
    there it is the length of the answer."""
    reasoning = request.reasoning
    if reasoning is not None and reasoning.mode is None and request.dialect == _ANTHROPIC:
        return None
    return wanted(reasoning)


def _thinking(request: ChatRequest) -> Json:
    want = thinks(request)
    return None if want is None else "on" if want else "off"


def _put_thinking(request: ChatRequest, value: Json) -> ChatRequest:
    old = request.reasoning or Reasoning()
    if value is None:
        return changed(request, reasoning=None)
    if value == "off":
        return changed(request, reasoning=Reasoning(mode="off", replay=old.replay))
    if thinks(request):
        return request
    budget, effort = old.budget_tokens or None, None if old.effort == "none" else old.effort
    return changed(request, reasoning=changed(old, mode="on", budget_tokens=budget, effort=effort))


def _reasoned(name: str) -> Callable[[ChatRequest], Json]:
    return lambda request: None if request.reasoning is None else getattr(request.reasoning, name)


def _budget(request: ChatRequest) -> Json:
    """A number of tokens, or 0 for off. "As you like" is no number."""
    budget = None if request.reasoning is None else request.reasoning.budget_tokens
    return None if budget == DYNAMIC else budget


def _put_reasoned(name: str) -> Callable[[ChatRequest, Json], ChatRequest]:
    """One of the three ways to say how much; another that the client used instead gives way to a new value."""

    def put(request: ChatRequest, value: Json) -> ChatRequest:
        old = request.reasoning or Reasoning()
        ways: dict[str, Json] = (
            {} if value is None else {"effort": None, "budget_tokens": None, "level": None}
        )
        mode = None if value is not None and old.mode == "off" else old.mode
        return changed(request, reasoning=changed(old, **{**ways, name: value, "mode": mode}))

    return put


def _format(request: ChatRequest) -> Json:
    return None if request.output is None or request.output.kind == "text" else request.output.kind


def _put_format(request: ChatRequest, value: Json) -> ChatRequest:
    if value is None:
        return changed(request, output=None)
    old = request.output or OutputFormat()
    return changed(request, output=changed(old, kind=value))


def _system(request: ChatRequest) -> Json:
    roles = [turn.role for turn in request.turns if turn.role == "system"]
    return "system" if request.system or roles else None


def _put_system(request: ChatRequest, value: Json) -> ChatRequest:
    """What stands before the conversation takes its role from Caps, which the profile narrows to the same word."""
    role = "developer" if value is None else value
    turns = tuple(changed(turn, role=role) if turn.role == "system" else turn for turn in request.turns)
    return changed(request, turns=turns)


def _identity(name: str, **members: tuple[str, ...]) -> Setting:
    return Setting(
        name=name,
        said=lambda request: getattr(request.identity, name),
        put=lambda request, value: changed(request, identity=changed(request.identity, **{name: value})),
        members=members,
        own=_without(members, _ANTHROPIC, _GEMINI),
    )


_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SWITCH = ("on", "off")
_FORMS = ("text", "json_object", "json_schema")
_LEVELS = ("minimal", "low", "medium", "high", "xhigh")

_TABLE: tuple[Setting, ...] = (
    _sampling("temperature", openai_chat="temperature", openai_responses="temperature", anthropic="temperature",
              gemini="generationConfig.temperature"),
    _sampling("top_p", openai_chat="top_p", openai_responses="top_p", anthropic="top_p", gemini="generationConfig.topP"),
    _sampling("top_k", openai_chat="top_k", anthropic="top_k", gemini="generationConfig.topK"),
    _sampling("frequency_penalty", openai_chat="frequency_penalty", gemini="generationConfig.frequencyPenalty"),
    _sampling("presence_penalty", openai_chat="presence_penalty", gemini="generationConfig.presencePenalty"),
    _sampling("logit_bias", openai_chat="logit_bias"),
    _sampling("seed", openai_chat="seed", gemini="generationConfig.seed"),
    _sampling("n", openai_chat="n", gemini="generationConfig.candidateCount"),
    _sampling("logprobs", openai_chat="logprobs", gemini="generationConfig.responseLogprobs"),
    _sampling("top_logprobs", openai_chat="top_logprobs", openai_responses="top_logprobs",
              gemini="generationConfig.logprobs"),
    _sampling("max_tokens", openai_chat=("max_tokens", "max_completion_tokens"), openai_responses="max_output_tokens",
              anthropic="max_tokens", gemini="generationConfig.maxOutputTokens"),
    changed(_sampling("stop", openai_chat="stop", anthropic="stop_sequences", gemini="generationConfig.stopSequences"),
            put=_stop),
    Setting(name="thinking", said=_thinking, put=_put_thinking, members=_THINKING, words=_SWITCH),
    Setting(name="thinking_budget", said=_budget, put=_put_reasoned("budget_tokens"),
            members=_THINKING),
    Setting(name="thinking_level", said=_reasoned("level"), put=_put_reasoned("level"), members=_THINKING,
            ordered=_LEVELS),
    Setting(name="reasoning_effort", said=_reasoned("effort"), put=_put_reasoned("effort"), members=_THINKING,
            own={_CHAT: ("reasoning_effort",)}, ordered=_EFFORTS),
    Setting(name="response_format", said=_format, put=_put_format, words=_FORMS,
            members={_CHAT: ("response_format",), _RESPONSES: ("text",), _ANTHROPIC: ("output_config", "output_format"),
                     _GEMINI: ("generationConfig.responseMimeType", "generationConfig.responseSchema",
                               "generationConfig.responseJsonSchema")}),
    Setting(name="system", said=_system, put=_put_system,
            members={_CHAT: ("messages",), _RESPONSES: ("input",)}),
    Setting(name="safety_settings", said=lambda request: request.safety,
            put=lambda request, value: changed(request, safety=value),
            members={_GEMINI: ("safetySettings", "safety_settings")}, own={_GEMINI: ("safetySettings", "safety_settings")}),
    Setting(name="service_tier", said=lambda request: request.service_tier,
            put=lambda request, value: changed(request, service_tier=value),
            members={_CHAT: ("service_tier",), _RESPONSES: ("service_tier",), _ANTHROPIC: ("service_tier",),
                     _GEMINI: ("serviceTier",)}, own={_CHAT: ("service_tier",), _RESPONSES: ("service_tier",)}),
    _identity("user", openai_chat=("user",), openai_responses=("user",), anthropic=("metadata",)),
    _identity("metadata", openai_chat=("metadata",), openai_responses=("metadata",), gemini=("labels",)),
    Setting(name="endpoint", said=lambda request: request.dialect, put=lambda request, _: request, members={}),
)  # fmt: skip

SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _TABLE}
"""Every setting by its name. `endpoint` is the dialect that the client speaks: always said, and never changed."""

MEMBERS_ONLY = "extra."
"""`extra.NAME` is a top-level member that only a dialect knows."""


def setting(name: str) -> Setting:
    """Raises: KeyError: there is none of this name."""
    if name.startswith(MEMBERS_ONLY) and len(name) > len(MEMBERS_ONLY):
        return _extra(name)
    return SETTINGS[name]


def _extra(name: str) -> Setting:
    member = name.removeprefix(MEMBERS_ONLY)
    dialects = (_CHAT, _TEXT, _RESPONSES, _ANTHROPIC, _GEMINI)

    return Setting(
        name=name,
        said=lambda request: request.extra.get(request.dialect, {}).get(member),
        put=lambda request, value: with_member(request, request.dialect, member, value),
        members=dict.fromkeys(dialects, (member,)),
        own=dict.fromkeys(dialects, (member,)),
    )


def with_member(request: ChatRequest, dialect: str, member: str, value: Json) -> ChatRequest:
    """The request with a top-level member that only `dialect` knows; None: without it."""
    own = {key: old for key, old in request.extra.get(dialect, {}).items() if key != member}
    if value is not None:
        own[member] = value
    return changed(request, extra={**request.extra, dialect: own})


def effort_for(value: Json) -> Effort | None:
    """A thinking budget as the effort it stands for; None where it stands for none."""
    return effort_of_budget(value) if isinstance(value, int) else None
