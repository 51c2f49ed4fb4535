"""TLS against real handshakes: who is trusted, what is asked for, and where a body may end."""

import asyncio
import socket
import ssl
from contextlib import suppress

import pytest

from allgate.core.errors import AttemptFailed, Phase
from allgate.upstream.failures import Cause
from allgate.upstream.message import Deadlines, Target, UpstreamRequest
from allgate.upstream.tls import TlsContexts
from upstream.certificates import Authority
from upstream.peer import CHUNKED, OK, POST, Heard, Peer, always, outbound

LINE = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def local(peer, authority, **fields):
    return peer.target(host="localhost", address="127.0.0.1", ca_file=authority.file, **fields)


async def refusal(out, target, deadlines=None):
    with pytest.raises(AttemptFailed) as caught:
        await out.post(target, POST, deadlines)
    assert caught.value.phase is Phase.NOT_SENT
    assert out.counts() == (0, 0, 0)
    return caught.value.failure


async def test_a_trusted_server_is_spoken_to_in_http_1_1_and_kept(authority):
    seen = []

    async def handler(call):
        seen.append(call.writer.get_extra_info("ssl_object"))
        await always(OK)(call)

    async with Peer(handler, authority.server("localhost")) as peer, outbound() as out:
        for _ in range(2):
            assert await (await out.post(local(peer, authority))).success() == b"ok"
        assert [tls.selected_alpn_protocol() for tls in seen] == ["http/1.1"]


async def test_a_long_body_goes_both_ways(authority):
    async def handler(call):
        _, body = await call.request()
        call.send(LINE + b"content-length: %d\r\n\r\n" % len(body) + body)
        await call.hung_up()

    body = bytes(range(256)) * 20_000
    async with Peer(handler, authority.server("localhost")) as peer, outbound() as out:
        heard = await out.post(local(peer, authority), UpstreamRequest(path=b"/", body=(body,)))
        assert await heard.success() == body


async def test_a_server_of_another_name_is_refused(authority):
    async with Peer(always(OK), authority.server("elsewhere.example")) as peer, outbound() as out:
        failure = await refusal(out, local(peer, authority))
        assert failure.native == Cause.TLS
        assert "the certificate is not trusted" in failure.message
        assert "localhost" in failure.message


async def test_an_unknown_authority_is_refused(authority):
    async with Peer(always(OK), authority.server("localhost")) as peer, outbound() as out:
        failure = await refusal(out, peer.target(host="localhost", address="127.0.0.1"))
        assert failure.native == Cause.TLS
        assert "the certificate is not trusted: " in failure.message


async def test_a_server_that_speaks_no_tls_is_refused(authority):
    async def handler(call):
        await call.reader.read(1)
        call.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with Peer(handler) as peer, outbound() as out:
        failure = await refusal(out, local(peer, authority, scheme="https"))
        assert failure.native == Cause.TLS
        assert failure.message.startswith(f"TLS with https://localhost:{peer.port} failed: ")


async def test_a_server_that_hangs_up_in_the_handshake_is_refused(authority):
    async def handler(call):
        await call.reader.read(1)
        call.reset()

    async with Peer(handler) as peer, outbound() as out:
        assert (await refusal(out, local(peer, authority, scheme="https"))).native == Cause.TLS


async def test_a_handshake_that_stalls_hits_the_connect_deadline(authority):
    async def handler(call):
        await asyncio.Event().wait()

    async with Peer(handler) as peer, outbound() as out:
        failure = await refusal(out, local(peer, authority, scheme="https"), Deadlines(connect_s=0.05))
        assert failure.native == Cause.CONNECT_DEADLINE
        assert "was established within 0.05 s (connect deadline)" in failure.message


async def test_a_file_of_certificates_that_is_not_there_is_named(authority, tmp_path):
    async with Peer(always(OK), authority.server("localhost")) as peer, outbound() as out:
        failure = await refusal(out, peer.target(host="localhost", ca_file=str(tmp_path / "absent.pem")))
        assert failure.native == Cause.TLS
        assert "No such file" in failure.message


async def test_a_context_is_made_once_and_refuses_old_protocols(authority):
    contexts = TlsContexts()
    first, second = await asyncio.gather(contexts.context(authority.file), contexts.context(authority.file))
    assert first is second
    assert first.minimum_version is ssl.TLSVersion.TLSv1_2
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert first.check_hostname


class BluntServer:
    """A blocking TLS server in a thread, to end a session in ways that asyncio's streams cannot."""

    def __init__(self, context, reply, ending):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._context, self._reply, self._ending = context, reply, ending

    def serve_one(self):
        plain, _ = self._listener.accept()
        with self._listener, self._context.wrap_socket(plain, server_side=True) as tls:
            tls.recv(65_536)
            tls.sendall(self._reply)
            if self._ending == "close_notify":
                with suppress(OSError):  # the client does not stay to say goodbye
                    tls.unwrap().close()
            else:
                with socket.socket(fileno=tls.detach()) as raw:
                    raw.shutdown(socket.SHUT_WR)
                    raw.recv(1)


@pytest.mark.parametrize(
    ("reply", "ending", "cause"),
    [
        (LINE + b"\r\nall of it", "close_notify", None),
        (LINE + b"\r\nall of it", "end of file", Cause.REPLY_CUT),
        (LINE + b"content-length: 20\r\n\r\nall of it", "close_notify", Cause.REPLY_CUT),
        (LINE + b"content-length: 20\r\n\r\nall of it", "end of file", Cause.REPLY_CUT),
        (LINE + b"content-length: 9\r\n\r\nall of it", "end of file", None),
        (CHUNKED + b"9\r\nall of it\r\n", "close_notify", Cause.REPLY_CUT),
        (CHUNKED + b"9\r\nall of it\r\n0\r\n\r\n", "end of file", None),
    ],
)
async def test_only_close_notify_ends_a_body_that_has_no_end_of_its_own(authority, reply, ending, cause):
    """Anyone on the path can forge an end of file (a truncation attack); nobody can forge a close_notify."""
    server = BluntServer(authority.server("localhost"), reply, ending)
    serving = asyncio.create_task(asyncio.to_thread(server.serve_one))
    target = Target(
        scheme="https",
        host="localhost",
        port=server.port,
        address="127.0.0.1",
        ca_file=authority.file,
        close_delimited_ok=True,
    )
    async with outbound() as out:
        heard = await out.post(target)
        if cause is None:
            assert await heard.success() == b"all of it"
        else:
            assert (await heard.failure()).failure.native == cause
    await serving


async def test_a_deadline_applies_inside_tls(authority):
    async def handler(call):
        await call.request()
        await call.hung_up()

    async with Peer(handler, authority.server("localhost")) as peer, outbound() as out:
        heard = Heard()
        await out.pool.send(local(peer, authority), POST, heard, Deadlines(first_byte_s=5))
        out.pass_time(5.1)
        assert (await heard.failure()).failure.native == Cause.FIRST_BYTE_DEADLINE
