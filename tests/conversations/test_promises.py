"""What the notes promise is what the client gets: stop sequences, several answers, and JSON where a vendor has no schema."""

import json
import re
from itertools import product

import anthropic
import openai
import pytest
from google.genai import errors as genai_errors

from conversations.questions import Wish, ask
from conversations.talkers import sdks
from conversations.vendors import CLIENTS, VENDORS, standing
from stand import KEY

STOPPING = [client for client in CLIENTS if client != "openai_responses"]  # Responses has no such field
REFUSALS = (openai.BadRequestError, anthropic.BadRequestError, genai_errors.ClientError)
FINISH = {"openai_chat": "stop", "anthropic": "stop_sequence", "gemini": "STOP"}
MATCHED = "converted stop (matched in the answer by the gateway)"
BEYOND = {
    "openai_chat": (("openai_chat", "the sixth"),),
    "anthropic": (("anthropic", "a line end"),),
    "gemini": (("gemini", "the sixth"),),
}
"""What a vendor refuses from its own clients, word for word."""
ASKED = {"openai_chat": 2 * (21 - 2), "anthropic": 2 * (21 - 3), "gemini": 2 * (21 - 3)}
ALONE = {"openai_chat": ("gpt-responses", "claude-sonnet", "claude-opus")}
ALONE["gemini"] = (*ALONE["openai_chat"], "deepseek")  # which hears of it from its own clients
NOTES = {
    "deepseek": "converted response_format (the schema is asked for in words)",
    "plain-claude": "converted output (asked for through a tool)",
}
WITH_TOOLS = NOTES | {"gemini-2.5": "converted response_format (told as an instruction)"}
EVERYONE = {name: (name,) for name in VENDORS}
SAID_IN_WORDS = 'text=\'```json\n{"city": "Paris", "people": 2}\n```\''
"""What a model says that is asked for JSON in words: right, and in a fence."""


@pytest.mark.parametrize("client", STOPPING)
async def test_an_answer_ends_before_its_stop_sequence(client: str, subtests: pytest.Subtests) -> None:
    """Where the vendor has none, or no more, or none of white space, the gateway finds them in the answer."""
    wishes = {
        "one": (Wish("say one END two", stop=("END",)), "You said: say one ", "END"),
        "a line end": (Wish("say one\nand two", stop=("\n",)), "You said: say one", "\n"),
        "the sixth": (Wish("say one F two", stop=("A", "B", "C", "D", "E", "F")), "You said: say one ", "F"),
    }
    asked = 0
    async with standing(EVERYONE) as s, sdks(s.gateway.url, KEY) as clients:
        for name, stream, (case, (wish, text, stop)) in product(VENDORS, (False, True), wishes.items()):
            if (VENDORS[name].dialect, case) in BEYOND.get(client, ()) or (name, case) == (
                "deepseek",
                "the sixth",
            ):
                continue
            with subtests.test(vendor=name, stream=stream, case=case):
                said = await ask(clients, client, name, wish, stream=stream)
                assert said.texts[0].rstrip() == text.rstrip()
                sent = _sent_stops(s.sim.ledger.body(s.sim.ledger.last))
                assert (MATCHED in s.rows[-1].notes) == (not set(wish.stop) <= set(sent))
                if (
                    stop not in sent or VENDORS[name].dialect == "anthropic"
                ):  # others do not say which one they met
                    assert said.finish == FINISH[client]
                    assert said.stop == (stop if client == "anthropic" else None)
                asked += 1
    assert asked == ASKED[client]


@pytest.mark.parametrize("client", ["openai_chat", "gemini"])
async def test_two_answers_are_two_or_a_clear_400(client: str, subtests: pytest.Subtests) -> None:
    """Chat and Gemini give several; Responses and Messages cannot, and saying less than was asked would be a lie."""
    async with standing(EVERYONE) as s, sdks(s.gateway.url, KEY) as clients:
        for name, stream in product(VENDORS, (False, True)):
            with subtests.test(vendor=name, stream=stream):
                wish = Wish("hello", n=2)
                if name in ALONE[client]:
                    with pytest.raises(REFUSALS) as caught:
                        await ask(clients, client, name, wish, stream=stream)
                    assert re.search("one answer|one choice|at most 1", str(caught.value))
                else:
                    said = await ask(clients, client, name, wish, stream=stream)
                    assert said.texts == ("You said: hello", "You said: hello (choice 1)")


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_answer_in_json_is_json(client: str, subtests: pytest.Subtests) -> None:
    """By the vendor's own means where it has them, through a tool that nobody sees, or asked for in words."""
    rows = EVERYONE | {"plain-claude": ("plain-claude",)}
    wish = Wish("Where is it, and how many people live there? Answer in JSON.", schema=True)
    async with standing(rows) as s, sdks(s.gateway.url, KEY) as clients:
        for name, stream in product(rows, (False, True)):
            with subtests.test(vendor=name, stream=stream):
                if name == "deepseek":
                    s.sim.script(SAID_IN_WORDS)
                said = await ask(clients, client, name, wish, stream=stream)
                found, note = json.loads(said.texts[0]), NOTES.get(name, "")
                assert sorted(found) == ["city", "people"]
                assert note in s.rows[-1].notes
                assert said.finish in ("stop", "completed", "end_turn", "STOP")


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_schema_stands_beside_tools_or_is_told_in_words(
    client: str, subtests: pytest.Subtests
) -> None:
    """Gemini 2.5 takes no schema beside functions; a Claude without schemas gives its JSON through one more tool."""
    rows = EVERYONE | {"plain-claude": ("plain-claude",)}
    wish = Wish("Where is it? Give it as JSON.", schema=True, tool=True)
    async with standing(rows) as s, sdks(s.gateway.url, KEY) as clients:
        for name, stream in product(rows, (False, True)):
            with subtests.test(vendor=name, stream=stream):
                if (client, name) == ("gemini", "gemini-2.5"):
                    continue  # its own client asks it for what it has not: Google's 400 says so
                if name in ("deepseek", "gemini-2.5"):
                    s.sim.script(SAID_IN_WORDS)
                said = await ask(clients, client, name, wish, stream=stream)
                assert WITH_TOOLS.get(name, "") in s.rows[-1].notes
                assert sorted(json.loads(said.texts[0])) == ["city", "people"]


def _sent_stops(body: dict) -> list[str]:
    config = body.get("generationConfig") or {}
    return body.get("stop") or body.get("stop_sequences") or config.get("stopSequences") or []
