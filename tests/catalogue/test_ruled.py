"""Rules kept on the canonical request: each action, each condition, each bound."""

import pytest

from allgate.catalogue.rule import Rule
from allgate.catalogue.ruled import Edit, ruled
from allgate.core.errors import ErrorKind, WireError
from allgate.core.value import changed
from allgate.operations.chat.notes import added, clamped, converted, dropped
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import ChatRequest, OutputFormat, Reasoning, Sampling, Turn

PLAIN = ChatRequest(dialect="openai_chat", model="m", turns=())
WARM = changed(PLAIN, sampling=Sampling(temperature=1.5, top_p=0.5, max_tokens=2048, stop=("a",)))
THINKING = changed(WARM, reasoning=Reasoning(budget_tokens=4096))


def kept(request: ChatRequest, *rules: Rule, to: str = "anthropic") -> ChatRequest:
    return ruled(request, rules, to).request


def refusal(request: ChatRequest, rule: Rule) -> str:
    with pytest.raises(WireError) as refused:
        ruled(request, (rule,), "anthropic")
    assert refused.value.failure.kind in (ErrorKind.BAD_REQUEST, ErrorKind.UNSUPPORTED)
    return refused.value.failure.message


def test_a_request_without_the_setting_is_the_very_same() -> None:
    rules = (Rule(action="clear", settings=("seed",)), Rule(action="refuse", settings=("n",)))
    found = ruled(WARM, rules, "anthropic")
    assert (found.request is WARM, found.edits, found.notes) == (True, (), ())


def test_what_is_cleared_is_noted() -> None:
    found = ruled(
        WARM, (Rule(action="clear", settings=("temperature", "top_k", "stop"), why="w"),), "anthropic"
    )
    assert found.request.sampling == Sampling(top_p=0.5, max_tokens=2048)
    assert found.edits == (Edit(setting="temperature"), Edit(setting="stop"))
    assert found.notes == (dropped("temperature", "w"), dropped("stop", "w"))


def test_zero_is_said() -> None:
    cold = changed(PLAIN, sampling=Sampling(temperature=0.0))
    assert kept(cold, Rule(action="clear", settings=("temperature",))).sampling == Sampling()


def test_a_number_is_clamped_to_the_nearest_bound() -> None:
    found = ruled(WARM, (Rule(action="clamp", settings=("temperature",), at_most=1, why="w"),), "anthropic")
    assert found.request.sampling.temperature == 1
    assert found.notes == (clamped("temperature", "1.5 is not taken, sent 1: w"),)
    assert kept(WARM, Rule(action="clamp", settings=("top_p",), at_least=0.95)).sampling.top_p == 0.95
    assert kept(WARM, Rule(action="clamp", settings=("top_p",), at_least=0.5)) is WARM


@pytest.mark.parametrize(
    ("said", "among", "sent"),
    [
        ("xhigh", ("low", "high"), "high"),
        ("medium", ("low", "high"), "low"),
        ("minimal", ("none", "low"), "low"),  # little is not nothing
        ("none", ("low", "high"), "low"),
        ("high", ("low", "high"), "high"),
    ],
)
def test_an_effort_goes_to_the_next_lower_word_else_the_next_higher(
    said: str, among: tuple[str, ...], sent: str
) -> None:
    request = changed(PLAIN, reasoning=Reasoning(effort=said))
    rule = Rule(action="clamp", settings=("reasoning_effort",), among=among)
    assert kept(request, rule).reasoning == Reasoning(effort=sent)


def test_a_member_that_only_the_provider_knows_gets_the_value() -> None:
    found = ruled(
        WARM,
        (Rule(action="rename", settings=("max_tokens",), value="extra.max_new_tokens", why="w"),),
        "qwen",
    )
    assert found.request.sampling.max_tokens is None
    assert found.request.extra == {"qwen": {"max_new_tokens": 2048}}
    assert found.notes == (converted("max_tokens", "sent as extra.max_new_tokens: w"),)


def test_a_budget_becomes_the_effort_that_it_stands_for() -> None:
    rule = Rule(action="rename", settings=("thinking_budget",), value="reasoning_effort")
    assert kept(THINKING, rule).reasoning == Reasoning(effort="high")
    dynamic = changed(PLAIN, reasoning=Reasoning(budget_tokens=-1))
    assert kept(dynamic, rule) is dynamic


def test_a_system_turn_changes_its_role() -> None:
    turn = Turn(role="system", parts=(Text(text="be"),))
    found = kept(
        changed(PLAIN, turns=(turn,)), Rule(action="rename", settings=("system",), value="developer")
    )
    assert [one.role for one in found.turns] == ["developer"]


def test_a_value_is_set_and_noted_only_against_the_clients_word() -> None:
    rule = Rule(action="set", settings=("temperature",), value=1, why="w")
    assert ruled(PLAIN, (rule,), "x").notes == ()
    assert ruled(PLAIN, (rule,), "x").edits == (Edit(setting="temperature", value=1),)
    assert ruled(WARM, (rule,), "x").notes == (converted("temperature", "set: w"),)
    assert kept(WARM, rule).sampling.temperature == kept(PLAIN, rule).sampling.temperature == 1


