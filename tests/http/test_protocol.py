"""What the edge does with HTTP that is wrong, slow or too much, over real sockets."""

import asyncio
import json

import pytest

from allgate.http import protocol
from stand import KEY, Stand, connection, stand

OK = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'


def head(
    path: str = "/v1/chat/completions", method: str = "POST", *fields: str, length: int | None = len(OK)
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: t", f"authorization: Bearer {KEY}", *fields]
    if length is not None:
        lines.append(f"content-length: {length}")
    return "\r\n".join((*lines, "", "")).encode("latin-1")


async def exchange(s: Stand, *pieces: bytes) -> tuple[int, dict[str, str], bytes]:
    async with connection(s.gateway.url) as line:
        for piece in pieces:
            line.writer.write(piece)
            await line.writer.drain()
        status, headers = await line.read_head()
        return status, headers, await line.reader.readexactly(int(headers["content-length"]))


@pytest.mark.parametrize(
    "bytes_in",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,  # TLS on a plain port
        b"GET\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
async def test_malformed_http_is_a_400_in_json(bytes_in: bytes) -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        status, headers, body = await exchange(s, bytes_in)
        assert status == 400
        assert headers["connection"] == "close"
        assert json.loads(body)["error"]["type"] == "invalid_request_error"


async def test_too_many_or_too_long_headers_are_refused() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        many = [f"x-{n}: 1" for n in range(protocol.HEADER_COUNT_MAX + 1)]
        long = ["x-long: " + "a" * protocol.HEADER_BYTES_MAX]
        for fields in (many, long):
            status, _, _ = await exchange(s, head("/v1/chat/completions", "POST", *fields), OK)
            assert status == 431


async def test_two_user_agents_are_accepted() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        fields = ("user-agent: one", "user-agent: two", "content-type: application/json")
        status, _, _ = await exchange(s, head("/v1/chat/completions", "POST", *fields), OK)
        assert status == 200


async def test_a_body_in_many_pieces_and_in_chunks_is_read_whole() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        pieces = [OK[n : n + 1] for n in range(len(OK))]
        status, _, _ = await exchange(s, head(), *pieces)
        assert status == 200
        chunked = b"".join(b"1\r\n%b\r\n" % piece for piece in pieces) + b"0\r\n\r\n"
        chunk_head = head("/v1/chat/completions", "POST", "transfer-encoding: chunked", length=None)
        status, _, _ = await exchange(s, chunk_head, chunked)
        assert status == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_a_413(chunked: bool) -> None:
    async with stand({"m": ["sim-echo"]}, settings="drain_s = 0\nbody_bytes_max = 1000") as s:
        body = OK[:-1] + b" " * 2000 + b"}"
        if chunked:
            fields, sent = ("transfer-encoding: chunked",), b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            fields, sent = (f"content-length: {len(body)}",), body
        status, _, reply = await exchange(s, head("/v1/chat/completions", "POST", *fields, length=None), sent)
        assert status == 413
        assert "1000 bytes" in json.loads(reply)["error"]["message"]


async def test_expect_100_continue_is_honoured() -> None:
    async with stand({"m": ["sim-echo"]}) as s, connection(s.gateway.url) as line:
        line.writer.write(head("/v1/chat/completions", "POST", "expect: 100-continue"))
        assert (await line.read_head())[0] == 100
        line.writer.write(OK)
        assert (await line.read()).status == 200


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with stand({"m": ["sim-echo"]}) as s, connection(s.gateway.url) as line:
        line.writer.write(head() + OK + head("/v1/models", "GET", length=None) + head() + OK)
        first, second, third = await line.read(), await line.read(), await line.read()
        assert [first.text, second.json["object"], third.text] == ["You said: hi", "list", "You said: hi"]


async def test_a_connection_is_kept_and_used_again() -> None:
    async with stand({"m": ["sim-echo"]}) as s, connection(s.gateway.url) as line:
        for _ in range(3):
            await line.send("/v1/chat/completions", OK)
            assert (await line.read()).status == 200
        assert len({row.request_id for row in s.rows}) == 3


async def test_an_http_10_client_gets_an_unchunked_stream_and_the_end_of_the_connection() -> None:
    async with stand({"m": ["sim-echo"]}) as s, connection(s.gateway.url) as line:
        body = OK[:-1] + b',"stream":true}'
        line.writer.write(head(length=len(body)).replace(b"HTTP/1.1", b"HTTP/1.0") + body)
        _, headers = await line.read_head()
        assert "transfer-encoding" not in headers
        assert (await line.reader.read()).endswith(b"data: [DONE]\n\n")


async def test_a_head_request_gets_no_body() -> None:
    async with stand({"m": ["sim-echo"]}) as s, connection(s.gateway.url) as line:
        line.writer.write(b"HEAD /api/hello HTTP/1.1\r\nhost: t\r\n\r\n" + head() + OK)
        status, headers = await line.read_head()
        assert status == 404
        assert int(headers["content-length"]) > 0
        assert (await line.read()).status == 200


async def test_a_websocket_upgrade_is_answered_with_426() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        fields = (
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-key: x",
            "sec-websocket-version: 13",
        )
        status, _, body = await exchange(s, head("/v1/responses", "GET", *fields, length=None))
        assert status == 426
        assert "WebSocket" in json.loads(body)["error"]["message"]


async def test_a_head_that_comes_too_slowly_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_S_MAX", 0.0)
    async with stand({"m": ["sim-echo"]}) as s:
        async with connection(s.gateway.url) as silent:
            assert await silent.reader.read() == b""
        status, _, _ = await exchange(s, b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\n")
        assert status == 408


async def test_a_body_that_comes_too_slowly_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_GRACE_S", 0.0)
    async with stand({"m": ["sim-echo"]}) as s, connection(s.gateway.url) as line:
        line.writer.write(head(length=100_000))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await line.reader.readexactly(1)


async def test_a_target_in_absolute_form_is_a_path_too() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        status, _, _ = await exchange(s, head("http://t/v1/chat/completions?x=1"), OK)
        assert status == 200
        status, _, _ = await exchange(s, head("nowhere"), OK)
        assert status == 400


async def test_malformed_bytes_behind_a_request_do_not_break_into_its_answer() -> None:
    async with stand({"m": ["sim-echo"]}) as s, connection(s.gateway.url) as line:
        line.writer.write(head() + OK + b"nonsense\r\n\r\n")
        assert (await line.read()).text == "You said: hi"
        assert await line.reader.read() == b""


async def test_more_pipelined_requests_than_may_wait_end_the_connection() -> None:
    async with stand({"m": ["sim-paced,words=1,delay_ms=0,hold=h,hold_at=1"]}) as s:
        async with connection(s.gateway.url) as line:
            line.writer.write((head() + OK) * (protocol.PIPELINED_MAX + 2))
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await line.reader.readexactly(1)
        s.sim.release("h")
        await s.settled()


async def test_an_idle_connection_is_closed_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "KEEP_ALIVE_S", 0.0)
    async with stand({"m": ["sim-echo"]}) as s, connection(s.gateway.url) as line:
        await line.send("/v1/chat/completions", OK)
        assert (await line.read()).status == 200
        assert await line.reader.read() == b""
