"""The guarded fetch against servers and names that try to lead it inside."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from allgate.core.errors import ErrorKind, Refused
from allgate.upstream.addresses import networks
from allgate.upstream.egress import REDIRECTS_MAX, URL_CHARACTERS_MAX, Egress, EgressLimits
from allgate.upstream.resolve import Resolver
from upstream.certificates import Authority
from upstream.peer import CHUNKED, Peer, always, outbound

PNG = b"HTTP/1.1 200 OK\r\nContent-Type: Image/PNG; x=y\r\ncontent-length: 4\r\n\r\n\x89PNG"
LOOPBACK = networks("127.0.0.1/32")


class Names:
    """A name service whose answers may change from one question to the next."""

    def __init__(self, **answers):
        self.answers = {name.replace("_", "."): list(turns) for name, turns in answers.items()}
        self.asked = []

    async def __call__(self, host):
        self.asked.append(host)
        turns = self.answers.get(host)
        if not turns:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return turns.pop(0) if len(turns) > 1 else turns[0]


@asynccontextmanager
async def egress(names=None, **limits):
    """An `Egress` that may go to 127.0.0.1 and nowhere else that is not public."""
    async with outbound() as out:
        resolver = Resolver(names or Names(pics_example=[("127.0.0.1",)]))
        yield Egress(out.pool, resolver, EgressLimits(**{"allowed": LOOPBACK} | limits))
        await resolver.aclose()


async def refusal(egress, url):
    with pytest.raises(Refused) as caught:
        await egress.fetch(url)
    assert caught.value.failure.kind is ErrorKind.BAD_REQUEST
    return caught.value.failure.message


async def test_bytes_type_and_final_url():
    seen = []

    async def handler(call):
        seen.append((await call.request())[0])
        call.send(PNG)
        await call.hung_up()

    async with Peer(handler) as peer, egress() as out:
        fetched = await out.fetch(f"http://pics.example:{peer.port}/a%20b/ü.png?q=1 2#part")
        assert (fetched.body, fetched.content_type) == (b"\x89PNG", "image/png")
        assert fetched.url == f"http://pics.example:{peer.port}/a%20b/ü.png?q=1 2"
        assert seen == [
            b"GET /a%%20b/%%C3%%BC.png?q=1%%202 HTTP/1.1\r\nhost: pics.example:%d\r\naccept-encoding: identity\r\n"
            b"user-agent: allgate\r\naccept: */*\r\n\r\n" % peer.port
        ]


@pytest.mark.parametrize(
    "reply",
    [
        CHUNKED + b"4\r\n\x89PNG\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n\x89PNG",
        b"HTTP/1.0 200 OK\r\n\r\n\x89PNG",
    ],
)
async def test_every_framing_is_read(reply):
    async def handler(call):
        await call.request()
        call.send(reply)
        call.hang_up()

    async with Peer(handler) as peer, egress() as out:
        fetched = await out.fetch(f"http://pics.example:{peer.port}/")
        assert (fetched.body, fetched.content_type) == (b"\x89PNG", "")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://pics.example/a", "Only http and https"),
        ("file:///etc/passwd", "Only http and https"),
        ("gopher://127.0.0.1:6379/_", "Only http and https"),
        ("data:image/png;base64,AA", "Only http and https"),
        ("pics.example/a.png", "Only http and https"),
        ("http://user:secret@pics.example/", "credentials"),
        ("http://pics.example@evil.example/", "credentials"),
        ("http://", "names no host"),
        ("http:///path", "names no host"),
        ("http://pics.example:99999/", "not valid"),
        ("http://[::1/", "not valid"),
        ("http://" + "a" * 70 + ".example/", "not valid"),
        ("http://pics.example/" + "a" * URL_CHARACTERS_MAX, "longer than"),
        ("http://absent.example/", "cannot be resolved"),
    ],
)
async def test_a_url_that_is_not_followed_says_why(url, words):
    async with egress() as out:
        message = await refusal(out, url)
        assert words in message
        assert "secret" not in message


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "10.0.0.1", "169.254.169.254", "100.100.100.200", "[::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]",
     "[2002:a00:1::1]", "[fd00:ec2::254]", "[fe80::1%25eth0]", "0.0.0.0", "224.0.0.1"],
)  # fmt: skip
async def test_an_address_inside_is_never_connected_to(host):
    async with egress() as out:
        assert "not on the public internet" in await refusal(out, f"http://{host}/")


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "017700000001"])
async def test_odd_spellings_of_an_address_mean_what_the_resolver_says(host):
    """The system's resolver reads these as 127.0.0.1; what counts is the address that comes out."""
    async with outbound() as out:
        resolver = Resolver()
        message = await refusal(Egress(out.pool, resolver), f"http://{host}/")
        assert "not on the public internet (loopback)" in message or "cannot be resolved" in message
        await resolver.aclose()


async def test_localhost_is_not_on_the_public_internet():
    async with outbound() as out:
        resolver = Resolver()
        assert "(loopback)" in await refusal(Egress(out.pool, resolver), "http://localhost/")
        await resolver.aclose()


async def test_a_name_is_resolved_once_and_that_address_is_connected_to():
    """Rebinding: public when checked, private when connected to. There is no second question."""
    names = Names(pics_example=[("127.0.0.1",), ("10.0.0.1",)])
    async with Peer(always(PNG)) as peer, egress(names) as out:
        await out.fetch(f"http://pics.example:{peer.port}/")
        assert names.asked == ["pics.example"]


