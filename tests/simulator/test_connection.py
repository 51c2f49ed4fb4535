"""One connection, spoken to by hand: what really goes over the wire, and what the ledger saw of it."""

import socket

import pytest

from allgate.simulator.in_thread import ThreadedSimulator
from simulator.raw_client import RawClient


def test_a_connection_serves_one_request_after_the_other(sim: ThreadedSimulator, raw: RawClient):
    for _ in range(3):
        raw.chat("echo")
        head, body = raw.reply()
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert b"You said: Hello" in body
    assert [line.connection for line in sim.ledger.lines] == [1, 1, 1]


def test_pipelined_requests_are_answered_in_order(raw: RawClient):
    raw.chat("text=one")
    raw.chat("text=two")
    found = raw.until(b'"two"')
    assert found.index(b'"one"') < found.index(b'"two"')


def test_a_body_that_comes_in_pieces_is_read_whole(raw: RawClient):
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"in pieces"}]}'
    raw.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    for byte in body:
        raw.send(b"1\r\n" + bytes([byte]) + b"\r\n")
    raw.send(b"0\r\n\r\n")
    assert b"You said: in pieces" in raw.reply()[1]


def test_expect_continue_is_answered(raw: RawClient):
    raw.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    )
    raw.until(b"HTTP/1.1 100 Continue\r\n\r\n")
    raw.send(b"{}")
    assert raw.reply()[0].startswith(b"HTTP/1.1 401")


def test_what_is_not_http_gets_a_400_and_is_counted(sim: ThreadedSimulator, raw: RawClient):
    raw.send(b"\x16\x03\x01 hello\r\n\r\n")
    assert raw.rest().startswith(b"HTTP/1.1 400 Bad Request")
    assert sim.ledger.malformed == 1


def test_an_upgrade_is_answered_with_426(raw: RawClient):
    raw.get("/v1/responses", "connection: upgrade", "upgrade: websocket")
    assert raw.rest().startswith(b"HTTP/1.1 426")


def test_connection_close_is_honoured(raw: RawClient):
    raw.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert raw.rest().endswith(b'{"status":"ok"}')


def test_an_early_answer_comes_while_the_body_is_still_being_sent(sim: ThreadedSimulator, raw: RawClient):
    raw.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: 9999\r\n\r\n"
    )
    raw.send(b'{"model":"gpt-4o","messages":[{"role":"user","content":"!scene early\\n')
    found = raw.rest()
    assert found.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in found
    assert sim.wait_for(lambda line: line.done).status == 413
    raw.send(b"x" * 500)  # still taken, and thrown away


def test_a_reset_before_reading_needs_no_body(sim: ThreadedSimulator, raw: RawClient):
    raw.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-sim-scene: reset_before\r\ncontent-length: 99\r\n\r\n"
    )
    with pytest.raises(ConnectionResetError):
        raw.rest()
    assert sim.wait_for(lambda line: line.done).status is None


def test_a_reset_after_reading_answers_nothing(sim: ThreadedSimulator, raw: RawClient):
    raw.chat("reset_after")
    with pytest.raises(ConnectionResetError):
        raw.rest()
    line = sim.wait_for(lambda line: line.done)
    assert not line.complete
    assert not line.peer_closed  # it was we who left


def test_a_scripted_reset_on_accept(sim: ThreadedSimulator):
    def connect() -> None:
        with RawClient(sim.port).socket as client:
            client.recv(1)

    sim.script("reset=accept")
    with pytest.raises(ConnectionResetError):  # in connect() or in recv(), whichever sees it first
        connect()
    assert sim.ledger.lines == []


def test_a_stale_connection_ends_right_after_the_answer_and_without_a_word(raw: RawClient):
    raw.chat("stale")
    head, _ = raw.reply()
    assert b"connection: close" not in head
    assert raw.rest() == b""


def test_a_stale_connection_can_die_of_its_next_request(sim: ThreadedSimulator, raw: RawClient):
    raw.chat("stale_next")
    raw.reply()
    raw.chat("echo")
    with pytest.raises(ConnectionResetError):
        raw.rest()
    assert len(sim.ledger.lines) == 1


def test_a_cut_stream_has_no_last_chunk(sim: ThreadedSimulator, raw: RawClient):
    raw.chat("cut=2", stream=True)
    found = raw.rest()
    assert found.count(b"data: ") == 2
    assert not found.endswith(b"0\r\n\r\n")
    line = sim.wait_for(lambda line: line.done)
    assert (line.frames_sent, line.complete) == (2, False)


def test_a_cut_by_reset_is_a_reset(raw: RawClient):
    raw.chat("cut_reset", stream=True)
    with pytest.raises(ConnectionResetError):
        raw.rest()


def test_a_held_answer_waits_until_it_is_released(sim: ThreadedSimulator, raw: RawClient):
    raw.chat("hold=gate hold_at=1", stream=True)
    raw.until(b'"role":"assistant"')
    assert sim.wait_for(lambda line: line.holding == "gate").frames_sent == 1
    sim.release("gate")
    raw.until(b"data: [DONE]")
    assert sim.wait_for(lambda line: line.complete).holding is None


def test_a_peer_that_leaves_is_noticed_while_the_answer_waits(sim: ThreadedSimulator, raw: RawClient):
    raw.chat("silence=2", stream=True)
    raw.until(b'"You"')
    raw.socket.close()
    line = sim.wait_for(lambda line: line.peer_closed)
    assert (line.frames_sent, line.complete, line.done) == (2, False, True)
    assert sim.open_connections == 0


def test_an_answer_waits_for_a_reader_who_does_not_read(sim: ThreadedSimulator):
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", sim.port))
        body = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"!scene words=40000 pieces=20000"}]}'
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        sim.wait_for(lambda line: line.frames_sent > 100)
    line = sim.wait_for(lambda line: line.done)
    assert line.peer_closed
    assert line.frames_sent < 20_000


def test_an_honest_answer_is_complete_in_the_ledger(sim: ThreadedSimulator, raw: RawClient):
    raw.chat("echo", stream=True)
    raw.until(b"0\r\n\r\n")
    line = sim.wait_for(lambda line: line.done)
    assert (line.complete, line.peer_closed, line.status, line.stream) == (True, False, 200, True)
