"""Every scene at every door, whole and streamed: none may crash the simulator, and each leaves one finished line.

What the scenes do is tested elsewhere; here they are only crossed, because a scene that works for one vendor is easily
forgotten at the next.
"""

import pytest

from allgate.simulator.in_thread import ThreadedSimulator
from allgate.simulator.scenes import SCENES
from allgate.wire import json
from allgate.wire.json import Json
from simulator.raw_client import RawClient

ENDLESS = {"mute", "silence"}  # the client has to leave
PAUSES = {"paced": "delay_ms=0", "slow": "first_ms=0"}

FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}}
SCHEMA = FUNCTION["parameters"]


def chat(prompt: str, stream: bool) -> tuple[str, Json]:
    tool = {"type": "function", "function": FUNCTION}
    body = {
        "model": "sim-echo",
        "messages": [{"role": "user", "content": prompt}],
        "tools": [tool],
        "stream": stream,
    }
    return "/v1/chat/completions", body


def responses(prompt: str, stream: bool) -> tuple[str, Json]:
    tool = {"type": "function"} | FUNCTION
    return "/v1/responses", {"model": "gpt-5.5", "input": prompt, "tools": [tool], "stream": stream}


def messages(prompt: str, stream: bool) -> tuple[str, Json]:
    tool = {"name": "f", "input_schema": SCHEMA}
    talk = [{"role": "user", "content": prompt}]
    return "/v1/messages", {
        "model": "sim-echo",
        "max_tokens": 99,
        "messages": talk,
        "tools": [tool],
        "stream": stream,
    }


def generate(prompt: str, stream: bool) -> tuple[str, Json]:
    tool = {"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]}
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/v1beta/models/sim-echo:{verb}", {"contents": [{"parts": [{"text": prompt}]}], "tools": [tool]}


DOORS = {"openai_chat": chat, "openai_responses": responses, "anthropic": messages, "gemini": generate}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("stream", [False, True])
def test_every_scene_ends_in_one_line(sim: ThreadedSimulator, door: str, stream: bool):
    for number, name in enumerate(SCENES, start=1):
        path, body = DOORS[door](f"!scene {name} {PAUSES.get(name, '')}\nHello there", stream)
        with RawClient(sim.port) as raw:
            raw.post(
                path,
                json.encode(body),
                "x-goog-api-key: k",
                "anthropic-version: 2023-06-01",
                "connection: close",
            )
            if name not in ENDLESS:
                assert_ends(raw)
        line = sim.wait_for(lambda line, serial=number: line.serial == serial and line.done)
        assert (line.dialect, line.scene) == (door, name)
        assert line.error is None or line.status != 200


def assert_ends(raw: RawClient) -> None:
    """The server closes, whatever it said before."""
    try:
        raw.rest()
    except ConnectionResetError:
        return
