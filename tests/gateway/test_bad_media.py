"""Bad media, from every client to every vendor: a 400 in the client's words, nothing sent, nothing charged.

What is bad is said once (`BAD`), each client puts it into its own format (`asks`). A web server beside it holds what is named by
URL: pages, redirects inwards, and a body without an end.
"""

import struct
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import NamedTuple

import pytest

from stand import Reply, Stand, stand

OPEN = 'drain_s = 0\n[egress]\nallowed_networks = ["127.0.0.1/32"]'
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 2, 3, 8, 2, 0, 0, 0)
BOMB = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 10_000, 10_001, 8, 2, 0, 0, 0)
TIFF = b"II*\x00" + bytes(60)
CLIENTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
BLOCK = bytes(64 * 1024)


class Bad(NamedTuple):
    """A kind of media, what it says it is, its base64 or its URL's path, and how the 400 begins to explain."""

    kind: str
    mime: str
    data: str
    why: str
    count: int = 1


def inline(kind: str, mime: str, content: bytes, why: str, count: int = 1) -> Bad:
    return Bad(kind, mime, b64encode(content).decode(), why, count)


INLINE = {
    "wrong type": inline("image", "image/tiff", TIFF, "takes no image/tiff; send image/png"),
    "lying type": inline(
        "image", "image/png", b"MZ\x90\x00 no picture at all", "says image/png and is of no known type"
    ),
    "a lying document": inline("document", "application/pdf", PNG, "says application/pdf and is image/png"),
    "truncated base64": Bad("image", "image/png", b64encode(PNG).decode()[:37], "not valid base64"),
    "no base64": Bad("image", "image/png", "@@@@", "not valid base64"),
    "a bomb": inline("image", "image/png", BOMB, "has 100010000 pixels; this model takes at most 64000000"),
    "too many": inline("image", "image/png", PNG, "", 2),
}
BY_URL = {
    "a page": Bad("image", "", "/page", "is text/html; send image/png"),
    "a lying type at a URL": Bad("image", "", "/lies.png", "no known type"),
    "a wrong type at a URL": Bad("image", "", "/a.tiff", "is image/tiff; send image/png"),
    "a bomb at a URL": Bad("image", "", "/bomb.png", "has 100010000 pixels"),
    "nothing there": Bad("image", "", "/missing", "status 404"),
    "a redirect to the metadata address": Bad("image", "", "/inwards", "not on the public internet"),
    "a ring of redirects": Bad("image", "", "/ring", "redirects more than 3 times"),
    "an endless body": Bad("image", "", "/endless", "is larger than 20971520 bytes"),
    "a length of 4 GB": Bad("image", "", "/long", "is larger than 20971520 bytes"),
    "more than a request may name": Bad("image", "", "/a.png?{n}", "at most 20 media by URL", 21),
}
NO_SERVER = {
    "a private address": Bad("image", "", "http://10.0.0.1/a.png", "not on the public internet"),
    "this machine": Bad("image", "", "http://localhost:1/a.png", "not on the public internet"),
    "the metadata address": Bad("image", "", "http://169.254.169.254/latest", "not on the public internet"),
    "a private address in other words": Bad(
        "image", "", "http://[::ffff:10.0.0.1]/a.png", "not on the public internet"
    ),
    "a file": Bad("image", "", "file:///etc/passwd", ""),
}


class Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/inwards":
                self._redirect("http://169.254.169.254/latest/meta-data")
            case "/ring":
                self._redirect("/ring")
            case "/endless":
                self._endless()
            case "/long":
                self._whole("image/png", PNG, length=4 * 1024**3)
            case "/page":
                self._whole("text/html", b"<html>")
            case "/lies.png":
                self._whole("image/png", b"MZ\x90\x00")
            case "/a.tiff":
                self._whole("image/png", TIFF)
            case "/bomb.png":
                self._whole("image/png", BOMB)
            case "/a.png":
                self._whole("image/png", PNG)
            case _:
                self.send_error(404)

    def _redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("location", where)
        self.send_header("content-length", "0")
        self.end_headers()

    def _whole(self, kind: str, body: bytes, length: int = 0) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "image/png")
        self.end_headers()
        try:
            self.wfile.write(PNG)
            while True:
                self.wfile.write(BLOCK)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def asks(client: str, bad: Bad, web: str = "") -> tuple[str, dict]:
    """The request of this client with the bad media in it."""
    where = bad.data if "://" in bad.data else web + bad.data
    parts = [_part(client, bad, where.format(n=n)) for n in range(bad.count)]
    match client:
        case "openai_chat":
            return "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": parts}]}
        case "openai_responses":
            return "/v1/responses", {"model": "m", "input": [{"role": "user", "content": parts}]}
        case "anthropic":
            messages = [{"role": "user", "content": parts}]
            return "/v1/messages", {"model": "m", "max_tokens": 99, "messages": messages}
        case _:
            return "/v1beta/models/m:generateContent", {"contents": [{"role": "user", "parts": parts}]}


