"""Ways to a target: names, several addresses, and those who speak out of turn."""

import socket

import pytest

from allgate.core.errors import AttemptFailed, Phase
from allgate.upstream import dial
from allgate.upstream.dial import Dialer
from allgate.upstream.failures import Cause
from allgate.upstream.message import Deadlines, Target
from allgate.upstream.resolve import Resolver
from upstream.peer import OK, POST, Heard, Peer, always, outbound


def names(**answers):
    """A dialer whose names mean what the test says."""

    async def look_up(host):
        if host not in answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers[host]

    return Dialer(Resolver(look_up))


async def refusal(out, target, deadlines=None):
    with pytest.raises(AttemptFailed) as caught:
        await out.post(target, POST, deadlines)
    assert caught.value.phase is Phase.NOT_SENT
    assert out.counts() == (0, 0, 0)
    return caught.value.failure


async def test_a_name_that_does_not_resolve_is_named():
    async with outbound(dialer=names()) as out:
        failure = await refusal(out, Target(scheme="http", host="absent.example", port=80))
        assert failure.native == Cause.DNS
        assert failure.message == "The name absent.example cannot be resolved: Name or service not known"


async def test_the_next_address_is_tried_when_one_refuses():
    async with Peer(always(OK)) as peer, outbound(dialer=names(two=("127.0.0.2", "127.0.0.1"))) as out:
        assert await (await out.post(peer.target(host="two"))).success() == b"ok"


async def test_an_address_that_is_silent_leaves_time_for_the_next(monkeypatch):
    """A full backlog swallows connection requests, as a dead machine does."""
    monkeypatch.setattr(dial, "ADDRESS_S_MAX", 0.05)
    with socket.socket() as deaf, socket.socket() as filling:
        deaf.bind(("127.0.0.3", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        filling.connect(("127.0.0.3", port))
        async with outbound(dialer=names(two=("127.0.0.3", "127.0.0.4"))) as out:
            failure = await refusal(out, Target(scheme="http", host="two", port=port))
            assert failure.native == Cause.CONNECT
            failure = await refusal(
                out, Target(scheme="http", host="127.0.0.3", port=port), Deadlines(connect_s=0.05)
            )
            assert failure.native == Cause.CONNECT_DEADLINE


async def test_the_address_of_a_target_wins_over_its_name():
    async with Peer(always(OK)) as peer, outbound(dialer=names()) as out:
        assert (
            await (await out.post(peer.target(host="absent.example", address="127.0.0.1"))).success() == b"ok"
        )


async def test_a_server_that_speaks_first_is_never_believed():
    """Whether its banner comes before or after the request, it is no reply."""

    async def handler(call):
        call.send(b"220 mail.example ESMTP\r\n")
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        try:
            await out.pool.send(peer.target(), POST, heard)
        except AttemptFailed as error:
            failure = error.failure
        else:
            failure = (await heard.failure()).failure
        assert failure.native in (Cause.CONNECT, Cause.REPLY_BROKEN)
