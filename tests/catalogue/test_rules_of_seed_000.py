"""Every rule of seed document 000 (§1.8, §2.7, §3.7, §4.7 and the tables above them), in every dialect that can express it.

Through the gateway, to the strict stand-in of the model's own vendor. `keeps` is what must have reached it: a path in its
body and the value there, `GONE` for a member that must not be there. `refused` is what the 400 says, when nothing may
reach it. A note must name what was changed, and nothing else may be noted of the settings.
"""

from typing import Any, NamedTuple

import pytest

from catalogue.houses import SAFETY
from catalogue.spelled import DIALECTS, can_say, error_of, found, question, with_picture
from catalogue.test_family import OF_SEED_000
from stand import KEY, Reply, connection
from standing import House

GONE = object()
THINKS = "thinking.type"
EFFORT = "output_config.effort"
BUDGET = "thinking.budget_tokens"
LEVEL = "generationConfig.thinkingConfig"


class Case(NamedTuple):
    """One rule: where it stands, a model, what the client sets, and what must come of it."""

    place: str
    model: str
    says: dict[str, Any]
    keeps: dict[str, Any] = {}
    noted: str = ""
    refused: str = ""
    system: bool = False
    only: tuple[str, ...] = DIALECTS
    answer: str = ""  # what the stand-in is to answer, where it cannot tell from the prompt


OPUS, SONNET, GPT = "Claude-Opus-4.7", "Claude-Sonnet-4.6", "GPT-5.5"
SAMPLED = {"temperature": 0.5, "top_p": 0.5}
NO_SAMPLING = {"temperature": GONE, "top_p": GONE, "top_k": GONE}
CLIENTS = ("openai_chat", "openai_responses", "anthropic")  # who say an effort