def _part(client: str, bad: Bad, url: str) -> dict:
    data = f"data:{bad.mime};base64,{bad.data}" if bad.mime else url
    picture = bad.kind == "image"
    match client:
        case "openai_chat" if picture:
            return {"type": "image_url", "image_url": {"url": data}}
        case "openai_chat":
            return {"type": "file", "file": {"filename": "a.pdf", "file_data": data}}
        case "openai_responses" if picture:
            return {"type": "input_image", "image_url": data}
        case "openai_responses":
            return {"type": "input_file", "filename": "a.pdf", "file_data": data}
        case "anthropic" if bad.mime:
            return {"type": bad.kind, "source": {"type": "base64", "media_type": bad.mime, "data": bad.data}}
        case "anthropic":
            return {"type": bad.kind, "source": {"type": "url", "url": url}}
        case _ if bad.mime:
            return {"inlineData": {"mimeType": bad.mime, "data": bad.data}}
        case _:
            return {"fileData": {"mimeType": "image/png", "fileUri": url}}


def told(reply: Reply, client: str) -> str:
    """The message of a 400, where the client's own vendor has it."""
    assert reply.status == 400, reply.body[:500]
    error = reply.json["error"]
    match client:
        case "anthropic":
            assert (reply.json["type"], error["type"]) == ("error", "invalid_request_error")
        case "gemini":
            assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
        case _:
            assert error["type"] == "invalid_request_error"
    return error["message"]


async def untouched(s: Stand) -> bool:
    """Nobody was asked, and nothing was charged."""
    await s.settled()
    return not s.sim.ledger.lines and all(row.charged_nano_usd == 0 for row in s.rows)


@pytest.mark.parametrize("what", INLINE)
async def test_bad_bytes_are_a_400_from_everyone_to_everyone(what: str, subtests: pytest.Subtests) -> None:
    """Also where the body would be passed through: the vendor is not sent it."""
    bad = INLINE[what]
    for client, upstream in product(CLIENTS, CLIENTS):
        if bad.count > 1 and upstream == "gemini":
            continue  # it takes 3,000: the same rule, and a slow test
        if bad.count > 1:
            limit = 100 if upstream == "anthropic" else 500
            bad = bad._replace(
                count=limit + 1, why=f"at most {limit} media in a request, this one has {limit + 1}"
            )
        with subtests.test(client=client, upstream=upstream):
            async with stand({"m": ["sim-echo"]}, dialects=[upstream]) as s:
                reply = await s.post(*asks(client, bad))
                assert bad.why in told(reply, client)
                assert await untouched(s)


@pytest.mark.parametrize("what", BY_URL)
async def test_a_bad_url_is_a_400_within_its_bound(what: str, web: str, subtests: pytest.Subtests) -> None:
    for client in CLIENTS:
        with subtests.test(client=client):
            async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"], settings=OPEN) as s:
                reply = await s.post(*asks(client, BY_URL[what], web))
                assert BY_URL[what].why in told(reply, client)
                assert await untouched(s)


@pytest.mark.parametrize("what", NO_SERVER)
async def test_the_operators_network_is_closed_to_urls(what: str, subtests: pytest.Subtests) -> None:
    for client in CLIENTS:
        if (client, what) == ("gemini", "a file"):
            continue  # what is no web address is a file at Google, which it may know
        with subtests.test(client=client):
            async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"]) as s:
                reply = await s.post(*asks(client, NO_SERVER[what]))
                assert NO_SERVER[what].why in told(reply, client)
                assert await untouched(s)


@pytest.mark.parametrize("upstream", CLIENTS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_picture_under_a_wrong_name_is_sent_under_its_own(client: str, upstream: str) -> None:
    """A PNG that says JPEG: Claude refuses it, so nobody is sent it so."""
    async with stand({"m": ["sim-echo"]}, dialects=[upstream]) as s:
        reply = await s.post(*asks(client, inline("image", "image/jpeg", PNG, "")))
        assert reply.status == 200, reply.body
        await s.settled()
        assert "image/png" in str(s.sim.ledger.body(s.sim.ledger.last))
        assert "media are sent as the type that their bytes show" in reply.headers["x-allgate-notes"]


async def test_a_picture_by_plain_http_is_fetched_for_a_vendor_that_goes_by_https_only(web: str) -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"], settings=OPEN) as s:
        reply = await s.post(*asks("openai_chat", Bad("image", "", "/a.png", ""), web))
        assert reply.status == 200, reply.body
        assert b64encode(PNG).decode() in str(s.sim.ledger.body(s.sim.ledger.last))


async def test_a_film_at_a_video_site_is_left_to_gemini() -> None:
    async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"]) as s:
        url = "https://www.youtube.com/watch?v=9hE5-98ZeCg"
        reply = await s.post(*asks("openai_chat", Bad("image", "", url, "")))
        assert reply.status == 200, reply.body
        assert {"fileData": {"fileUri": url}} in s.sim.ledger.body(s.sim.ledger.last)["contents"][0]["parts"]
