"""A plain socket to talk to the simulator where an SDK would be too polite."""

import socket

from allgate.wire import json
from allgate.wire.json import Json

REPLY_S_MAX = 10
"""Seconds that a reply may take; only a broken simulator needs one."""


class RawClient:
    """One TCP connection that says exactly what it is told and returns exactly what came back."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), REPLY_S_MAX)

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def chat(self, scene: str, *, stream: bool = False, **fields: Json) -> None:
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"!scene {scene}\nHello"}]}
        self.post("/v1/chat/completions", json.encode(body | {"stream": stream} | fields))

    def post(self, path: str, body: bytes, *headers: str) -> None:
        head = [f"POST {path} HTTP/1.1", "host: x", "authorization: Bearer sk-test", *headers]
        self.send("\r\n".join([*head, f"content-length: {len(body)}", "", ""]).encode() + body)

    def get(self, path: str, *headers: str) -> None:
        self.send("\r\n".join([f"GET {path} HTTP/1.1", "host: x", *headers, "", ""]).encode())

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`. Raises: AssertionError: the connection ended before it."""
        found = b""
        while mark not in found:
            more = self.socket.recv(65536)
            assert more, f"ended before {mark!r}: {found!r}"
            found += more
        return found

    def rest(self) -> bytes:
        """Everything until the server closes. Raises: ConnectionResetError."""
        found = b""
        while more := self.socket.recv(65536):
            found += more
        return found

    def reply(self) -> tuple[bytes, bytes]:
        """Head and body of one response that says its length."""
        found = self.until(b"\r\n\r\n")
        head, _, body = found.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")
        )
        while len(body) < length:
            body += self.socket.recv(65536)
        return head, body
