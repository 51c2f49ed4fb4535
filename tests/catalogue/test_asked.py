"""What rules see of a body that is not decoded: the same settings as its whole decoding, and no more than they need."""

import json

import pytest

from allgate.catalogue.asked import examined, glances
from allgate.catalogue.rule import Rule
from allgate.catalogue.settings import SETTINGS, setting
from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.seals import SealBox
from allgate.wire.message import WireRequest
from catalogue.spelled import DIALECTS, question

SAYS = {
    "openai_chat": {
        "temperature": 0.5,
        "top_p": 0.1,
        "seed": 0,
        "reasoning_effort": "high",
        "json_schema": True,
    },
    "openai_responses": {"temperature": 0.5, "top_p": 0.1, "reasoning_effort": "high", "json_schema": True},
    "anthropic": {"temperature": 0.5, "top_k": 3, "thinking_budget": 2048, "json_schema": True},
    "gemini": {"temperature": 0.5, "top_k": 3, "seed": 0, "thinking_level": "high", "safety_settings": []},
}
EVERY = tuple(Rule(action="clear", settings=(name,)) for name in SETTINGS)
NO_SEALS = SealBox((b"",), "")


def wire(dialect: str, says: dict[str, object], *, long: bool = False) -> WireRequest:
    path, body = question(dialect, "m", says, system=True)
    body["metadata" if dialect != "gemini" else "labels"] = {"user_id": "u"}
    if long:
        body["tools"] = [{"x": "y" * 100_000}]
    return WireRequest(method="POST", path=path, body=json.dumps(body).encode())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_setting_reads_as_in_the_whole_request(dialect: str) -> None:
    one, request = CHAT_DIALECTS[dialect], wire(dialect, SAYS[dialect])
    small = examined(one.read_head(request), request, one, glances(EVERY)).asked
    whole = one.decode_request(request, NO_SEALS)
    assert small is not None
    for name in SETTINGS:
        if name != "system":  # which is looked for only where a role says it
            assert setting(name).said(small) == setting(name).said(whole), name


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_body_that_sets_nothing_of_the_rules_is_not_looked_at(dialect: str) -> None:
    one, request = CHAT_DIALECTS[dialect], wire(dialect, {})
    head = one.read_head(request)
    rules = (
        Rule(action="clear", settings=("temperature", "seed")),
        Rule(action="clear", settings=("max_tokens",), when=("thinking",)),
        Rule(action="refuse", settings=("thinking_level", "thinking_budget"), when=("together",)),
    )
    assert examined(head, request, one, glances(rules)) is head


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_rule_that_sets_looks_at_every_body(dialect: str) -> None:
    one, request = CHAT_DIALECTS[dialect], wire(dialect, {})
    for rule in (
        Rule(action="set", settings=("thinking",), value="on"),
        Rule(action="default", settings=("temperature",), value=1),
        Rule(action="default", settings=("reasoning_effort",), value="high"),
    ):
        assert examined(one.read_head(request), request, one, glances((rule,))).asked is not None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_default_does_not_look_where_the_client_has_said_it(dialect: str) -> None:
    one, request = CHAT_DIALECTS[dialect], wire(dialect, {"temperature": 0})
    head = one.read_head(request)
    assert (
        examined(head, request, one, glances((Rule(action="default", settings=("temperature",), value=1),)))
        is head
    )


def test_what_no_rule_reads_is_not_decoded() -> None:
    """A tool that is none would be an error of the whole request; here it is nobody's business."""
    one, request = CHAT_DIALECTS["openai_chat"], wire("openai_chat", {"temperature": 1}, long=True)
    found = examined(
        one.read_head(wire("openai_chat", {"temperature": 1})),
        request,
        one,
        glances((Rule(action="clear", settings=("temperature",)),)),
    )
    assert found.asked is not None
    assert (found.asked.sampling.temperature, found.asked.tools, len(found.asked.turns)) == (1, (), 1)


def test_a_system_role_is_seen_without_reading_the_messages() -> None:
    one = CHAT_DIALECTS["openai_chat"]
    seen = glances((Rule(action="rename", settings=("system",), value="developer"),))
    for system, said in ((True, "system"), (False, None)):
        path, body = question("openai_chat", "m", {}, system=system)
        request = WireRequest(method="POST", path=path, body=json.dumps(body).encode())
        found = examined(one.read_head(request), request, one, seen).asked
        assert found is not None
        assert SETTINGS["system"].said(found) == said


def test_what_a_client_nests_in_extra_body_counts_as_said() -> None:
    one, request = CHAT_DIALECTS["openai_chat"], wire("openai_chat", {})
    body = json.loads(request.body) | {"extra_body": {"temperature": 0.5}}
    request = WireRequest(method="POST", path=request.path, body=json.dumps(body).encode())
    seen = glances((Rule(action="clear", settings=("temperature",)),))
    found = examined(one.read_head(request), request, one, seen).asked
    assert found is not None
    assert found.sampling.temperature == 0.5


def test_a_dialect_that_cannot_say_a_setting_has_no_rule_about_it() -> None:
    seen = glances((Rule(action="clear", settings=("top_k", "seed"), when=("thinking",)),))
    assert seen["openai_responses"].triggers == ()
    assert len(seen["gemini"].triggers) == 1


@pytest.mark.parametrize(("bound", "looks"), [(8_191, True), (8_192, False)])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_bound_on_the_answer_is_judged_by_the_head(dialect: str, bound: int, looks: bool) -> None:
    one, request = CHAT_DIALECTS[dialect], wire(dialect, {})
    seen = glances((Rule(action="clamp", settings=("max_tokens",), at_most=bound),))
    assert (examined(one.read_head(request), request, one, seen).asked is not None) is looks
