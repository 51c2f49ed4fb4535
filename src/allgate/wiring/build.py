"""Plugs everything together and serves: the only place that knows concrete classes of all floors.

Start: state (rows, ledger, recorder) → outbound pool → services → edge → listener. Stop, on SIGTERM or SIGINT: stop
admitting and listening, let what runs finish for `drain_s`, end the rest with an error in its own words, close the pool,
write what waits. A second signal is not special: the drain is bounded.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import uvloop

from allgate.admin.rows import ConfigError
from allgate.dialects import CHAT_DIALECTS
from allgate.gateway.exchanges import Exchanges
from allgate.gateway.services import Services
from allgate.http.edge import Edge
from allgate.http.server import LISTEN_BACKLOG, EdgeServer
from allgate.upstream.addresses import networks
from allgate.upstream.egress import Egress, EgressLimits
from allgate.upstream.fetcher import GuardedFetcher
from allgate.upstream.message import Deadlines
from allgate.upstream.pool import Pool, PoolLimits
from allgate.upstream.resolve import Resolver
from allgate.upstream.transport import PooledTransport
from allgate.wiring import failpoints
from allgate.wiring.clock import SystemClock
from allgate.wiring.dice import BufferedDice
from allgate.wiring.listen import Listen
from allgate.wiring.settings import Settings
from allgate.wiring.state import State, open_state
from allgate.wiring.workers import DecodingWorkers

READY_S_MAX = 2.0
"""A health check that waits longer than a load balancer does (2–5 s) is a failed one."""
GC_ALLOCATIONS = 50_000
"""Between two looks at the youngest generation (Python: 700): about every 500 requests instead of every 7."""
LAST_REPLIES_S = 5.0
"""After the drain: what is written but has not left yet."""

_log = logging.getLogger("allgate.serve")


def run(settings: Settings, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. `ready` hears the URL once the socket listens. Raises: ConfigError."""
    failpoints.arm(os.environ)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, ready))


async def serve(settings: Settings, ready: Callable[[str], None] | None = None) -> None:
    """The same on a running loop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with gateway(settings) as running:
        _calm_the_collector()
        if ready is not None:
            ready(running.url)
        await stopping.wait()


def _calm_the_collector() -> None:
    """What was made at start lives for ever, and a request's values die by reference count: look for cycles rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 20, 20)


class Gateway(NamedTuple):
    """A gateway that listens. `url` has no trailing slash."""

    url: str
    services: Services
    state: State
    pool: Pool


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncGenerator[Gateway]:
    """A listening gateway; leaving the block drains and closes it. Raises: ConfigError; OSError: the port is taken."""
    listener = _listener(Listen.parse(settings.server.listen))
    try:
        state = await open_state(settings)
    except BaseException:
        listener.close()
        raise
    pool = Pool(limits=PoolLimits(connections_per_origin_max=settings.pool.connections_max))
    workers = DecodingWorkers()
    services = _services(settings, state, pool, workers)
    _show(state, pool)
    edge = Edge(
        services,
        _Status(state, services.exchanges),
        settings.server.body_bytes_max,
        explains=settings.explain.enabled,
    )
    server = EdgeServer(edge, asyncio.get_running_loop())
    await server.start(listener)
    tasks = [
        asyncio.create_task(services.exchanges.run_ticker(), name="ticker"),
        asyncio.create_task(server.sweep(), name="sweep"),
    ]
    try:
        yield Gateway(url=_url(listener), services=services, state=state, pool=pool)
    finally:
        services.exchanges.admitting = False
        server.stop()
        cut = await services.exchanges.drain(settings.server.drain_s)
        _log.info("drained", extra={"cut": cut})
        await server.aclose(LAST_REPLIES_S)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await pool.aclose()
        workers.close()
        await state.close()


def _services(settings: Settings, state: State, pool: Pool, workers: DecodingWorkers) -> Services:
    stream = settings.stream
    deadlines = Deadlines(
        connect_s=settings.timeouts.connect_s,
        first_byte_s=settings.timeouts.first_byte_s,
        idle_s=settings.timeouts.idle_s,
        total_s=settings.timeouts.total_s,
    )
    return Services(
        loop=asyncio.get_running_loop(),
        clock=SystemClock(),
        dice=BufferedDice(),
        directory=state.directory,
        ledger=state.ledger,
        books=state.books,
        responses=state.responses,
        decoder=workers,
        transport=PooledTransport(pool, deadlines),
        fetcher=_fetcher(settings, pool),
        recorder=state.recorder,
        dialects=CHAT_DIALECTS,
        exchanges=Exchanges(
            commit_after_s=round(stream.commit_after_s),
            keep_alive_s=round(stream.keepalive_s),
            leaving=stream.client_gone,
        ),
        seal_keys=state.seal_keys,
    )


def _fetcher(settings: Settings, pool: Pool) -> GuardedFetcher:
    try:
        allowed = networks(*settings.egress.allowed_networks)
    except ValueError as error:
        raise ConfigError("", "egress.allowed_networks", str(error)) from error
    return GuardedFetcher(Egress(pool, Resolver(), EgressLimits(allowed=allowed)))


def _listener(listen: Listen) -> socket.socket:
    """Bound before anything else is opened, so that a taken port is a plain error."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    return socket.create_server((listen.host, listen.port), family=family, backlog=LISTEN_BACKLOG)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _show(state: State, pool: Pool) -> None:
    def counts(name: str) -> Callable[[], list[tuple[dict[str, str], float]]]:
        return lambda: [({"origin": one.origin}, getattr(one, name)) for one in pool.snapshot()]

    for name in ("open", "idle", "in_use", "waiting"):
        state.metrics.gauge(
            f"allgate_upstream_connections_{name}", "gauge", f"Upstream connections: {name}.", counts(name)
        )


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

    async def metrics(self) -> bytes:
        return await asyncio.to_thread(self._state.metrics.collect())
