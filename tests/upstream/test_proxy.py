"""Tunnels through an HTTP proxy."""

import asyncio

import pytest

from allgate.core.errors import AttemptFailed, Phase
from allgate.core.secret import Secret
from allgate.upstream.failures import Cause
from allgate.upstream.message import Deadlines, Proxy
from allgate.upstream.proxy import REPLY_BYTES_MAX
from upstream.certificates import Authority
from upstream.peer import OK, POST, Peer, always, outbound


class Tunnels:
    """A handler that answers CONNECT and then carries bytes to wherever it was asked to."""

    def __init__(self, answer=b"HTTP/1.1 200 Connection established\r\n\r\n"):
        self.heads = []
        self._answer = answer

    async def __call__(self, call):
        head, _ = await call.request()
        self.heads.append(head)
        host, _, port = head.split()[1].decode().rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        call.send(self._answer)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(carry(call.reader, writer))
                group.create_task(carry(reader, call.writer))
        finally:
            writer.transport.abort()


async def carry(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def refusal(handler, deadlines=None, **fields):
    async with Peer(handler) as proxy, outbound() as out:
        target = proxy.target(
            host="api.example.com",
            port=443,
            scheme="https",
            proxy=Proxy(host="127.0.0.1", port=proxy.port),
            **fields,
        )
        with pytest.raises(AttemptFailed) as caught:
            await out.post(target, POST, deadlines)
        assert caught.value.phase is Phase.NOT_SENT
        assert out.counts() == (0, 0, 0)
        return caught.value.failure


async def test_a_plain_target_is_reached_through_a_tunnel_that_is_kept():
    tunnels = Tunnels()
    async with Peer(always(OK)) as peer, Peer(tunnels) as proxy, outbound() as out:
        authorization = Secret("Basic dXNlcjpwYXNz")
        target = peer.target(proxy=Proxy(host="127.0.0.1", port=proxy.port, authorization=authorization))
        for _ in range(2):
            assert await (await out.post(target)).success() == b"ok"
        place = b"127.0.0.1:%d" % peer.port
        assert tunnels.heads == [
            b"CONNECT " + place + b" HTTP/1.1\r\nHost: " + place
            + b"\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"
        ]  # fmt: skip
        assert peer.connections == 1


async def test_a_tls_target_is_verified_through_the_tunnel(tmp_path):
    authority, tunnels = Authority(tmp_path), Tunnels()
    async with (
        Peer(always(OK), authority.server("localhost")) as peer,
        Peer(tunnels) as proxy,
        outbound() as out,
    ):
        through = Proxy(host="127.0.0.1", port=proxy.port)
        target = peer.target(host="localhost", address="127.0.0.1", ca_file=authority.file, proxy=through)
        assert await (await out.post(target)).success() == b"ok"
        with pytest.raises(AttemptFailed) as caught:
            await out.post(peer.target(ca_file=authority.file, proxy=through))
        assert caught.value.failure.native == Cause.TLS


def saying(reply):
    async def handler(call):
        await call.request()
        call.send(reply)
        call.hang_up()

    return handler


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", "answered 407"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\nsome page", "answered 502"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 20", "the connection ended"),
        (b"", "the connection ended"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * REPLY_BYTES_MAX * 4, f"more than {REPLY_BYTES_MAX} bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03", "sent bytes before it was asked"),
    ],
)
async def test_a_proxy_that_will_not_or_cannot_is_named(reply, words):
    failure = await refusal(saying(reply))
    assert failure.native == Cause.PROXY
    assert words in failure.message
    assert failure.message.startswith("No tunnel to https://api.example.com:443")
    assert "the proxy 127.0.0.1:" in failure.message


async def test_a_proxy_that_stalls_hits_the_connect_deadline():
    async def handler(call):
        await call.hung_up()

    assert (await refusal(handler, Deadlines(connect_s=0.05))).native == Cause.CONNECT_DEADLINE


async def test_a_proxy_that_is_not_there_is_named():
    async with Peer(always(OK)) as gone:
        pass
    async with outbound() as out:
        target = gone.target(host="api.example.com", proxy=Proxy(host="127.0.0.1", port=gone.port))
        with pytest.raises(
            AttemptFailed, match=rf"through the proxy 127.0.0.1:{gone.port}: Connection refused"
        ):
            await out.post(target)