RULES = (
    # §1.8 Gemini
    Case("1.8.2 level and budget", "Gemini-3.1-Pro", {"thinking_level": "high", "thinking_budget": 2048}, refused="thinking_budget"),
    Case("1.8.2 level and budget, both Google's", "Gemini-3.1-Pro", {"thinking_level": "high", "google_budget": 2048}, refused="thinking_budget"),
    Case("1.3 levels", "Gemini-3.1-Pro", {"thinking_level": "medium"}, {LEVEL + ".thinkingLevel": ("MEDIUM", "medium")}),
    Case("1.7 effort as level", "Gemini-3.1-Pro", {"reasoning_effort": "low"}, {LEVEL + ".thinkingLevel": "LOW"}),
    Case("1.7 no level above high", "Gemini-3.1-Pro", {"thinking_level": "xhigh"}, {LEVEL + ".thinkingLevel": ("HIGH", "high")}, "thinking_level"),
    Case("1.8.2 flash: level", "Gemini-3.1-Flash", {"thinking_level": "high"}, {LEVEL: GONE}, "this model does not think"),
    Case("1.8.2 flash: budget", "Gemini-3.1-Flash", {"thinking_budget": 2048}, {LEVEL: GONE}, "this model does not think"),
    Case("1.8.2 flash: effort", "Gemini-3.1-Flash", {"reasoning_effort": "high"}, {LEVEL: GONE}, "this model does not think"),
    Case("1.3 budget", "Gemini-3.5-Flash", {"thinking_budget": 2048}, {LEVEL + ".thinkingBudget": 2048}),
    Case("1.8.5 safety: the caller's own", "safe", {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]},
         {"safetySettings": [{"category": name, "threshold": level} for name, level in SAFETY.items()]}, "safety_settings"),
    Case("1.8.5 safety: nothing said", "safe", {}, {"safetySettings": [{"category": name, "threshold": level} for name, level in SAFETY.items()]}),
    # §2.7 Claude
    Case("2.7.2 opus 4.7 thinks", OPUS, {**SAMPLED, "reasoning_effort": "high"}, NO_SAMPLING | {EFFORT: "high"}, "temperature"),
    Case("2.7.2 opus 4.7 thinks: level", OPUS, {**SAMPLED, "thinking_level": "high"}, NO_SAMPLING | {THINKS: "adaptive", EFFORT: "high"}, "temperature"),
    Case("2.7.2 opus 4.7 thinks: adaptive", OPUS, {**SAMPLED, "top_k": 5, "adaptive": True}, NO_SAMPLING | {THINKS: "adaptive"}, "top_k"),
    Case("2.7.2 opus 4.7 thinks: budget", OPUS, {**SAMPLED, "top_k": 5, "thinking_budget": 2048},
         NO_SAMPLING | {THINKS: "adaptive", EFFORT: "medium", BUDGET: GONE}, "top_k"),
    Case("2.7.2 opus 4.7 does not think", OPUS, {**SAMPLED, "top_k": 5}, NO_SAMPLING | {THINKS: GONE}, "top_p"),
    Case("2.7.2 opus 4.8", "Claude-Opus-4.8", {**SAMPLED, "thinking_budget": 2048}, NO_SAMPLING | {THINKS: "adaptive"}, "temperature"),
    Case("2.7.2 fable 5", "Claude-Fable-5", {**SAMPLED, "thinking_budget": 2048}, NO_SAMPLING | {THINKS: "adaptive"}, "temperature"),
    Case("2.7.2 opus 4.7 thinks hardest", OPUS, {"reasoning_effort": "xhigh"}, {EFFORT: "xhigh"}, only=CLIENTS),
    Case("2.7.2 what is nested in extra_body", OPUS, {"nested_temperature": 0.5}, NO_SAMPLING, "temperature"),
    Case("2.7.3 budget too small", SONNET, {"thinking_budget": 1023}, refused="1024"),
    Case("2.7.3 budget not below max_tokens", SONNET, {"thinking_budget": 2048, "max_tokens": 2048}, refused="max_tokens"),
    Case("2.7.3 budget too small, opus 4.7", OPUS, {"thinking_budget": 100}, refused="1024"),
    Case("2.7.3 the smallest budget", SONNET, {"thinking_budget": 1024}, {BUDGET: 1024}),
    Case("2.3 low", SONNET, {"reasoning_effort": "low"}, {BUDGET: 1280}, only=("openai_chat", "openai_responses")),
    Case("2.3 medium", "Claude-Opus-4.6", {"reasoning_effort": "medium"}, {BUDGET: 2048}, only=("openai_chat", "openai_responses")),
    Case("2.3 high", "Claude-Opus-4.6", {"reasoning_effort": "high"}, {BUDGET: 4096}, only=("openai_chat", "openai_responses")),
    Case("2.3 temperature range", SONNET, {"temperature": 1.5}, {"temperature": 1.0}, "temperature"),
    Case("2.7.2 a thinking sonnet", SONNET, {**SAMPLED, "thinking_budget": 2048}, {"temperature": GONE, "top_p": 0.95, BUDGET: 2048}, "temperature"),
    # §3.7 GPT
    Case("3.7.2 none", GPT, {"reasoning_effort": "none"}, {"reasoning_effort": "none"}, only=CLIENTS),
    Case("3.7.2 xhigh", GPT, {"reasoning_effort": "xhigh"}, {"reasoning_effort": "xhigh"}, only=CLIENTS),
    Case("3.7.2 not every level", "GPT-5.4-Pro", {"reasoning_effort": "low"}, {"reasoning_effort": "medium"}, "reasoning_effort", only=CLIENTS),
    Case("3.6 mini does not reason", "GPT-5.4-Mini", {"reasoning_effort": "high"}, {"reasoning_effort": GONE}, "this model does not think", only=CLIENTS),
    Case("3.6 nano does not reason", "GPT-5.4-Nano", {"thinking_level": "high"}, {"reasoning_effort": GONE}, "this model does not think"),
    Case("3.7.4 max_tokens", GPT, {"max_tokens": 77}, {"max_completion_tokens": 77, "max_tokens": GONE}),
    Case("3.7.6 json_schema", GPT, {"json_schema": True}, {"response_format.type": ("json_object", GONE)}, "response_format",
         answer='{"a": "b"}'),
    Case("3.3 sampling of a reasoning model", GPT, SAMPLED, {"temperature": GONE, "top_p": GONE}, "temperature"),
    Case("3.1 high performance", "GPT-5.5-High", {}, {"reasoning_effort": "high"}, "reasoning_effort"),
    Case("3.1 high performance, told otherwise", "GPT-5.5-High", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}, only=CLIENTS),
    Case("3.2 only where offered", "chat-only", {}, refused="/v1/chat/completions or /v1/messages", only=("openai_responses", "gemini")),
    Case("3.2 where it is offered", "chat-only", {}, {"model": "gpt-5.5"}, only=("openai_chat", "anthropic")),
    # §4.7 Grok
    Case("4.6 fast does not reason", "Grok-4.1-Fast", {"reasoning_effort": "high"}, {"reasoning_effort": GONE}, "this model does not think", only=CLIENTS),
    Case("4.3 reasoning", "Grok-4.1-Fast-Reasoning", {"reasoning_effort": "medium"}, {"reasoning_effort": "medium"}, only=CLIENTS),
    Case("4.3 no effort above high", "Grok-4.1-Fast-Reasoning", {"reasoning_effort": "xhigh"}, {"reasoning_effort": "high"}, "reasoning_effort", only=CLIENTS),
    # seed 003, of the o-series
    Case("003 sampling", "o1-preview", SAMPLED, {"temperature": GONE, "top_p": GONE}, "temperature"),
    Case("003 penalties", "o1-preview", {"frequency_penalty": 0.5, "presence_penalty": 0.5},
         {"frequency_penalty": GONE, "presence_penalty": GONE}, "frequency_penalty"),
    Case("003 system", "o1-preview", {}, {"messages.0.role": "developer"}, system=True, only=("openai_chat", "anthropic", "gemini")),
)  # fmt: skip

