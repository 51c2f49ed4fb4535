"""What a scenario is run against: the mock itself, nginx in front of it, and the gateway in front of it."""

import re
import urllib.error
import urllib.request
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.programs import GATEWAY_CORE, LOAD_CORE, OUT, ROOT, Program, answers, free_port, nginx
from bench.scenarios import Route
from bench.wire import INTERVAL_US, reply

KEY = "sk-allgate-bench-000000000000000000000000"
LAG_METRIC = re.compile(r"^allgate_loop_lag_seconds_max(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
PROVIDERS = {"openai_chat": ("openai", "/v1"), "anthropic": ("anthropic", "")}

Ports = dict[Route, int]


class Target(NamedTuple):
    """Where to send a request for each route, and the process that answers there (None: the mock, measured by nobody)."""

    name: str
    ports: Ports
    program: Program | None = None
    ready_s: float | None = None

    def loop_lag_s_max(self) -> float | None:
        """The gateway's own reading of its longest turn of the loop; None for everyone else."""
        if self.name != "allgate":
            return None
        found = LAG_METRIC.search(_get(next(iter(self.ports.values())), "/metrics"))
        return float(found[1]) if found else None


@contextmanager
def mocks(routes: Iterable[Route], fault_every: int | None = None) -> Generator[Target]:
    """A mock for each route, on core 1."""
    with ExitStack() as stack:
        ports: Ports = {}
        for route in routes:
            ports[route] = free_port()
            file = OUT / f"{route.model}.reply"
            file.write_bytes(reply(route))
            kind = (
                ["json", file] if route.answer == "unary" else ["sse", file, str(INTERVAL_US[route.answer])]
            )
            faults = [str(fault_every)] if fault_every else []
            program = Program([OUT / "mock", str(ports[route]), *kind, *faults], LOAD_CORE)
            stack.enter_context(program)
            program.wait_until(lambda port=ports[route]: answers(port))
        yield Target("direct", ports)


@contextmanager
def bare_proxy(upstreams: Ports) -> Generator[Target | None]:
    """nginx with one worker on core 0, which checks a key and forwards: what a proxy costs that does nothing else."""
    binary = nginx()
    if not binary:
        yield None
        return
    ports = {route: free_port() for route in upstreams}
    config = OUT / "nginx.conf"
    servers = "\n".join(_nginx_server(ports[route], upstreams[route]) for route in ports)
    config.write_text(NGINX.replace("SERVERS", servers).replace("FOLDER", str(OUT)))
    with Program([binary, "-e", OUT / "nginx.log", "-c", config], GATEWAY_CORE) as program:
        ready_s = program.wait_until(lambda: all(answers(port) for port in ports.values()))
        yield Target("nginx", ports, program, ready_s)


@contextmanager
def gateway(upstreams: Ports) -> Generator[Target]:
    """The gateway on core 0, with a fresh database, every durable promise of the default configuration kept."""
    for file in OUT.glob("allgate.db*"):
        file.unlink()
    port = free_port()
    config = OUT / "allgate.toml"
    config.write_text(gateway_config(port, OUT / "allgate.db", upstreams))
    with Program([ROOT / ".venv/bin/allgate", "serve", "--config", config], GATEWAY_CORE) as program:
        ready_s = program.wait_until(lambda: _status(port, "/readyz") == 200)
        yield Target("allgate", dict.fromkeys(upstreams, port), program, ready_s)


def gateway_config(port: int, database: Path, upstreams: Ports) -> str:
    account = f'[[accounts]]\nname = "bench"\nbalance_usd = "1000000"\nkeys = [{{ name = "bench", secret = "{KEY}" }}]\n'
    server = f'[server]\nlisten = "127.0.0.1:{port}"\n\n[database]\nurl = "sqlite:///{database}"\n'
    return "\n".join([server, *(_gateway_route(route, upstreams[route]) for route in upstreams), account])


def _gateway_route(route: Route, port: int) -> str:
    provider, suffix = PROVIDERS[route.upstream]
    return f"""[[upstreams]]
name = "{route.model}"
provider = "{provider}"
base_url = "http://127.0.0.1:{port}{suffix}"
dialects = ["{route.upstream}"]
credentials = ["sk-upstream-bench"]

[[models]]
name = "{route.model}"
deployments = [{{ upstream = "{route.model}", model = "mock" }}]
price = {{ input = "1", output = "2" }}
"""


NGINX = """
daemon off; master_process off; pid FOLDER/nginx.pid; error_log FOLDER/nginx.log warn;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 1000000000; tcp_nodelay on;
  client_max_body_size 16m; client_body_buffer_size 2m; proxy_buffering off;
  proxy_temp_path FOLDER/nginx; client_body_temp_path FOLDER/nginx; fastcgi_temp_path FOLDER/nginx;
  uwsgi_temp_path FOLDER/nginx; scgi_temp_path FOLDER/nginx;
SERVERS
}
"""


def _nginx_server(port: int, upstream: int) -> str:
    return f"""
  upstream mock_{port} {{ server 127.0.0.1:{upstream}; keepalive 2048; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      if ($http_authorization != "Bearer {KEY}") {{ return 401; }}
      proxy_pass http://mock_{port}; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Authorization "Bearer sk-upstream-bench";
    }}
  }}"""


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read().decode()


def _status(port: int, path: str) -> int | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
