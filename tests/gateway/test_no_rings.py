"""A finished request leaves no ring of objects behind: what it made is freed at once, not by the collector."""

import gc

import pytest

from stand import ASK, Stand, connection, stand

REQUESTS = 50


@pytest.mark.parametrize(
    ("scene", "stream", "dialect"),
    [
        ("sim-echo", False, "openai_chat"),
        ("sim-echo", True, "openai_chat"),
        ("sim-echo", False, "anthropic"),
        ("sim-echo", True, "anthropic"),
        ("sim-error,status=503", False, "openai_chat"),
        ("sim-cut,cut=4", True, "openai_chat"),
    ],
)
async def test_a_finished_request_leaves_no_ring(scene: str, stream: bool, dialect: str) -> None:
    async with stand({"m": [scene]}, dialects=[dialect]) as s, connection(s.gateway.url) as line:
        path, body = ASK["openai_chat"]

        async def ask() -> None:
            await line.send(path, {**body, "stream": stream})
            await line.read()
            await s.settled()

        found = await rings(s, ask)
        assert found < REQUESTS  # less than one object for each: none of them is the request's own


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["openai_responses", "anthropic"])
async def test_an_answer_that_is_kept_leaves_no_ring(dialect: str, stream: bool) -> None:
    async with stand({"m": ["sim-echo"]}, dialects=[dialect]) as s, connection(s.gateway.url) as line:
        path, body = ASK["openai_responses"]

        async def ask() -> None:
            await line.send(path, {**body, "stream": stream})
            await line.read()
            await s.settled()

        assert await rings(s, ask) < REQUESTS


async def rings(s: Stand, ask) -> int:
    """How many of the gateway's own objects only the collector would free after REQUESTS requests."""
    for _ in range(5):
        await ask()
    gc.collect()
    gc.disable()
    try:
        for _ in range(REQUESTS):
            await ask()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        ours = [
            one for one in gc.garbage if type(one).__module__.startswith(("allgate.gateway", "allgate.http"))
        ]
        return len(ours)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