UNKNOWN = tuple(
    Case("B1 unknown field", model, {"unknown": 1}, noted="unknown")
    for model in (SONNET, GPT, "Gemini-3.1-Pro", "Grok-4.1-Fast")
)
EVERYWHERE = tuple(
    (case, dialect) for case in (*RULES, *UNKNOWN) for dialect in case.only if can_say(dialect, case.says)
)
EVERYWHERE_COUNT = 144


def named(case_and_dialect: tuple[Case, str]) -> str:
    case, dialect = case_and_dialect
    return f"{case.place}, {case.model}, {dialect}"


def test_every_rule_is_counted() -> None:
    assert len(EVERYWHERE) == EVERYWHERE_COUNT
    assert len({named(one) for one in EVERYWHERE}) == EVERYWHERE_COUNT
    assert all(any(case is one for one, _ in EVERYWHERE) for case in RULES)


@pytest.mark.parametrize("case_and_dialect", EVERYWHERE, ids=named)
async def test_the_rule_is_kept(families_house: House, case_and_dialect: tuple[Case, str]) -> None:
    case, dialect = case_and_dialect
    before = families_house.sim.ledger.lines[-1:]
    if case.answer:
        families_house.sim.script(f"text='{case.answer}'")
    reply = await _asked(families_house, case, dialect)
    if case.refused:
        assert reply.status == 400, reply.body
        assert case.refused in error_of(dialect, reply.json)[1]
        assert families_house.sim.ledger.lines[-1:] == before, "nothing is sent upstream"
        return
    assert reply.status == 200, reply.body
    notes = reply.headers.get("x-allgate-notes", "")
    assert case.noted in notes if case.noted else not _on_settings(notes, case), notes
    families_house.sim.wait_for(lambda line: line.done and line is families_house.sim.ledger.last)
    sent = families_house.sim.ledger.body(families_house.sim.ledger.last)
    for path, value in case.keeps.items():
        _check(sent, path, value)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("model", OF_SEED_000)
async def test_names_are_case_sensitive(families_house: House, model: str, dialect: str) -> None:
    """§1.8.1, §2.7.1, §3.7.1, §4.7.1."""
    reply = await _asked(families_house, Case("", model.lower(), {}), dialect)
    assert reply.status == 404
    assert f"The model '{model.lower()}' does not exist" in error_of(dialect, reply.json)[1]


# §1.4 and §1.8.6, §2.3: a family's list of picture types, and a picture of the other's
GIF = ("image/gif", "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
HEIC = ("image/heic", "AAAAGGZ0eXBoZWljAAAAAG1pZjFoZWlj")
PICTURES = (("Gemini-3.5-Flash", GIF, "image/heic"), (SONNET, HEIC, "image/gif"))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("model", "picture", "instead"), PICTURES)
async def test_a_picture_of_a_type_that_the_family_does_not_take_is_refused(
    families_house: House, model: str, picture: tuple[str, str], instead: str, dialect: str
) -> None:
    before = families_house.sim.ledger.lines[-1:]
    path, body = with_picture(dialect, model, *picture)
    async with connection(families_house.url) as line:
        await line.send(path, body, {"anthropic-version": "2023-06-01"})
        reply = await line.read()
    assert reply.status == 400, reply.body
    assert instead in error_of(dialect, reply.json)[1]
    assert families_house.sim.ledger.lines[-1:] == before, "nothing is sent upstream"


async def _asked(house: House, case: Case, dialect: str) -> Reply:
    path, body = question(dialect, case.model, case.says, system=case.system)
    async with connection(house.url) as line:
        await line.send(path, body, {"authorization": f"Bearer {KEY}", "anthropic-version": "2023-06-01"})
        return await line.read()


def _on_settings(notes: str, case: Case) -> bool:
    """Is one of the settings of the case spoken of?"""
    return any(f" {name} " in notes for name in case.says)


def _check(sent: Any, path: str, value: Any) -> None:
    if path.startswith("messages.0."):
        assert found(sent["messages"][0], path.removeprefix("messages.0.")) == value
        return
    told = found(_in_chats_words(sent), path)
    wanted = value if isinstance(value, tuple) else (value,)
    assert (GONE if told is None else told) in wanted, sent


def _in_chats_words(sent: dict[str, Any]) -> dict[str, Any]:
    """OpenAI is asked in the dialect that fits; what Responses says in other words is said here as chat does."""
    if "input" not in sent:
        return sent
    renamed = {**sent, "reasoning_effort": found(sent, "reasoning.effort")}
    renamed["max_completion_tokens"] = sent.get("max_output_tokens")
    renamed["response_format"] = found(sent, "text.format")
    return renamed
