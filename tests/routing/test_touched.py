import pytest

from allgate.dialects.contract import Head
from allgate.operations.chat.caps import Caps
from allgate.providers.openai import CHAT_CAPS
from allgate.routing.touched import touched_member


def head(*members: str) -> Head:
    return Head(model="m", fields=frozenset({"model", "messages", *members}))


@pytest.mark.parametrize(
    ("member", "caps"),
    [
        ("temperature", Caps(sampling=False)),
        ("top_p", Caps(sampling=False)),
        ("generationConfig", Caps(sampling=False)),
        ("presence_penalty", Caps(penalties=False)),
        ("frequency_penalty", Caps(penalties=False)),
        ("seed", Caps(seed=False)),
        ("logit_bias", Caps(logit_bias=False)),
        ("top_logprobs", Caps(logprobs=False)),
        ("stop", Caps(stop_max=0)),
        ("reasoning_effort", Caps(thinking="budget")),
        ("response_format", Caps(json_schema="none")),
        ("response_format", Caps(json_schema="subset")),
        ("response_format", Caps(json_object=False)),
        ("generationConfig", Caps(json_schema="none")),
        ("output_config", Caps(json_schema="none")),
        ("output_format", Caps(json_schema="none")),
        ("text", Caps(json_schema="subset")),
    ],
)
def test_a_member_that_the_deployment_does_not_take_is_not_passed_through(member: str, caps: Caps) -> None:
    assert touched_member(head(member), caps) == member
    assert touched_member(head(member), Caps()) is None
    assert touched_member(head(), caps) is None


def test_what_nobody_knows_and_what_openai_takes_is_left_alone() -> None:
    said = ("temperature", "seed", "stop", "logit_bias", "response_format", "reasoning_effort", "temperaure")
    assert touched_member(head(*said), CHAT_CAPS) is None


def test_what_is_borrowed_from_another_vendor_passes_only_where_that_vendor_stands() -> None:
    borrowed = Head(model="m", borrowed=frozenset({"thinking", "thinking_budget"}))
    assert touched_member(borrowed, Caps()) == "thinking"
    assert touched_member(borrowed, Caps(vendor_fields=("thinking",))) == "thinking_budget"
    assert touched_member(borrowed, Caps(vendor_fields=("thinking", "thinking_budget", "top_k"))) is None


def test_earlier_reasoning_passes_only_to_who_wants_it_back() -> None:
    thought = Head(model="m", borrowed=frozenset({"reasoning_content"}))
    assert touched_member(thought, Caps()) == "reasoning_content"
    assert touched_member(thought, Caps(reasoning_replay="all", reasoning_field="reasoning"))
    assert touched_member(thought, Caps(reasoning_replay="last_turn")) is None
