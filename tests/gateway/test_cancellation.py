"""The client leaves, or the handling task is cancelled, at every point of a request.

Each time: the provider's socket is closed, there is exactly one receipt, what had been relayed is charged and nothing else,
and no hold, exchange or connection is left (`stand` asserts that).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextlib import asynccontextmanager, suppress

import pytest

from allgate.http import edge
from stand import Line, Stand, connection, stand

WORDS = 6
FRAMES = WORDS + 3  # role, the words, finish, usage (and [DONE], which is not content)
BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def ask(stream: bool) -> dict[str, object]:
    return {**BODY, "stream": stream}


async def until_closed(s: Stand) -> None:
    await s.sim.wait_for(lambda line: line.peer_closed)
    await s.settled()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_before_the_head_costs_nothing(stream: bool) -> None:
    async with stand({"m": ["sim-echo,hold=h"]}) as s:
        async with connection(s.gateway.url) as line:
            await line.send("/v1/chat/completions", ask(stream))
            await s.sim.wait_for(lambda line: line.holding == "h")
        await until_closed(s)
        assert [(row.outcome, row.charged_nano_usd) for row in s.rows] == [("client_gone", 0)]


@pytest.mark.parametrize("frame", range(FRAMES))
async def test_a_client_that_leaves_at_a_frame_pays_for_what_was_relayed(frame: int) -> None:
    scene = f"sim-paced,words={WORDS},delay_ms=0,hold=h,hold_at={frame}"
    async with stand({"m": [scene]}) as s:
        async with connection(s.gateway.url) as line:
            await line.send("/v1/chat/completions", ask(stream=True))
            await s.sim.wait_for(lambda line: line.holding == "h")
            if frame > 1:
                await line.read_head()
                await line.read_chunk()
        await until_closed(s)
        row = one_row(s)
        assert row.outcome == "client_gone"
        assert (row.charged_nano_usd > 0) == (frame > 1)
        assert row.usage.estimated == (frame > 1 and frame < FRAMES)


async def test_a_client_that_leaves_while_we_connect_costs_nothing() -> None:
    async with (
        silent_server() as (port, seen),
        stand({"m": ["x"]}, base_urls={0: f"https://127.0.0.1:{port}"}) as s,
    ):
        async with connection(s.gateway.url) as line:
            await line.send("/v1/chat/completions", ask(stream=True))
            await seen.wait()  # TLS has begun and will never be answered
        await s.settled()
        assert [(row.outcome, row.charged_nano_usd) for row in s.rows] == [("client_gone", 0)]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("suspension", range(4))
async def test_a_task_cancelled_at_any_await_resolves_its_hold(
    suspension: int, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = cancel_handling_at(suspension, monkeypatch)
    async with stand({"m": ["sim-paced,words=3,delay_ms=0,hold=h,hold_at=2"]}) as s:
        async with connection(s.gateway.url) as line:
            await line.send("/v1/chat/completions", ask(stream))
            await read_to_the_end(line, s)
        await s.settled()
        assert len(s.rows) == (1 if reached.is_set() or s.rows else 0)
        assert s.held == 0


async def test_a_slow_client_pauses_the_provider_and_gets_every_byte() -> None:
    words = 120_000
    async with stand({"m": [f"sim-paced,words={words},delay_ms=0,pieces=400"]}) as s:
        async with connection(s.gateway.url) as line:
            await line.send("/v1/chat/completions", ask(stream=True))
            first = await s.sim.wait_for(lambda line: line.frames_sent > 1)
            assert not first.done  # it cannot finish while nobody reads
            reply = await line.read()
        assert reply.terminated
        assert len(reply.text.split()) == words


def one_row(s: Stand):
    assert len(s.rows) == 1
    return s.rows[0]


async def read_to_the_end(line: Line, s: Stand) -> None:
    s.sim.release("h")
    try:
        await line.read()
    except asyncio.IncompleteReadError:
        return  # the connection was closed without an answer: cancelled


def cancel_handling_at(suspension: int, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Have the task that handles a request be cancelled when it suspends for the nth time."""
    handle, reached = edge.handle, asyncio.Event()

    class Counted:
        def __init__(self, inner: Awaitable[None]) -> None:
            self._inner = inner

        def __await__(self) -> Generator:
            count = 0
            steps = self._inner.__await__()
            while True:
                try:
                    future = next(steps)
                except StopIteration:
                    return
                if count == suspension:
                    reached.set()
                    asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
                count += 1
                try:
                    yield future
                except BaseException as error:
                    with suppress(StopIteration):
                        steps.throw(error)
                    return

    async def counted(*arguments) -> None:
        await Counted(handle(*arguments))

    monkeypatch.setattr(edge, "handle", counted)
    return reached


@asynccontextmanager
async def silent_server() -> AsyncGenerator[tuple[int, asyncio.Event]]:
    """Accepts, reads, never answers."""
    seen = asyncio.Event()

    async def read_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            seen.set()
        writer.close()

    server = await asyncio.start_server(read_on, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen
