"""Models: which names exist at which door."""

import pytest

from allgate.simulator.models import LISTED, exists, is_openai, reasons


@pytest.mark.parametrize(
    ("model", "door", "there"),
    [
        ("gpt-5.5", "openai_chat", True),
        ("deepseek-chat", "openai_chat", True),
        ("Qwen/Qwen3-8B", "openai_chat", False),
        ("qwen/qwen3-8b", "openai_chat", True),
        ("claude-sonnet-4-6", "anthropic", True),
        ("Claude-Sonnet-4.6", "anthropic", False),
        ("gpt-5.5", "anthropic", False),
        ("kimi-k2", "anthropic", True),
        ("gemini-3-pro-preview", "gemini", True),
        ("gpt-5.5", "gemini", False),
        ("gpt-nonexistent", "openai_responses", False),
        ("sim-cut,cut=3", "gemini", True),
        ("sim-nosuch", "openai_chat", False),
    ],
)
def test_a_model_exists_where_its_name_belongs(model: str, door: str, there: bool):
    assert exists(model, door) is there


def test_every_listed_model_exists():
    assert all(exists(model, door) for door, models in LISTED.items() for model in models)


def test_families():
    assert is_openai("gpt-4o")
    assert not is_openai("deepseek-chat")
    assert not is_openai("sim-echo")
    assert [reasons(model) for model in ("o3-mini", "gpt-5.5", "gpt-5-chat-latest", "gpt-4o", "deepseek-reasoner")] == [
        True, True, False, False, False,
    ]  # fmt: skip
