"""A client with somebody in between who looks at its answer, or writes it in another way, when it is complete.

Pieces of a stream go through untouched: what is of interest is a whole reply, and the end of a stream.
"""

from collections.abc import Callable

from allgate.gateway.ports import Client
from allgate.wire.headers import Headers
from allgate.wire.message import WireReply


class ClientBehind:
    """`gateway.ports.Client` on another one. Subclasses say what becomes of `reply` and `finish`."""

    __slots__ = ("_client", "abort", "write")

    def __init__(self, client: Client) -> None:
        self._client = client
        self.write = client.write  # no frame of ours in between: this is called for every chunk
        self.abort = client.abort

    @property
    def gone(self) -> bool:
        return self._client.gone

    @property
    def started(self) -> bool:
        return self._client.started

    @property
    def on_gone(self) -> Callable[[], None] | None:
        return self._client.on_gone

    @on_gone.setter
    def on_gone(self, call: Callable[[], None] | None) -> None:
        self._client.on_gone = call

    @property
    def on_drained(self) -> Callable[[], None] | None:
        return self._client.on_drained

    @on_drained.setter
    def on_drained(self, call: Callable[[], None] | None) -> None:
        self._client.on_drained = call

    def reply(self, reply: WireReply) -> None:
        self._client.reply(reply)

    def start(self, status: int, headers: Headers) -> None:
        self._client.start(status, headers)

    def finish(self, tail: bytes) -> None:
        self._client.finish(tail)
