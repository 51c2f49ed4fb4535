"""Conversations of several turns, all clients with all vendors: each SDK sends back what it was given, the vendor takes it.

The vendor is the simulator, as strict as the real one: it refuses a signature that is not its own or was altered, results
beside no call, unknown members. So an answered request is already half of the test; the other half is that nothing was
lost on the way: the client hears every result again, and the simulator's ledger counts every seal that came back.
"""

import json
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise, product
from typing import Any

import pytest

from conversations.talkers import sdks
from conversations.vendors import CLIENTS, VENDORS, Behind, standing
from conversations.words import TOOLS, Heard, Result, Talker, base64_text, png
from stand import KEY, Stand

KEPT = "kept_responses"
QUESTION = "What is the weather_lookup in Paris?"
PICTURE = png(7)
ENVELOPE = "QUdTTDE6"  # how our own seal of a foreign seal begins

Conversation = Callable[[Talker, Stand], Awaitable[list[Heard]]]


@pytest.mark.parametrize("client", [*CLIENTS, KEPT])
async def test_conversations_go_on(client: str, subtests: pytest.Subtests) -> None:
    held = 0
    async with standing({name: (name,) for name in VENDORS}) as s, sdks(s.gateway.url, KEY) as clients:
        for name, stream, (conversation, think) in product(VENDORS, (False, True), CONVERSATIONS):
            with subtests.test(vendor=name, stream=stream, conversation=conversation.__name__, think=think):
                behind, before = VENDORS[name], len(s.sim.ledger.lines)
                asked = behind.asked_by(client) if think else ""
                heard = await conversation(clients.talker(client, name, stream=stream, think=asked), s)
                _check_kept(s, before, behind)
                if think:
                    assert [bool(one.thinking) for one in heard] == [behind.shows_to(client)] * len(heard)
                    _check_seals(s, before, behind)
                held += 1
    assert held == len(VENDORS) * 2 * len(CONVERSATIONS)


@pytest.mark.parametrize("client", [*CLIENTS, KEPT])
async def test_hidden_thinking_goes_back_to_its_vendor(client: str) -> None:
    """Claude may encrypt what it thinks: nothing to read, and yet the vendor must have it back."""
    behind = VENDORS["claude-sonnet"]
    async with standing({"m": ("claude-sonnet",)}) as s, sdks(s.gateway.url, KEY) as clients:
        for stream in (False, True):
            before = len(s.sim.ledger.lines)
            talker = clients.talker(client, "m", stream=stream, think=behind.asked_by(client))
            s.sim.script("redacted calls=1", "redacted", "redacted")
            asked = await talker.say(QUESTION)
            heard = [asked, await talker.answer(asked.calls, [Result("sunny")]), await talker.say("And now?")]
            assert [one.thinking for one in heard] == ["", "", ""]
            _check_kept(s, before, behind)
            _check_seals(s, before, behind)


@pytest.mark.parametrize("client", ["openai_responses", "anthropic", "gemini"])
async def test_pictures_in_results_reach_the_vendor(client: str, subtests: pytest.Subtests) -> None:
    """Inside the result where the vendor takes them there, otherwise beside it. Chat's results are text, and DeepSeek is
    blind."""
    seeing = [name for name in VENDORS if name != "deepseek"]
    shown = 0
    async with standing({name: (name,) for name in seeing}) as s, sdks(s.gateway.url, KEY) as clients:
        for name, stream in product(seeing, (False, True)):
            with subtests.test(vendor=name, stream=stream):
                talker = clients.talker(client, name, stream=stream)
                s.sim.script("calls=2", "echo")
                asked = await talker.say(QUESTION)
                await talker.answer(asked.calls, [Result("sunny", picture=PICTURE), Result("many")])
                await talker.say("And now?")
                for line in s.sim.ledger.lines[-2:]:
                    texts = list(_texts(s.sim.ledger.body(line)))
                    assert sum(base64_text(PICTURE) in text for text in texts) == 1
                    assert [texts.count(result) for result in ("sunny", "many")] == [1, 1]
                    shown += 1
    assert shown == len(seeing) * 2 * 2


async def parallel_tools(talker: Talker, s: Stand) -> list[Heard]:
    """Two calls at once, one of which fails; then another question."""
    s.sim.script("calls=2")
    asked = await talker.say(QUESTION)
    assert [call.name for call in asked.calls] == list(TOOLS)
    assert [call.arguments for call in asked.calls] == [{"city": QUESTION}, {"city": f"{QUESTION} 1"}]
    told = await talker.answer(asked.calls, [Result("sunny"), Result("no such city", error=True)])
    assert told.text in (
        "The tools said: sunny | no such city",
        "The tools said: sunny | Error: no such city",
    )
    later = await talker.say("And now?")
    assert (later.text, later.calls) == ("You said: And now?", ())
    return [asked, told, later]


async def same_tool_twice(talker: Talker, s: Stand) -> list[Heard]:
    """Two calls of one tool: results are told apart by their ids alone, or by their order where there are none."""
    s.sim.script("calls=4")
    asked = await talker.say(QUESTION)
    assert [call.name for call in asked.calls] == [*TOOLS, *TOOLS]
    told = await talker.answer(asked.calls, [Result(text) for text in ("one", "two", "three", "four")])
    assert told.text == "The tools said: one | two | three | four"
    return [asked, told]


async def tool_loop(talker: Talker, s: Stand) -> list[Heard]:
    """A call, its result, another call in the same turn, its result, and another question."""
    first = await talker.say(QUESTION)
    s.sim.script("calls=1 again=true")
    second = await talker.answer(first.calls, [Result("sunny")])
    assert [call.name for call in (*first.calls, *second.calls)] == ["weather_lookup", "weather_lookup"]
    told = await talker.answer(second.calls, [Result("rainy")])
    assert told.text in ("The tools said: sunny | rainy", "The tools said: rainy")
    return [first, second, told, await talker.say("And now?")]


async def talk(talker: Talker, _: Stand) -> list[Heard]:
    heard = [await talker.say(text) for text in ("Hello", "How are you?", "Bye")]
    assert [one.text for one in heard] == ["You said: Hello", "You said: How are you?", "You said: Bye"]
    return heard


CONVERSATIONS: tuple[tuple[Conversation, bool], ...] = (
    (parallel_tools, False),
    (same_tool_twice, False),
    (parallel_tools, True),
    (tool_loop, True),
    (talk, True),
)


def _check_kept(s: Stand, before: int, behind: Behind) -> None:
    """Every request was taken, in the vendor's dialect; a longer one begins as the shorter did, or no cache would help."""
    lines = s.sim.ledger.lines[before:]
    assert {(line.dialect, line.status, line.complete) for line in lines} == {(behind.dialect, 200, True)}
    histories = [_history(s.sim.ledger.body(line)) for line in lines]
    for shorter, longer in pairwise(histories):
        assert longer[: len(shorter)] == shorter
    assert ENVELOPE not in json.dumps(histories)


def _check_seals(s: Stand, before: int, behind: Behind) -> None:
    """Each request brought back the seal of every answer before it, verified."""
    if behind.seals:
        lines = s.sim.ledger.lines[before:]
        assert [line.seals for line in lines] == list(range(len(lines)))


def _history(body: dict[str, Any]) -> list[Any]:
    return next(body[name] for name in ("messages", "input", "contents") if name in body)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a body, a JSON object's inside the text of a result too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
