"""Media by URL, for a provider that takes none: fetched by the gateway, or a clear 400 and nothing sent."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stand import Reply, Stand, stand

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
OPEN = 'drain_s = 0\n[egress]\nallowed_networks = ["127.0.0.1/32"]'
FILES = {
    "/a.png": ("image/png", PNG),
    "/lies.jpg": ("image/jpeg", PNG),
    "/page": ("text/html", b"<html>"),
    "/a.gif": ("image/gif", b"GIF89a" + b"\x00" * 20),
    "/film.mp4": ("video/mp4", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 20),
}


class Files(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        kind, body = FILES.get(self.path, ("text/plain", b""))
        self.send_response(200 if body else 404)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def files() -> Iterator[tuple[str, list[str]]]:
    """A web server with a few files; gives its URL and the list of what was asked."""
    Files.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}", Files.asked
        server.shutdown()
        serving.join()


async def ask(s: Stand, *urls: str) -> Reply:
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "look"}, *parts]}],
    }
    return await s.post("/v1/chat/completions", body)


def pictures(s: Stand) -> list[dict]:
    """What the provider got, in Gemini's words."""
    body = s.sim.ledger.body(s.sim.ledger.last)
    return [part["inlineData"] for part in body["contents"][0]["parts"] if "inlineData" in part]


async def test_a_picture_is_fetched_once_and_sent_as_what_it_is(files: tuple[str, list[str]]) -> None:
    url, asked = files
    async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"], settings=OPEN) as s:
        reply = await ask(s, f"{url}/lies.jpg", f"{url}/lies.jpg")
        assert reply.status == 200, reply.body
        assert pictures(s) == [{"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}] * 2
        assert asked == ["/lies.jpg"]


@pytest.mark.parametrize("path", ["/page", "/missing", "/a.gif"])
async def test_what_is_no_picture_is_a_400_and_nothing_is_sent(
    files: tuple[str, list[str]], path: str
) -> None:
    async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"], settings=OPEN) as s:
        reply = await ask(s, f"{files[0]}/a.png", f"{files[0]}{path}")
        assert (reply.status, reply.error["code"]) == (400, "invalid_image_url")
        assert not s.sim.ledger.lines
        assert [row.charged_nano_usd for row in s.rows] == [0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x.png", "http://169.254.169.254/latest", "http://[::1]/a", "ftp://x/y"]
)
async def test_the_operators_network_is_not_the_clients(url: str) -> None:
    async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"]) as s:
        reply = await ask(s, url)
        assert (reply.status, reply.error["code"]) == (400, "invalid_image_url")
        assert not s.sim.ledger.lines


async def test_a_provider_that_takes_urls_gets_the_url() -> None:
    async with stand({"m": ["gpt-4o"]}, dialects=["openai_chat"]) as s:
        url = "https://pictures.example.com/a.png"
        assert (await ask(s, url)).status == 200
        assert s.sim.ledger.body(s.sim.ledger.last)["messages"][0]["content"][1]["image_url"]["url"] == url


async def test_too_many_urls_are_refused() -> None:
    async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"]) as s:
        reply = await ask(s, *(f"http://example.com/{n}.png" for n in range(21)))
        assert reply.status == 400
        assert "at most 20" in reply.error["message"]
