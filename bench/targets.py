"""What a scenario is run against: the mock itself, nginx in front of it (nginx.py), and the gateway in front of it."""

import re
import urllib.request
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import programs
from bench.programs import GATEWAY_CORE, Program, answers, free_port
from bench.scenarios import Dialect, Route
from bench.wire import INTERVAL_US, reply

ALLGATE = programs.ROOT / ".venv/bin/allgate"
KEY = "sk-allgate-bench-000000000000000000000000"
LAG_METRIC = re.compile(r"^allgate_loop_lag_seconds_max(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
PROVIDERS: dict[Dialect, tuple[str, str]] = {
    "openai_chat": ("openai", "/v1"),
    "openai_responses": ("openai", "/v1"),
    "anthropic": ("anthropic", ""),
    "gemini": ("gemini", ""),
}
"""Who is asked in each dialect, and what the vendor's own SDK has after the host."""
LOOSE_PROVIDER = (
    "mistral"  # speaks chat, but not to the letter, so the gateway must read and write what passes
)

Ports = dict[Route, int]
Origins = dict[Route, str]
"""Where each route's mock is reached by whoever stands before it: `http://127.0.0.1:PORT`, or https."""


class Target(NamedTuple):
    """The port that answers for each route, and the process there (None: the mock, which nobody measures)."""

    name: str
    ports: Ports
    program: Program | None = None
    ready_s: float | None = None

    def loop_lag_s_max(self) -> float | None:
        """The gateway's largest loop lag since this was last read; None of everyone else."""
        if self.name != "allgate":
            return None
        port = next(iter(self.ports.values()))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            found = LAG_METRIC.search(answer.read().decode())
        return float(found[1]) if found else None


@contextmanager
def mocks(routes: Iterable[Route], fault_every: int | None = None) -> Generator[Target]:
    """A mock for each route, on core 1."""
    with ExitStack() as stack:
        ports: Ports = {}
        for route in routes:
            ports[route] = free_port()
            program = Program(_mock_command(route, ports[route], fault_every), programs.LOAD_CORE)
            stack.enter_context(program)
            program.wait_until(lambda port=ports[route]: answers(port))
        yield Target("direct", ports)


def _mock_command(route: Route, port: int, fault_every: int | None) -> list[str | Path]:
    file = programs.OUT / f"{route.model}.reply"
    file.write_bytes(reply(route))
    command = [programs.OUT / "mock", str(port), "json" if route.answer == "unary" else "sse", file]
    pace = [] if route.answer == "unary" else [str(INTERVAL_US[route.answer])]
    return [*command, *pace, *([str(fault_every)] if fault_every else [])]


def plain_origins(mock: Target) -> Origins:
    return {route: f"http://127.0.0.1:{port}" for route, port in mock.ports.items() if route.way != "tls"}


@contextmanager
def gateway(
    origins: Origins, command: Sequence[str | Path] = (ALLGATE,), *, durability: str = "strict"
) -> Generator[Target]:
    """The gateway on core 0, with a fresh database, and every promise of its default configuration kept."""
    for file in programs.OUT.glob("allgate.db*"):
        file.unlink()
    port = free_port()
    config = programs.OUT / "allgate.toml"
    config.write_text(gateway_config(port, programs.OUT / "allgate.db", origins, durability))
    with Program([*command, "serve", "--config", config], GATEWAY_CORE) as program:
        ready_s = program.wait_until(lambda: is_ready(port))
        yield Target("allgate", dict.fromkeys(origins, port), program, ready_s)


def gateway_config(port: int, database: Path, origins: Origins, durability: str = "strict") -> str:
    account = f'[[accounts]]\nname = "bench"\nbalance_usd = "1000000"\nkeys = [{{ name = "bench", secret = "{KEY}" }}]\n'
    server = f'[server]\nlisten = "127.0.0.1:{port}"\n\n[database]\nurl = "sqlite:///{database}"\n\n[ledger]\ndurability = "{durability}"\n'
    return "\n".join([server, *(_gateway_route(route, origin) for route, origin in origins.items()), account])


def _gateway_route(route: Route, origin: str) -> str:
    provider, suffix = PROVIDERS[route.upstream]
    provider = LOOSE_PROVIDER if route.way == "loose" else provider
    trusted = f'ca_file = "{programs.OUT / "ca.pem"}"\n' if route.way == "tls" else ""
    return f"""[[upstreams]]
name = "{route.model}"
provider = "{provider}"
base_url = "{origin}{suffix}"
dialects = ["{route.upstream}"]
credentials = ["sk-upstream-bench"]
{trusted}
[[models]]
name = "{route.model}"
deployments = [{{ upstream = "{route.model}", model = "mock" }}]
price = {{ input = "1", output = "2" }}
"""


def is_ready(port: int, path: str = "/readyz") -> bool:
    """Whether it answers there with 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status == 200
    except OSError:  # refused, or an HTTPError, which is one
        return False
