"""The generations of Claude, told apart by name."""

import pytest

from allgate.simulator.anthropic.models import EFFORTS, Claude, traits


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        (
            "claude-3-5-haiku-20241022",
            {"budget": False, "adaptive": False, "efforts": (), "output_tokens_max": 8192},
        ),
        (
            "claude-sonnet-4-20250514",
            {"budget": True, "adaptive": False, "prefill": True, "output_tokens_max": 64000},
        ),
        ("claude-opus-4-1-20250805", {"both_temperatures": True, "output_tokens_max": 32000}),
        ("claude-opus-4-5", {"both_temperatures": False, "efforts": ("low", "medium", "high", "max")}),
        ("claude-sonnet-4-6", {"budget": True, "adaptive": True, "prefill": False, "sampling": True}),
        ("claude-opus-4-7", {"budget": False, "sampling": False, "efforts": EFFORTS, "system_turns": False}),
        ("claude-opus-4-8", {"system_turns": True}),
        ("claude-sonnet-5", {"sampling": False, "system_turns": False}),
        ("claude-opus-5-5", {"sampling": False, "system_turns": True, "forced_tools": True}),
        ("claude-fable-5", {"forced_tools": False, "prefill": False}),
        ("kimi-k2", {"signed": False, "merges_roles": False}),
        ("sim-echo", {"sampling": True, "budget": True, "adaptive": True, "system_turns": True}),
    ],
)
def test_a_name_tells_what_the_model_takes(model: str, facts: dict[str, object]):
    found: Claude = traits(model)
    assert {name: getattr(found, name) for name in facts} == facts
