"""Endings of a model's name that say how to think (B10, ruling 6), in every dialect, and the other names of a model."""

from typing import Any

import pytest

from catalogue.spelled import DIALECTS, error_of, found, question
from stand import KEY, Reply, connection
from standing import House

SONNET, SONNET_37, OPUS = "Claude-Sonnet-4.6", "claude-3-7-sonnet-20250219", "Claude-Opus-4.7"
LEVEL = "generationConfig.thinkingConfig.thinkingLevel"
BUDGET = "generationConfig.thinkingConfig.thinkingBudget"

# name asked for, what the client says beside it, where it must be read at the vendor, and what must stand there
SUFFIXES: tuple[tuple[str, dict[str, Any], str, object], ...] = (
    (SONNET_37 + "-thinking", {}, "thinking.type", "enabled"),
    (SONNET + "-thinking", {}, "thinking.budget_tokens", 4096),
    (SONNET + "-low", {}, "thinking.budget_tokens", 1280),
    (SONNET + "-medium", {}, "thinking.budget_tokens", 2048),
    (SONNET + "-high", {}, "thinking.budget_tokens", 4096),
    (SONNET + "-high", {"temperature": 0.5}, "temperature", None),
    (SONNET + "-nothinking", {"reasoning_effort": "high"}, "thinking.budget_tokens", None),
    (OPUS + "-thinking", {}, "thinking.type", "adaptive"),
    (OPUS + "-low", {"reasoning_effort": "high"}, "output_config.effort", "low"),
    ("claude-4.7-opus-low", {}, "output_config.effort", "low"),
    ("GPT-5.5-low", {"reasoning_effort": "high"}, "reasoning_effort", "low"),
    ("GPT-5.5-medium", {}, "reasoning_effort", "medium"),
    ("GPT-5.5-high", {}, "reasoning_effort", "high"),
    ("GPT-5.4-Pro-high", {}, "reasoning_effort", "high"),
    ("o1-preview-low", {}, "reasoning_effort", "low"),
    ("Grok-4.1-Fast-Reasoning-medium", {}, "reasoning_effort", "medium"),
    ("Gemini-3.1-Pro-low", {}, LEVEL, "LOW"),
    ("Gemini-3.1-Pro-high", {"thinking_level": "low"}, LEVEL, "HIGH"),
    ("Gemini-3.5-Flash-thinking", {}, BUDGET, -1),
    ("Gemini-3.5-Flash-nothinking", {"thinking_budget": 2048}, BUDGET, 128),  # the least: it cannot be off
)  # fmt: skip
NOT_THERE = (
    "Claude-Sonnet-4.6-Thinking", "GPT-5.5-thinking", "GPT-5.4-Mini-low", "Gemini-3.1-Flash-thinking", "GPT-5.4-Pro-low",
    "Grok-4.1-Fast-high", "gpt-4o-mini-high", "GPT-5.5-low-low",
)  # fmt: skip
EVERYWHERE = tuple((*row, dialect) for row in SUFFIXES for dialect in DIALECTS)


@pytest.mark.parametrize(("name", "says", "path", "value", "dialect"), EVERYWHERE)
async def test_a_suffix_says_how_to_think(
    families_house: House, name: str, says: dict[str, Any], path: str, value: object, dialect: str
) -> None:
    reply = await _asked(families_house, name, says, dialect)
    assert reply.status == 200, reply.body
    families_house.sim.wait_for(lambda line: line.done and line is families_house.sim.ledger.last)
    sent = families_house.sim.ledger.body(families_house.sim.ledger.last)
    told = found(sent, path)
    if path == "reasoning_effort":
        told = told or found(sent, "reasoning.effort")
    assert told == value, sent


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", NOT_THERE)
async def test_a_suffix_that_the_family_does_not_have_is_no_name(
    families_house: House, name: str, dialect: str
) -> None:
    reply = await _asked(families_house, name, {}, dialect)
    assert reply.status == 404
    assert f"The model '{name}' does not exist" in error_of(dialect, reply.json)[1]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_exact_name_wins_over_a_suffix(families_house: House, dialect: str) -> None:
    """GPT-5.5-High is a model that thinks hard by default; GPT-5.5-high is GPT-5.5, told to."""
    for name, noted in (("GPT-5.5-High", True), ("GPT-5.5-high", False)):
        reply = await _asked(families_house, name, {}, dialect)
        assert ("added reasoning_effort" in reply.headers.get("x-allgate-notes", "")) is noted


async def _asked(house: House, model: str, says: dict[str, Any], dialect: str) -> Reply:
    path, body = question(dialect, model, says)
    async with connection(house.url) as line:
        await line.send(path, body, {"authorization": f"Bearer {KEY}", "anthropic-version": "2023-06-01"})
        return await line.read()
