"""Which requests are still passed through when a model has rules: those that no rule changes, or only in members of their own."""

import json
from typing import Any

import pytest

from allgate.admin.rows import DeploymentRow, ModelRow, PriceRow, UpstreamRow
from allgate.catalogue.asked import examined
from allgate.catalogue.rows import RuleRow
from allgate.core.errors import WireError
from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.dialects import CHAT_DIALECTS
from allgate.routing.catalogue import Model
from allgate.routing.plan import Candidate, plan
from allgate.wire.message import WireRequest
from catalogue.spelled import question
from wiring.served import DECLARED, served

VENDORS = {"claude": "anthropic", "gpt": "openai", "o1": "openai", "gemini": "gemini", "grok": "xai"}


def model(
    family: str, *, rules: tuple[RuleRow, ...] = (), second: tuple[RuleRow, ...] | None = None
) -> Model:
    upstreams = tuple(
        UpstreamRow(name=name, provider=name, credentials=(Secret("k"),)) for name in set(VENDORS.values())
    )
    at = VENDORS[family.split("-")[0]]
    places = [DeploymentRow(upstream=at, rules=rules)]
    if second is not None:
        places.append(DeploymentRow(upstream=at, rules=second, priority=1))
    row = ModelRow(name="M", family=family, deployments=tuple(places), price=PriceRow(input="1", output="1"))
    return served(changed(DECLARED, upstreams=upstreams, models=(row,))).catalogue.models["M"]


def candidates(
    found: Model, dialect: str, says: dict[str, Any], *, system: bool = False
) -> tuple[Candidate, ...]:
    path, body = question(dialect, "M", says, system=system)
    wire = WireRequest(method="POST", path=path, body=json.dumps(body).encode())
    head = examined(CHAT_DIALECTS[dialect].read_head(wire), wire, CHAT_DIALECTS[dialect], found.glances)
    return plan(found, head, dialect, 0.0)


CASES = (
    ("claude-opus-4-7", "anthropic", {}, (), ""),
    ("claude-opus-4-7", "anthropic", {"temperature": 1, "top_p": 1, "adaptive": True}, ("temperature", "top_p"), ""),
    ("claude-opus-4-7", "anthropic", {"thinking_budget": 2048}, ("thinking_budget",), "thinking_budget"),
    ("claude-sonnet-4-6", "anthropic", {"thinking_budget": 2048}, (), ""),
    ("claude-sonnet-4-6", "anthropic", {"max_tokens": 100_000}, ("max_tokens",), ""),
    ("gpt-5.5", "openai_chat", {"temperature": 1}, ("temperature",), ""),
    ("gpt-5.5", "openai_chat", {"reasoning_effort": "minimal"}, ("reasoning_effort",), ""),
    ("gpt-5.5", "openai_responses", {"temperature": 1}, ("temperature",), ""),
    ("gpt-5.5", "openai_responses", {"reasoning_effort": "high"}, (), ""),
    ("gpt-5.5", "openai_responses", {"reasoning_effort": "minimal"}, ("reasoning_effort",), "reasoning_effort"),
    ("gpt-5.5-high", "openai_chat", {}, ("reasoning_effort",), ""),
    ("gemini-3.1-pro", "gemini", {"thinking_level": "high", "temperature": 1}, (), ""),
    ("gemini-3.1-flash", "gemini", {"thinking_level": "high"}, ("thinking",), "thinking"),
    ("grok-4.1-fast-reasoning", "openai_chat", {"reasoning_effort": "xhigh"}, ("reasoning_effort",), ""),
)  # fmt: skip


@pytest.mark.parametrize(("family", "dialect", "says", "edits", "in_the_way"), CASES)
def test_a_body_is_passed_through_unless_a_rule_changes_more_than_a_member(
    family: str, dialect: str, says: dict[str, Any], edits: tuple[str, ...], in_the_way: str
) -> None:
    (found,) = candidates(model(family), dialect, says)
    assert (() if found.kept is None else tuple(edit.setting for edit in found.kept.edits)) == edits
    assert found.passthrough is (not in_the_way)
    assert found.translated_because == (f"a rule changes {in_the_way}" if in_the_way else "")


@pytest.mark.parametrize(("system", "passed"), [(True, False), (False, True)])
def test_a_role_is_changed_only_where_it_stands(system: bool, passed: bool) -> None:
    (found,) = candidates(model("o1"), "openai_chat", {}, system=system)
    assert found.passthrough is passed


def test_what_no_rule_is_about_is_not_even_judged() -> None:
    (found,) = candidates(model("gpt-5.5"), "openai_chat", {"seed": 1})
    assert (found.kept, found.passthrough) == (None, True)


REFUSES = (RuleRow(refuse=("seed",), why="w"),)


def test_a_deployment_whose_rule_refuses_gives_way_to_the_next() -> None:
    (found,) = candidates(model("gpt-5.5", rules=REFUSES, second=()), "openai_chat", {"seed": 1})
    assert found.deployment.priority == 1
    assert len(candidates(model("gpt-5.5", rules=REFUSES, second=()), "openai_chat", {})) == 2


def test_a_request_that_every_deployment_refuses_ends_with_the_first_reason() -> None:
    both = model("gpt-5.5", rules=REFUSES, second=(RuleRow(refuse=("seed",), why="v"),))
    with pytest.raises(WireError, match="does not take seed: w"):
        candidates(both, "openai_chat", {"seed": 1})
