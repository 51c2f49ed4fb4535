import pytest

from allgate.operations.chat.caps import Caps
from allgate.providers.openai import CHAT_CAPS
from allgate.routing.touched import is_touched


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
        ("response_format", Caps(json_schema="none")),
        ("response_format", Caps(json_schema="subset")),
        ("response_format", Caps(json_object=False)),
    ],
)
def test_a_member_that_the_deployment_does_not_take_is_not_passed_through(member: str, caps: Caps) -> None:
    members = frozenset({"model", "messages", member})
    assert is_touched(members, caps)
    assert not is_touched(members, Caps())
    assert not is_touched(frozenset({"model", "messages"}), caps)


def test_what_nobody_knows_and_what_openai_takes_is_left_alone() -> None:
    said = {"temperature", "seed", "stop", "logit_bias", "response_format", "presence_penalty", "temperaure"}
    assert not is_touched(frozenset(said), CHAT_CAPS)
