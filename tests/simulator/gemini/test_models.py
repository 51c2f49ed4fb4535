"""The generations of Gemini, told apart by name."""

import pytest

from allgate.simulator.gemini.models import LEVELS, traits


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        ("gemini-2.0-flash", {"thinks": False, "takes_ids": False, "levels": ()}),
        ("gemini-2.5-pro", {"budget": (128, 32_768), "can_stop": False, "levels": (), "signatures": False}),
        (
            "gemini-2.5-flash-lite",
            {"budget": (512, 24_576), "can_stop": True, "takes_ids": True, "call_ids": False},
        ),
        ("gemini-3-pro-preview", {"levels": ("LOW", "HIGH"), "signatures": True, "penalties": False}),
        ("gemini-3.5-flash", {"levels": LEVELS[:4], "combines": True, "call_ids": True}),
        ("gemini-flash-latest", {"signatures": True}),
        ("sim-echo", {"levels": LEVELS, "penalties": True}),
    ],
)
def test_a_name_tells_what_the_model_takes(model: str, facts: dict[str, object]):
    found = traits(model)
    assert {name: getattr(found, name) for name in facts} == facts
