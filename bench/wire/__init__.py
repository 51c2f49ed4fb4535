"""The bytes of a benchmark, written by hand: requests as the vendors' clients send them, answers as their servers do.

Each text chunk carries `@` and sixteen digits, which the mock overwrites with the time at which it sends the chunk and
the load client reads when it arrives, whatever the gateway made of the chunk in between (native/mock.c).
"""

from bench.scenarios import Answer, Dialect, Route, Scenario
from bench.wire import anthropic, gemini, openai_chat, openai_responses
from bench.wire.form import WORDS, Request, Wire

INTERVAL_US: dict[Answer, int] = {"unary": 0, "burst": 0, "paced": 25_000}

WIRES: dict[Dialect, Wire] = {
    "openai_chat": openai_chat.WIRE,
    "openai_responses": openai_responses.WIRE,
    "anthropic": anthropic.WIRE,
    "gemini": gemini.WIRE,
}


def request(scenario: Scenario) -> Request:
    """What the client sends for this scenario."""
    prompt = (WORDS * (scenario.prompt_bytes // len(WORDS) + 1))[: scenario.prompt_bytes]
    return WIRES[scenario.client].request(scenario.route.model, prompt, scenario.answer != "unary")


def reply(route: Route) -> bytes:
    """What the mock answers: a JSON body, or the text of an event stream."""
    wire = WIRES[route.upstream]
    return wire.answer if route.answer == "unary" else wire.stream
