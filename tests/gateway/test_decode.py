"""Long requests are read by another process, and what is wrong with them is told all the same."""

import base64

import pytest

from allgate.gateway.decode import DECODED_HERE_BYTES_MAX
from stand import Stand, stand

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(DECODED_HERE_BYTES_MAX)).decode()


def pictured(data: str, **fields: object) -> dict:
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    parts = [{"type": "text", "text": "hello there"}, url]
    return {"model": "m", "messages": [{"role": "user", "content": parts}], **fields}


def worker(s: Stand):
    return s.gateway.services.decoder


async def test_a_long_translated_body_is_read_by_a_worker() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s:
        assert (await s.chat("m", "hello there")).status == 200
        assert not worker(s).started, "a short one is not"
        for stream in (False, True):
            reply = await s.post("/v1/chat/completions", pictured(PICTURE, stream=stream))
            assert (reply.status, reply.text) == (200, "You said: hello there")
        assert worker(s).started


async def test_what_a_worker_finds_wrong_is_a_400_that_names_it() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s:
        reply = await s.post("/v1/chat/completions", pictured(PICTURE, temperature="hot"))
        assert worker(s).started
        assert (reply.status, reply.json["error"]["param"]) == (400, "temperature")
        assert not s.sim.ledger.lines


async def test_a_worker_that_dies_costs_one_request() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s:
        assert (await s.post("/v1/chat/completions", pictured(PICTURE))).status == 200
        for process in worker(s)._pool._processes.values():
            process.kill()
        statuses = [(await s.post("/v1/chat/completions", pictured(PICTURE))).status for _ in range(2)]
        assert statuses in ([503, 200], [200, 200])


async def test_a_passed_through_body_needs_no_worker() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["openai_chat"]) as s:
        assert (await s.post("/v1/chat/completions", pictured(PICTURE))).status == 200
        assert not worker(s).started


@pytest.mark.parametrize("data", ["iVBORw0KGgo", "iVBO*w0KGgo=", "not base64 at all"])
async def test_media_that_are_no_base64_are_a_400_before_anybody_is_asked(data: str) -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s:
        reply = await s.post("/v1/chat/completions", pictured(data + "!"))
        assert (reply.status, reply.json["error"]["code"]) == (400, "invalid_base64")
        assert "one image" in reply.json["error"]["message"]
        assert not s.sim.ledger.lines
