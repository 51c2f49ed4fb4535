"""nginx in its two parts: the bare proxy that the gateway is compared with, and the end of TLS in front of the mock.

As a proxy it does what none can do without: it checks a key, replaces it, and forwards without buffering. It has one
process on core 0, kept connections on both sides, and writes no log.
"""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import trustme

from bench import programs
from bench.programs import GATEWAY_CORE, Program, answers, free_port
from bench.targets import KEY, Origins, Target

CONFIG = """
daemon off; master_process off; pid {folder}/{name}.pid; error_log {folder}/{name}.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; tcp_nodelay on;
  client_max_body_size 16m; client_body_buffer_size 2m; proxy_buffering off;
  proxy_http_version 1.1;
  proxy_ssl_trusted_certificate {folder}/ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost;
  ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
  proxy_temp_path {folder}/temp; client_body_temp_path {folder}/temp; fastcgi_temp_path {folder}/temp;
  uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
  {servers}
}}
"""
SERVER = """
  upstream mock_{port} {{ server {address}; keepalive 2048; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096 {ssl}; location / {{
    proxy_set_header Connection ""; {rules} proxy_pass {scheme}://mock_{port}; }} }}"""
KEY_RULES = f"""
    if ($http_authorization != "Bearer {KEY}") {{ return 401; }}
    proxy_set_header Authorization "Bearer sk-upstream-bench";"""


def binary() -> str | None:
    """The nginx of this machine, installed from Debian's packages if that can be done; None, loudly, if not."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    if not shutil.which("nginx", path=path) and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = os.environ | {
            "DEBIAN_FRONTEND": "noninteractive",
            "RUNLEVEL": "1",
        }  # 1: its service stays down
        command = ["apt-get", "install", "-qq", "nginx-light"]
        subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)
    found = shutil.which("nginx", path=path)
    if not found:
        print(
            "bench: NGINX IS ABSENT and could not be installed; its columns stay empty, rows with TLS are left out"
        )
    return found


def write_certificates() -> None:
    """A fresh authority and a certificate for the loopback, in bench/out."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(programs.OUT / "ca.pem"))
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(
        str(programs.OUT / "server.pem")
    )


@contextmanager
def bare_proxy(nginx: str, origins: Origins) -> Generator[Target]:
    """What a proxy costs that does nothing else."""
    ports = {route: free_port() for route in origins}
    servers = [_server(ports[route], origins[route], KEY_RULES) for route in ports]
    with Program(_command(nginx, "proxy", servers), GATEWAY_CORE) as program:
        ready_s = program.wait_until(lambda: all(answers(port) for port in ports.values()))
        yield Target("nginx", ports, program, ready_s)


@contextmanager
def tls_origins(nginx: str, mock: Target) -> Generator[Origins]:
    """The mocks of the routes that want TLS, behind it."""
    ports = {route: free_port() for route in mock.ports if route.way == "tls"}
    servers = [_server(ports[route], f"http://127.0.0.1:{mock.ports[route]}", ssl="ssl") for route in ports]
    with Program(_command(nginx, "tls", servers), programs.LOAD_CORE) as program:
        program.wait_until(lambda: all(answers(port) for port in ports.values()))
        yield {route: f"https://127.0.0.1:{port}" for route, port in ports.items()}


def _server(port: int, origin: str, rules: str = "", ssl: str = "") -> str:
    scheme, _, address = origin.partition("://")
    return SERVER.format(port=port, address=address, scheme=scheme, rules=rules, ssl=ssl)


def _command(nginx: str, name: str, servers: list[str]) -> list[str | Path]:
    config = programs.OUT / f"{name}.conf"
    config.write_text(CONFIG.format(folder=programs.OUT, name=name, servers="\n".join(servers)))
    return [nginx, "-e", programs.OUT / f"{name}.log", "-c", config]
