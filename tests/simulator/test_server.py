"""The simulator as a server: in process, on a thread, and as a process of its own."""

import asyncio
import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request

import pytest
import trustme

from allgate.simulator import in_thread, server
from allgate.simulator.delivery import Reply
from allgate.simulator.desk import Desk
from allgate.simulator.in_thread import ThreadedSimulator
from allgate.simulator.scenes import SceneError


async def fetch(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer k\r\n\r\n".encode()
    )
    found = await reader.read()
    writer.close()
    await writer.wait_closed()
    return found


async def test_it_runs_in_the_callers_loop_and_closes_without_a_trace():
    async with await server.start() as simulator:
        assert (await fetch(simulator.port, "/healthz")).endswith(b'{"status":"ok"}')
        assert simulator.url == f"http://127.0.0.1:{simulator.port}"
    with pytest.raises(ConnectionRefusedError):
        await fetch(simulator.port, "/healthz")


async def test_closing_ends_an_exchange_that_waits():
    simulator = await server.start()
    simulator.script("mute")
    waiting = asyncio.create_task(fetch(simulator.port, "/v1/models"))
    await simulator.wait_for(lambda line: line.holding == "silence")
    await simulator.close()
    with pytest.raises(ConnectionResetError):
        await waiting


async def test_scripted_scenes_are_played_in_order_and_then_it_is_honest_again():
    async with await server.start() as simulator:
        simulator.script("error status=503", "error status=429")
        replies = [await fetch(simulator.port, "/v1/models") for _ in range(3)]
    assert [reply[9:12] for reply in replies] == [b"503", b"429", b"200"]


async def test_a_scripted_scene_that_does_not_exist_is_refused_at_once():
    async with await server.start() as simulator:
        with pytest.raises(SceneError):
            simulator.script("echo", "nosuch")


def tls_contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(server, client): a certificate for 127.0.0.1 and one who trusts it."""
    authority = trustme.CA()
    server_side, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    authority.configure_trust(client_side)
    return server_side, client_side


def over_tls(port: int, context: ssl.SSLContext, scene: str) -> bytes:
    """The rest of a connection; an end without close_notify raises."""
    plain = socket.create_connection(("127.0.0.1", port), 10)
    with context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as client:
        client.sendall(f"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\nx-sim-scene: {scene}\r\n\r\n".encode())  # fmt: skip
        found = b""
        while more := client.recv(65536):
            found += more
        return found


def test_it_speaks_tls_and_can_end_a_body_with_and_without_close_notify():
    server_side, client_side = tls_contexts()
    with in_thread.running(tls=server_side) as simulator:
        assert simulator.url.startswith("https://")
        assert over_tls(simulator.port, client_side, "http10").endswith(b"}]}")
        with pytest.raises(ssl.SSLEOFError):
            over_tls(simulator.port, client_side, "http10 how=drop")


async def test_its_own_crash_is_raised_at_close(monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> tuple[object, Reply]:
        raise LookupError("planted")

    monkeypatch.setattr(Desk, "admit", broken)
    simulator = await server.start()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await fetch(simulator.port, "/v1/models")
    with pytest.raises(LookupError, match="planted"):
        await simulator.close()


def test_the_pages_of_its_own_steer_it_from_outside(sim: ThreadedSimulator):
    def page(path: str, method: str = "GET") -> dict[str, object]:
        request = urllib.request.Request(sim.url + path, method=method, headers={"authorization": "Bearer k"})
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    page("/script?scene=hold%3Dgate", "POST")
    page("/release?name=gate", "POST")
    page("/v1/models")
    document = page("/ledger")
    assert [line["path"] for line in document["lines"]] == ["/v1/models"]
    assert document["lines"][0]["scene"] == "echo"
    assert page("/ledger?request_id=nobody")["lines"] == []


def test_as_a_command_it_says_when_it_is_ready_and_ends_on_sigterm():
    source = "from allgate.simulator.server import run; run(0)"
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        url = ready.split()[-1]
        with urllib.request.urlopen(f"{url}/healthz") as reply:
            assert reply.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert ready.startswith("allgate simulator: listening on http://127.0.0.1:")