def test_a_default_is_sent_where_nothing_was_said_and_noted() -> None:
    rule = Rule(action="default", settings=("max_tokens",), value=99, why="w")
    assert kept(WARM, rule) is WARM
    found = ruled(PLAIN, (rule,), "x")
    assert (found.request.sampling.max_tokens, found.notes) == (99, (added("max_tokens", "99: w"),))


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule(action="refuse", settings=("stop",), why="w"), "This model does not take stop: w"),
        (Rule(action="refuse", settings=("temperature",), at_most=1), "temperature must be at most 1, got 1.5"),
        (Rule(action="refuse", settings=("thinking_budget",), below="max_tokens"), "less than max_tokens (2048), got 4096"),
        (Rule(action="refuse", settings=("top_p", "temperature"), when=("together",)), "top_p and temperature cannot be used together"),
        (Rule(action="refuse", settings=("endpoint",), among=("gemini",), why="ask elsewhere"), "not offered at /v1/chat/completions: ask elsewhere"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_with_which_value_and_why(rule: Rule, told: str) -> None:
    assert told in refusal(THINKING, rule)


@pytest.mark.parametrize(
    "rule",
    [
        Rule(action="refuse", settings=("temperature",), at_most=2),
        Rule(action="refuse", settings=("endpoint",), among=("openai_chat",)),
        Rule(
            action="refuse", settings=("thinking_budget",), below="n"
        ),  # of what was not said there is no limit
        Rule(action="refuse", settings=("top_p", "seed"), when=("together",)),
        Rule(action="refuse", settings=("top_p",), to=("gemini",)),
    ],
)
def test_what_is_within_the_rule_is_not_refused(rule: Rule) -> None:
    assert kept(THINKING, rule) is THINKING


SAYS_MORE = changed(THINKING, stream=True, betas=("interleaved-thinking-2025-05-14",))


@pytest.mark.parametrize(
    ("request_", "when", "holds"),
    [
        (THINKING, ("thinking",), True),
        (WARM, ("thinking",), False),
        (WARM, ("not thinking",), True),
        (changed(WARM, reasoning=Reasoning(mode="off")), ("thinking",), False),
        (changed(WARM, reasoning=Reasoning(effort="low")), ("thinking",), True),
        # Anthropic's effort is the length of the answer
        (changed(WARM, dialect="anthropic", reasoning=Reasoning(effort="low")), ("thinking",), False),
        (changed(WARM, dialect="anthropic", reasoning=Reasoning(effort="low", mode="adaptive")), ("thinking",), True),
        (SAYS_MORE, ("stream",), True),
        (WARM, ("stream",), False),
        (SAYS_MORE, ("interleaved",), True),
        (SAYS_MORE, ("thinking", "not interleaved"), False),
        (WARM, ("top_p",), True),
        (WARM, ("seed",), False),
        (WARM, ("not seed",), True),
    ],
)  # fmt: skip
def test_all_conditions_must_hold(request_: ChatRequest, when: tuple[str, ...], holds: bool) -> None:
    found = kept(request_, Rule(action="clear", settings=("temperature",), when=when))
    assert (found.sampling.temperature is None) is holds


def test_each_rule_sees_what_the_one_before_left() -> None:
    rules = (
        Rule(action="set", settings=("thinking",), value="on"),
        Rule(action="clear", settings=("temperature",), when=("thinking",)),
        Rule(action="default", settings=("temperature",), value=1),
    )
    found = kept(WARM, *rules)
    assert (found.sampling.temperature, found.reasoning) == (1, Reasoning(mode="on"))


def test_thinking_is_switched_without_losing_how_it_is_shown() -> None:
    on = Rule(action="set", settings=("thinking",), value="on")
    off = Rule(action="set", settings=("thinking",), value="off")
    shown = changed(PLAIN, reasoning=Reasoning(effort="none", show="full"))
    assert kept(shown, on).reasoning == Reasoning(mode="on", show="full")
    assert kept(THINKING, on) is THINKING
    assert kept(THINKING, off).reasoning == Reasoning(mode="off")
    assert kept(THINKING, Rule(action="clear", settings=("thinking",))).reasoning is None


def test_a_member_of_one_dialect_is_a_setting_too() -> None:
    request = changed(PLAIN, extra={"openai_chat": {"enable_search": True, "kept": 1}})
    assert kept(request, Rule(action="clear", settings=("extra.enable_search",))).extra == {
        "openai_chat": {"kept": 1}
    }
    forced = Rule(action="set", settings=("extra.enable_search",), value=True)
    assert kept(PLAIN, forced, to="openai_chat").extra == {"openai_chat": {"enable_search": True}}
    assert kept(PLAIN, forced, to="gemini").extra == {"gemini": {"enable_search": True}}


def test_a_form_of_the_answer_can_be_changed_or_taken_back() -> None:
    request = changed(PLAIN, output=OutputFormat(kind="json_schema", schema={}))
    rule = Rule(action="set", settings=("response_format",), value="json_object")
    assert kept(request, rule).output == OutputFormat(kind="json_object", schema={})
    assert kept(request, Rule(action="clear", settings=("response_format",))).output is None
