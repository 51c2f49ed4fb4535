"""A gateway and a simulator on threads of their own, for clients that block and for many tests at one catalogue.

    with standing({"GPT-5.5": At(CHAT, "gpt-5.5"), "Grok": At(XAI, "grok-4-1-fast")}) as house:
        OpenAI(base_url=f"{house.url}/v1", api_key=KEY)

Where `stand` is one gateway for one test, with several candidates for a model, this is one gateway for a module of
tests, with many models. A small server of pictures stands beside it, for the examples that name one by URL.
"""

import asyncio
import struct
import threading
import zlib
from base64 import b64encode
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import uvloop

from allgate.simulator.in_thread import ThreadedSimulator, running
from stand import KEY, Vendor, serving

STARTED_S_MAX = 30
HOSTED = 'web_search = "0.01", web_fetch = "0", code_execution = "0.001", file_search = "0.0025"'
PRICE = f'{{ input = "3", output = "15", {HOSTED} }}'

CHAT = Vendor("openai", ["openai_chat"], "/v1")
RESPONSES = Vendor("openai", ["openai_responses"], "/v1")
MESSAGES = Vendor("anthropic")
GENERATE = Vendor("gemini")
XAI = Vendor("xai", ["openai_chat"], "/v1")


class At(NamedTuple):
    """Where a public model runs: whose rules, and what it is called there. `caps`: the deployment's own, as TOML.

    `origin`: of an upstream that is not the simulator. `family`: of the catalogue. `named`: it is a row of its own, not only
    another name of one.
    """

    vendor: Vendor
    model: str
    caps: str = ""
    origin: str = ""
    family: str = ""
    named: bool = True


class House(NamedTuple):
    """What stands. `pictures` is the origin of the picture server: a path of it is `FILM` if it ends so, else `PNG`."""

    url: str
    sim: ThreadedSimulator
    pictures: str


@contextmanager
def standing(models: Mapping[str, At]) -> Generator[House]:
    """Serve these models for the length of a with block."""
    with running() as sim, _pictures() as pictures, gateway_of(configuration(sim.url, models)) as url:
        yield House(url, sim, pictures)


def configuration(origin: str, models: Mapping[str, At]) -> str:
    """The catalogue as TOML: one upstream for each vendor's rules."""
    upstreams = {_name(at.vendor): at.vendor.toml(at.origin or origin) for at in models.values()}
    account = (
        f'[[accounts]]\nname = "test"\nbalance_usd = "1000"\nkeys = [{{ name = "k", secret = "{KEY}" }}]\n'
    )
    return "".join(
        (
            '[server]\nlisten = "127.0.0.1:0"\ndrain_s = 0\n[egress]\nallowed_networks = ["127.0.0.0/8"]\n',
            *(
                f'[[upstreams]]\nname = "{name}"\ncredentials = ["sk-up"]\n{row}'
                for name, row in upstreams.items()
            ),
            *(_model(name, at) for name, at in models.items() if at.named),
            account,
        )
    )


def _name(vendor: Vendor) -> str:
    return "-".join((vendor.provider, *(vendor.dialects or ())))


def _model(name: str, at: At) -> str:
    caps = f", caps = {at.caps}" if at.caps else ""
    deployment = f'{{ upstream = "{_name(at.vendor)}", model = "{at.model}"{caps} }}'
    family = f'family = "{at.family}"\n' if at.family else ""
    return f'[[models]]\nname = "{name}"\n{family}price = {PRICE}\ndeployments = [{deployment}]\n'


@contextmanager
def gateway_of(text: str) -> Generator[str]:
    """A gateway on a thread; leaving the block closes it, and raises what it ended with."""
    started, failed = threading.Event(), []
    loop = uvloop.new_event_loop()
    ending = asyncio.Event()
    url = ""

    async def serve() -> None:
        nonlocal url
        async with serving(text) as gateway:
            url = gateway.url
            started.set()
            await ending.wait()
            await gateway.services.exchanges.idle()
            assert gateway.state.ledger.book.open_count == 0, "a hold was never resolved"

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            failed.append(error)
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=run, name="gateway", daemon=True)
    thread.start()
    assert started.wait(STARTED_S_MAX)
    if failed:
        raise failed[0]
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(STARTED_S_MAX)
    if failed:
        raise failed[0]


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


PNG = b"".join(
    (
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        _chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00")),
        _chunk(b"IEND", b""),
    )
)
"""One red pixel."""
PNG_BASE64 = b64encode(PNG).decode()

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
"""No page at all, in the shape of a PDF."""


FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08mdat"
"""No frame at all, in the shape of an MP4."""
FILM_BASE64 = b64encode(FILM).decode()


class _Picture(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, content = ("video/mp4", FILM) if self.path.endswith(".mp4") else ("image/png", PNG)
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def _pictures() -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Picture) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