async def test_of_several_addresses_a_public_one_is_taken():
    names = Names(
        mixed_example=[("10.0.0.1", "64:ff9b::a00:1", "127.0.0.1")], inner_example=[("10.0.0.1", "::1")]
    )
    async with Peer(always(PNG)) as peer, egress(names) as out:
        assert (await out.fetch(f"http://mixed.example:{peer.port}/")).body == b"\x89PNG"
        message = await refusal(out, f"http://inner.example:{peer.port}/")
        assert message == "The host of the URL is not on the public internet (private): inner.example"


def redirect(location, status=302):
    return b"HTTP/1.1 %d Found\r\nlocation: %b\r\ncontent-length: 5\r\n\r\nhello" % (
        status,
        location.encode(),
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_absolute_and_relative(status):
    async def handler(call):
        head, _ = await call.request()
        path = head.split()[1]
        hops = {
            b"/": redirect(f"http://cdn.example:{peer.port}/x/one", status),
            b"/x/one": redirect("two?a=b", status),
        }
        call.send(hops.get(path, PNG))
        await call.hung_up()

    names = Names(pics_example=[("127.0.0.1",)], cdn_example=[("127.0.0.1",)])
    async with Peer(handler) as peer, egress(names) as out:
        fetched = await out.fetch(f"http://pics.example:{peer.port}/")
        assert fetched.url == f"http://cdn.example:{peer.port}/x/two?a=b"


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://169.254.169.254/latest/meta-data/", "not on the public internet"),
        ("http://inner.example/", "not on the public internet"),
        ("file:///etc/passwd", "Only http and https"),
        ("http://user:pass@pics.example/", "credentials"),
        ("//10.0.0.1/", "not on the public internet"),
    ],
)
async def test_every_redirect_is_checked_again(location, words):
    names = Names(pics_example=[("127.0.0.1",)], inner_example=[("10.0.0.1",)])
    async with Peer(always(redirect(location))) as peer, egress(names) as out:
        assert words in await refusal(out, f"http://pics.example:{peer.port}/")


async def test_endless_and_empty_redirects_end():
    async with Peer(always(redirect("/again"))) as peer, egress() as out:
        message = await refusal(out, f"http://pics.example:{peer.port}/")
        assert message == f"The URL redirects more than {REDIRECTS_MAX} times"
        assert len(peer.requests) == 0
    nowhere = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"
    async with Peer(always(nowhere)) as peer, egress() as out:
        assert "to nowhere" in await refusal(out, f"http://pics.example:{peer.port}/")


async def test_a_page_that_is_not_there_is_named_by_its_status():
    async with (
        Peer(always(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno")) as peer,
        egress() as out,
    ):
        assert await refusal(out, f"http://pics.example:{peer.port}/") == "The URL answered with status 404"


async def test_a_compressed_answer_is_not_taken_for_the_thing_itself():
    packed = PNG.replace(b"content-length", b"content-encoding: gzip\r\ncontent-length")
    async with Peer(always(packed)) as peer, egress() as out:
        assert "compressed" in await refusal(out, f"http://pics.example:{peer.port}/")


@pytest.mark.parametrize("unsized", [True, False])
async def test_a_body_over_the_limit_is_stopped(unsized):
    async def handler(call):
        await call.request()
        call.send(CHUNKED if unsized else b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n")
        while unsized:
            call.send(b"64\r\n" + b"y" * 100 + b"\r\n")
            await call.writer.drain()
        await call.hung_up()

    async with Peer(handler) as peer, egress(bytes_max=1_000) as out:
        message = await refusal(out, f"http://pics.example:{peer.port}/")
        assert message == "What the URL points to is larger than 1000 bytes"
        await peer.all_gone.wait()


async def test_a_body_at_the_limit_is_taken():
    async with Peer(always(PNG)) as peer, egress(bytes_max=4) as out:
        assert (await out.fetch(f"http://pics.example:{peer.port}/")).body == b"\x89PNG"


async def test_a_server_that_dribbles_hits_the_limit_of_time():
    async def handler(call):
        await call.request()
        call.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\ny")
        await call.hung_up()

    async with Peer(handler) as peer, egress(seconds_max=0.05) as out:
        message = await refusal(out, f"http://pics.example:{peer.port}/")
        assert message == "The URL did not answer completely within 0.05 s"
        await peer.all_gone.wait()


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut", b"junk\r\n\r\n", CHUNKED + b"4\r\nab"]
)
async def test_a_cut_or_broken_reply_is_no_picture(reply):
    async def handler(call):
        await call.request()
        call.send(reply)
        call.hang_up()

    async with Peer(handler) as peer, egress() as out:
        assert "could not be fetched" in await refusal(out, f"http://pics.example:{peer.port}/")


async def test_tls_proves_the_name_although_an_address_is_dialed(tmp_path):
    authority = Authority(tmp_path)
    async with (
        Peer(always(PNG), authority.server("pics.example")) as peer,
        egress(ca_file=authority.file) as out,
    ):
        assert (await out.fetch(f"https://pics.example:{peer.port}/")).body == b"\x89PNG"
    async with (
        Peer(always(PNG), authority.server("else.example")) as peer,
        egress(ca_file=authority.file) as out,
    ):
        assert "not trusted" in await refusal(out, f"https://pics.example:{peer.port}/")


async def test_a_caller_that_gives_up_leaves_nothing_behind():
    async def handler(call):
        await call.request()
        await call.hung_up()

    async with Peer(handler) as peer, egress() as out:
        fetching = asyncio.create_task(out.fetch(f"http://pics.example:{peer.port}/"))
        while not peer.connections:  # noqa: ASYNC110 - the peer counts, it has no event
            await asyncio.sleep(0)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        await peer.all_gone.wait()
