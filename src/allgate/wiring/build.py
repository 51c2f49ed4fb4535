"""Plugs everything together and serves: the only place that knows concrete classes of all floors.

Start: state (rows, ledger, recorder) → outbound pool → services → edge → listener. Stop, on SIGTERM or SIGINT: stop
admitting and listening, let what runs finish for `drain_s`, end the rest with an error in its own words, close the pool,
write what waits. A second signal is not special: the drain is bounded.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import structlog
import uvloop
from uvicorn import Config, Server

from allgate.dialects import CHAT_DIALECTS
from allgate.gateway.exchanges import Exchanges
from allgate.gateway.services import Services
from allgate.http.edge import Edge
from allgate.http.protocol import KEEP_ALIVE_S, EdgeProtocol, sweep
from allgate.upstream.message import Deadlines
from allgate.upstream.pool import Pool, PoolLimits
from allgate.upstream.transport import PooledTransport
from allgate.wiring.clock import SystemClock
from allgate.wiring.listen import Listen
from allgate.wiring.settings import Settings
from allgate.wiring.state import State, open_state

READY_S_MAX = 2.0
"""A health check that waits longer than a load balancer does (2–5 s) is a failed one."""
LISTEN_BACKLOG = 2_048
"""Twice the connections that one process is measured with: a burst of reconnecting streams is not refused."""

_log = structlog.get_logger("allgate.serve")


def run(settings: Settings, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. `ready` hears the URL once the socket listens. Raises: ConfigError."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, ready))


async def serve(settings: Settings, ready: Callable[[str], None] | None = None) -> None:
    """The same on a running loop."""
    state = await open_state(settings)
    limits = PoolLimits(connections_per_origin_max=settings.pool.connections_max)
    pool = Pool(limits=limits)
    exchanges = Exchanges(
        commit_after_s=round(settings.stream.commit_after_s), keep_alive_s=round(settings.stream.keepalive_s)
    )
    services = _services(settings, state, pool, exchanges)
    _show(state, pool)
    server = _SignalFreeServer(
        _config(settings, Edge(services, _Status(state, exchanges), settings.server.body_bytes_max))
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(exchanges.run_ticker())
        sweeping = tasks.create_task(sweep(server.server_state.connections))
        serving = tasks.create_task(_listen(server, ready))
        await _first(stopping, serving)
        exchanges.admitting = False
        server.should_exit = True
        cut = await exchanges.drain(settings.server.drain_s)
        _log.info("drained", cut=cut)
        await serving
        ticking.cancel()
        sweeping.cancel()
    await pool.aclose()
    await state.close()


def _services(settings: Settings, state: State, pool: Pool, exchanges: Exchanges) -> Services:
    deadlines = Deadlines(
        connect_s=settings.timeouts.connect_s,
        first_byte_s=settings.timeouts.first_byte_s,
        idle_s=settings.timeouts.idle_s,
        total_s=settings.timeouts.total_s,
    )
    return Services(
        loop=asyncio.get_running_loop(),
        clock=SystemClock(),
        dice=os.urandom,
        directory=state.directory,
        ledger=state.ledger,
        transport=PooledTransport(pool, deadlines),
        recorder=state.recorder,
        dialects=CHAT_DIALECTS,
        exchanges=exchanges,
        seal_keys=state.seal_keys,
    )


def _config(settings: Settings, edge: Edge) -> Config:
    listen = Listen.parse(settings.server.listen)
    return Config(
        edge,  # pyright: ignore[reportArgumentType] -- uvicorn's scope types are narrower than ASGI's
        host=listen.host,
        port=listen.port,
        http=EdgeProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(settings.server.drain_s) + 5,
        backlog=LISTEN_BACKLOG,
    )


async def _listen(server: "_SignalFreeServer", ready: Callable[[str], None] | None) -> None:
    server.ready = ready
    await server.serve()


async def _first(stopping: asyncio.Event, serving: "asyncio.Task[None]") -> None:
    """Until we are told to stop, or the server ended by itself (its port is taken)."""
    waiting = asyncio.ensure_future(stopping.wait())
    await asyncio.wait((waiting, serving), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _show(state: State, pool: Pool) -> None:
    def counts(name: str) -> Callable[[], list[tuple[dict[str, str], float]]]:
        return lambda: [({"origin": one.origin}, getattr(one, name)) for one in pool.snapshot()]

    for name in ("open", "idle", "in_use", "waiting"):
        state.metrics.gauge(
            f"allgate_upstream_connections_{name}", "gauge", f"Upstream connections: {name}.", counts(name)
        )


class _SignalFreeServer(Server):
    """uvicorn's server without its signal handling, which is ours, and with a word when it listens."""

    ready: Callable[[str], None] | None = None

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started and self.ready is not None:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self.ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")


class _Status:
    """What the plain routes report."""

    def __init__(self, state: State, exchanges: Exchanges) -> None:
        self._state = state
        self._exchanges = exchanges

    async def ready(self) -> str | None:
        if not self._exchanges.admitting:
            return "draining"
        try:
            async with asyncio.timeout(READY_S_MAX):
                await self._state.ready()
        except (OSError, TimeoutError):
            return "the database cannot be reached"
        return None

    def metrics(self) -> bytes:
        return self._state.metrics.render()
