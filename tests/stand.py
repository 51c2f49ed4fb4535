"""A gateway with the simulator behind it, in one process, over real sockets: where the request path is tested.

    async with stand({"m": ["sim-cut", "sim-echo"]}) as s:
        reply = await s.chat("m", "hello", stream=True)

Each public model is a list of scenes: the first is the best candidate (priority 0), the next its sibling (priority 1), each
at an upstream of its own. `chat` is a plain HTTP/1.1 client on a socket, written here, that reads what really came.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from allgate.simulator import server as simulator
from allgate.wiring.build import Gateway, gateway
from allgate.wiring.settings import Settings
from allgate.wiring.settings_file import load

KEY = "sk-allgate-test-0123456789abcdef0123456789abcdef"
BALANCE_USD = "1000"
PRICE = '{ input = "3", output = "15" }'


Place = str | tuple[int, str]
"""Where a candidate runs: its scene or model, at the upstream of its rank or at the one named by number."""


class Vendor(NamedTuple):
    """Whose row an upstream has. `path` is what the vendor's own SDK has behind its host; `own_caps`: the deployment's, as TOML."""

    provider: str
    dialects: list[str] | None = None
    path: str = ""
    own_caps: str = ""

    def toml(self, origin: str) -> str:
        spoken = f"dialects = {json.dumps(self.dialects)}\n" if self.dialects else ""
        return f'provider = "{self.provider}"\nbase_url = "{origin}{self.path}"\n{spoken}'

    @property
    def caps(self) -> str:
        return f", caps = {self.own_caps}" if self.own_caps else ""


WORDS = "one two three four five six"
# The same streamed question at each door: path and body.
ASK = {
    "openai_chat": (
        "/v1/chat/completions",
        {"model": "m", "stream": True, "messages": [{"role": "user", "content": WORDS}]},
    ),
    "openai_responses": ("/v1/responses", {"model": "m", "stream": True, "input": WORDS}),
    "anthropic": (
        "/v1/messages",
        {"model": "m", "stream": True, "max_tokens": 99, "messages": [{"role": "user", "content": WORDS}]},
    ),
    "gemini": (
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": WORDS}]}]},
    ),
}


@dataclass
class Reply:
    """What came back. `framed`: the body ended as HTTP says it must; False: the connection was cut."""

    status: int
    headers: dict[str, str]
    body: bytes
    framed: bool

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def frames(self) -> list[dict]:
        """The data of every frame that is JSON."""
        return [json.loads(one.decode("utf-8", "replace")) for one in self._data() if one != b"[DONE]"]

    @property
    def terminated(self) -> bool:
        return self.body.rstrip().endswith(b"data: [DONE]")

    @property
    def text(self) -> str:
        """The text of a chat answer, streamed or not."""
        if "text/event-stream" not in self.headers.get("content-type", ""):
            return self.json["choices"][0]["message"]["content"]
        deltas = [choice["delta"] for frame in self.frames for choice in frame.get("choices", [])]
        return "".join(delta.get("content") or "" for delta in deltas)

    @property
    def error(self) -> dict | None:
        """The error of a reply, or in band."""
        if "text/event-stream" not in self.headers.get("content-type", ""):
            return self.json.get("error")
        return next((frame["error"] for frame in self.frames if "error" in frame), None)

    def _data(self) -> list[bytes]:
        blocks = self.body.replace(b"\r\n", b"\n").split(b"\n\n")
        lines = (block.rpartition(b"\n")[2] for block in blocks)
        return [line[6:] for line in lines if line.startswith(b"data: ")]


@dataclass
class Stand:
    """The gateway, the simulator, and what was recorded."""

    gateway: Gateway
    sim: simulator.Simulator
    rows: list = field(default_factory=list)

    async def chat(
        self, model: str, prompt: str = "hello there", *, stream: bool = False, **fields: object
    ) -> Reply:
        body = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": stream, **fields}
        return await self.post("/v1/chat/completions", body)

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Reply:
        async with connection(self.gateway.url) as line:
            await line.send(path, None, headers, method="GET")
            return await line.read()

    async def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Reply:
        async with connection(self.gateway.url) as line:
            await line.send(path, body, headers)
            return await line.read()

    @property
    def held(self) -> int:
        """Holds that have not ended."""
        return self.gateway.state.ledger.book.open_count

    async def settled(self) -> None:
        """Until nothing is under way (bounded by the test's own deadline)."""
        await self.gateway.services.exchanges.idle()
        await self.gateway.state.ledger.written()
        await asyncio.sleep(0)  # the handling task has its last turn


class Line:
    """One client connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(
        self, path: str, body: object, headers: dict[str, str] | None = None, method: str = "POST"
    ) -> None:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {
            "host": "t",
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
            **(headers or {}),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(
            f"{method} {path} HTTP/1.1\r\n{head}content-length: {len(data)}\r\n\r\n".encode() + data
        )
        await self.writer.drain()

    async def read_head(self) -> tuple[int, dict[str, str]]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(
            line.lower().split(": ", 1) if ": " in line else (line, "") for line in head[1:] if line
        )
        return int(head[0].split()[1]), headers

    async def read_chunk(self) -> bytes:
        """One HTTP chunk; empty at the end. Raises: IncompleteReadError: cut."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def read_rest(self) -> bytes:
        """All chunks until the end."""
        body = b""
        while chunk := await self.read_chunk():
            body += chunk
        return body

    async def read(self) -> Reply:
        status, headers = await self.read_head()
        body, framed = b"", True
        try:
            if headers.get("transfer-encoding") == "chunked":
                while chunk := await self.read_chunk():
                    body += chunk
            else:
                body = await self.reader.readexactly(int(headers["content-length"]))
        except asyncio.IncompleteReadError as cut:
            body, framed = body + cut.partial, False
        return Reply(status, headers, body, framed)


@asynccontextmanager
async def connection(url: str) -> AsyncGenerator[Line]:
    """A client connection; leaving the block closes it."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def toml(
    sim_url: str,
    models: dict[str, list[Place]],
    *,
    dialects: list[str] | None = None,
    vendors: list[Vendor] | None = None,
    settings: str = "",
    base_urls: dict[int, str] | None = None,
    price: str = PRICE,
    balance_usd: str = BALANCE_USD,
    account: str = "",
    key: str = "",
) -> str:
    """The configuration of a stand: one upstream for each rank of candidate. `account`, `key`: more TOML of theirs."""
    ranks = len(vendors) if vendors else max(len(places) for places in models.values())
    speaking = vendors or [Vendor("simulator", dialects)] * ranks
    urls = dict.fromkeys(range(ranks), sim_url) | (base_urls or {})
    upstreams = "".join(
        f'[[upstreams]]\nname = "sim{rank}"\ncredentials = ["sk-up-{rank}"]\n{speaking[rank].toml(urls[rank])}'
        for rank in range(ranks)
    )
    priced = f"price = {price}\n" if price else ""
    rows = ""
    for name, places in models.items():
        deployments = ", ".join(
            _deployment(place if isinstance(place, tuple) else (rank, place), rank, speaking)
            for rank, place in enumerate(places)
        )
        rows += f'[[models]]\nname = "{name}"\ndeployments = [{deployments}]\n{priced}'
    keys = f'[{{ name = "k", secret = "{KEY}"{key} }}]'
    payer = f'[[accounts]]\nname = "test"\nbalance_usd = "{balance_usd}"\nkeys = {keys}\n{account}'
    return f'[server]\nlisten = "127.0.0.1:0"\n{settings}\n{upstreams}{rows}{payer}'


def _deployment(place: tuple[int, str], priority: int, vendors: list[Vendor]) -> str:
    upstream, model = place
    return f'{{ upstream = "sim{upstream}", model = {json.dumps(model)}, priority = {priority}{vendors[upstream].caps} }}'


@asynccontextmanager
async def stand(
    models: dict[str, list[Place]],
    *,
    dialects: list[str] | None = None,
    vendors: list[Vendor] | None = None,
    settings: str = "drain_s = 0",
    base_urls: dict[int, str] | None = None,
    price: str = PRICE,
    balance_usd: str = BALANCE_USD,
    account: str = "",
    key: str = "",
) -> AsyncGenerator[Stand]:
    """`vendors` says whose rules each upstream keeps; without it all are the simulator's own row, one for each rank.

    `base_urls` puts the upstream of a rank elsewhere; "{sim}" in it is the simulator's host and port.

    Leaving the block asserts that nothing leaked: no hold, no exchange, no upstream connection in use.
    """
    with TemporaryDirectory() as folder:
        async with await simulator.start() as sim:
            path = Path(folder, "allgate.toml")
            urls = {
                rank: url.replace("{sim}", f"127.0.0.1:{sim.port}") for rank, url in (base_urls or {}).items()
            }
            text = toml(
                sim.url,
                models,
                dialects=dialects,
                vendors=vendors,
                settings=settings,
                base_urls=urls,
                price=price,
                balance_usd=balance_usd,
                account=account,
                key=key,
            )
            async with gateway(_loaded(path, text)) as running:
                one = Stand(running, sim)
                recorder = running.services.recorder
                keep = recorder.record
                running.services.recorder = _Listening(recorder, one.rows, keep)
                yield one
                await one.settled()
                assert one.held == 0
                assert sum(origin.in_use for origin in running.pool.snapshot()) == 0


@asynccontextmanager
async def serving(configuration: str) -> AsyncGenerator[Gateway]:
    """A gateway of its own, from the text of a configuration."""
    with TemporaryDirectory() as folder:
        async with gateway(_loaded(Path(folder, "allgate.toml"), configuration)) as running:
            yield running


def _loaded(path: Path, text: str) -> Settings:
    path.write_text(text)
    return load(path, {})


class _Listening:
    """The real recorder, with a list beside it."""

    def __init__(self, recorder, rows: list, keep: Callable) -> None:
        self._recorder, self._rows, self._keep = recorder, rows, keep

    def record(self, row, *, kept: bool = False) -> None:
        self._rows.append(row)
        self._keep(row, kept=kept)

    def refused(self, *arguments) -> None:
        self._recorder.refused(*arguments)

    def unanswered(self, cost) -> None:
        self._recorder.unanswered(cost)
