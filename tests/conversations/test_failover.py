"""A conversation that falls over to another vendor and comes back: each gets its own seals again, and never another's.

Two vendors serve one model. The first answers, then fails for one request, so that the other answers that one, and so on.
The simulator refuses a seal that is not its own in its own slot, reasoning that it never gave, and calls that should be
signed and are not.
"""

import json
from itertools import permutations, product

import pytest

from conversations.talkers import sdks
from conversations.vendors import CLIENTS, VENDORS, standing
from conversations.words import Result
from stand import KEY, Stand

QUESTION = "What is the weather_lookup in Paris?"
FAMILIES = ("gpt-chat", "deepseek", "gpt-responses", "claude-sonnet", "gemini-3")
PAIRS = {f"{home} or {away}": (home, away) for home, away in permutations(FAMILIES, 2)}
MENDED = "Expected `thinking` or `redacted_thinking`"
"""What Anthropic says once of a call of OpenAI's, which shows no thinking and bears no mark: the gateway then translates
what it passed through."""
ENVELOPE = "QUdTTDE6"  # how our own seal of a foreign seal begins


@pytest.mark.parametrize("client", CLIENTS)
async def test_seals_find_their_way_home(client: str, subtests: pytest.Subtests) -> None:
    course = ("home", "away", "home", "away", "home")
    async with standing(PAIRS) as s, sdks(s.gateway.url, KEY) as clients:
        for model, stream in product(PAIRS, (False, True)):
            with subtests.test(model=model, stream=stream):
                before = len(s.sim.ledger.lines)
                talker = clients.talker(client, model, stream=stream, think=_asked_by(client))
                for number, place in enumerate(course):
                    s.sim.script(*_scenes(place, "echo"))
                    heard = await talker.say(f"Hello for the {number}. time")
                    assert heard.text == f"You said: Hello for the {number}. time"
                _check(s, before, course, PAIRS[model])


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_tool_loop_survives_another_vendor_in_its_middle(
    client: str, subtests: pytest.Subtests
) -> None:
    """The call was one vendor's, its result goes to the other, and the next call of the same turn back to the first."""
    async with standing(PAIRS) as s, sdks(s.gateway.url, KEY) as clients:
        for model, stream in product(PAIRS, (False, True)):
            with subtests.test(model=model, stream=stream):
                before = len(s.sim.ledger.lines)
                talker = clients.talker(client, model, stream=stream, think=_asked_by(client))
                asked = await talker.say(QUESTION)
                again_asked = "calls=1 again=true"
                s.sim.script(*_scenes("away", again_asked))
                if client == "anthropic" and PAIRS[model] == ("gpt-chat", "claude-sonnet"):
                    s.sim.script(again_asked)  # the refused request has taken the first
                again = await talker.answer(asked.calls, [Result("sunny")])
                told = await talker.answer(again.calls, [Result("rainy")])
                assert told.text.endswith("rainy")
                assert "Paris" in again.calls[0].arguments["city"]
                _check(s, before, ("home", "away", "home"), PAIRS[model])


def _asked_by(client: str) -> str:
    return "budget" if client == "anthropic" else "level"


def _scenes(place: str, scene: str) -> tuple[str, ...]:
    """What the next requests meet: the vendor at home fails where the other is to answer."""
    return ("overloaded", scene) if place == "away" else (scene,)


def _check(s: Stand, before: int, course: tuple[str, ...], pair: tuple[str, str]) -> None:
    """The vendors took it in turns, and each one's request held all seals of its own and no envelope."""
    names = dict(zip(("home", "away"), pair, strict=True))
    lines = s.sim.ledger.lines[before:]
    refused = [line.error or "" for line in lines if line.status not in (200, 529)]
    assert all(MENDED in error for error in refused), refused
    assert len(refused) <= (set(pair) == {"gpt-chat", "claude-sonnet"})
    served = [line for line in lines if line.status == 200]
    assert [line.dialect for line in served] == [VENDORS[names[place]].dialect for place in course]
    for number, (line, place) in enumerate(zip(served, course, strict=True)):
        own = course[:number].count(place) if VENDORS[names[place]].seals else 0
        assert line.seals == own, f"request {number} brought {line.seals} seals back, not {own}"
        assert ENVELOPE not in json.dumps(s.sim.ledger.body(line))
