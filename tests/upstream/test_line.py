"""A socket before it speaks HTTP."""

import asyncio

import pytest

from allgate.upstream.line import Line
from upstream.peer import Peer


async def lined(peer):
    _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", peer.port)
    return line


async def test_what_comes_is_read_up_to_an_ending_and_the_rest_stays():
    async def handler(call):
        await call.send_sliced([b"one", b"\r", b"\n", b"two"])
        await call.hung_up()

    async with Peer(handler) as peer:
        line = await lined(peer)
        assert await line.read_until(b"\r\n", 100) == b"one\r\n"
        while line.received != b"two":  # noqa: ASYNC110 - the line has one waiter, which is not us
            await asyncio.sleep(0)
        line.transport.abort()


@pytest.mark.parametrize(
    ("sent", "words"), [(b"on", "the connection ended"), (b"x" * 200, "more than 100 bytes")]
)
async def test_an_ending_that_does_not_come_is_an_error(sent, words):
    async def handler(call):
        call.send(sent)
        call.hang_up()

    async with Peer(handler) as peer:
        line = await lined(peer)
        with pytest.raises(ConnectionError, match=words):
            await line.read_until(b"\r\n", 100)
        line.transport.abort()
