"""The gateway's port on the pool: base URLs, paths and proxies."""

import pytest

from allgate.core.errors import AttemptFailed
from allgate.core.secret import Secret
from allgate.providers.provider import Provider
from allgate.routing.catalogue import Upstream
from allgate.upstream.message import Proxy, Target
from allgate.upstream.transport import PROXY_PORT, PooledTransport, proxy_of, target_of
from upstream.peer import OK, Heard, Peer, outbound


def upstream(base_url, close_delimited=False):
    provider = Provider(name="p", vendor="p", base_url=None, speaks=(), close_delimited=close_delimited)
    return Upstream(name="u", provider=provider, base_url=base_url, credentials=(), dialects=())


async def test_a_post_goes_to_the_base_url_and_path():
    seen = []

    async def handler(call):
        while True:
            seen.append(await call.request())
            call.send(OK)

    async with Peer(handler) as peer, outbound() as out:
        transport = PooledTransport(out.pool)
        for _ in range(2):
            heard = Heard()
            sent = await transport.send(
                upstream(f"http://127.0.0.1:{peer.port}/base/"),
                "/v1/x?a=b",
                ((b"x-a", b"1"),),
                b"{}",
                heard,
            )
            assert await heard.success() == b"ok"
            sent.close()
        assert seen[0] == seen[1]
        head, body = seen[0]
        assert head.startswith(b"POST /base/v1/x?a=b HTTP/1.1\r\n")
        assert body == b"{}"
        assert peer.connections == 1


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/v1beta/models/gemini-2.5-pro:generateContent?alt=sse", b"/v1beta/models/gemini-2.5-pro:generateContent?alt=sse"),
        ("/models/a b", b"/models/a%20b"),
        ("/models/ä", b"/models/%C3%A4"),
        ("/models/a\r\nb", b"/models/a%0D%0Ab"),
    ],
)  # fmt: skip
async def test_a_path_is_escaped_only_where_it_must_be(path, sent):
    seen = []

    async def handler(call):
        seen.append((await call.request())[0].split()[1])
        call.send(OK)
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        await PooledTransport(out.pool).send(upstream(f"http://127.0.0.1:{peer.port}"), path, (), b"", heard)
        await heard.success()
        assert seen == [sent]


@pytest.mark.parametrize("allowed", [True, False])
async def test_the_provider_says_whether_a_body_may_end_with_the_connection(allowed):
    async def handler(call):
        await call.request()
        call.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        call.hang_up()

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        to = upstream(f"http://127.0.0.1:{peer.port}", close_delimited=allowed)
        await PooledTransport(out.pool).send(to, "/", (), b"", heard)
        if allowed:
            assert await heard.success() == b"all of it"
        else:
            assert "neither a length nor chunks" in (await heard.failure()).failure.message


async def test_a_connection_that_fails_is_raised():
    async with Peer(lambda call: call.hung_up()) as gone:
        pass
    async with outbound() as out:
        with pytest.raises(AttemptFailed, match="Connection refused"):
            await PooledTransport(out.pool).send(
                upstream(f"http://127.0.0.1:{gone.port}"), "/", (), b"", Heard()
            )


@pytest.mark.parametrize(
    ("url", "target", "path"),
    [
        ("https://api.openai.com/v1", Target(scheme="https", host="api.openai.com", port=443), "/v1"),
        ("http://10.0.0.1:8000", Target(scheme="http", host="10.0.0.1", port=8000), ""),
        ("http://[::1]:9/a/b/", Target(scheme="http", host="::1", port=9), "/a/b"),
        ("https://bücher.example", Target(scheme="https", host="xn--bcher-kva.example", port=443), ""),
    ],
)
def test_base_urls(url, target, path):
    assert target_of(url) == (target, path)


@pytest.mark.parametrize(
    "url",
    [
        "api.openai.com/v1",
        "ftp://a",
        "https://",
        "https://key@a/v1",
        "https://a/v1?key=x",
        "https://a/#x",
        "http://a:b",
    ],
)
def test_what_is_no_base_url(url):
    with pytest.raises(ValueError):
        target_of(url)


def test_what_is_said_about_a_wrong_url_holds_no_credentials():
    with pytest.raises(ValueError, match="credentials") as caught:
        target_of("https://sk-secret@api.example/v1")
    assert "sk-secret" not in str(caught.value)


def test_proxies():
    assert proxy_of("http://proxy.example") == Proxy(host="proxy.example", port=PROXY_PORT)
    signed = proxy_of("http://user:p%40ss@proxy.example:8080")
    assert signed == Proxy(host="proxy.example", port=8080, authorization=Secret("Basic dXNlcjpwQHNz"))
    assert target_of("http://a", proxy="http://p:1", ca_file="/ca", close_delimited_ok=True)[0] == Target(
        scheme="http",
        host="a",
        port=80,
        proxy=Proxy(host="p", port=1),
        ca_file="/ca",
        close_delimited_ok=True,
    )


@pytest.mark.parametrize("url", ["https://p:1", "socks5://p", "p:3128", "http://user:secret@"])
def test_what_is_no_proxy(url):
    with pytest.raises(ValueError) as caught:
        proxy_of(url)
    assert "secret" not in str(caught.value)
