"""The ASGI application: reads a request, finds its route, and hands it to the gateway.

Plain ASGI, no framework: on this path every microsecond is paid by every request. Replies do not go through ASGI's
`send` but through the `EdgeClient` that our protocol puts into the scope.
"""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

from allgate.core.errors import AllgateError, ErrorKind, Failure, refused
from allgate.dialects.contract import ChatDialect
from allgate.gateway.account import account_reply
from allgate.gateway.admission import Call
from allgate.gateway.count import count_reply
from allgate.gateway.handle import handle
from allgate.gateway.models import model_reply
from allgate.gateway.services import Services
from allgate.http.client import EdgeClient
from allgate.http.routes import Route, find_route
from allgate.wire.message import WireReply, WireRequest

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_BYTES_MAX_DEFAULT = 64 * 1024 * 1024
"""Above the largest vendor limit for inline media that clients really use (Anthropic: 32 MB a request)."""

_log = logging.getLogger("allgate.http")


class ClientWentAway(Exception):
    """The connection was lost before the request was complete."""


class Status(Protocol):
    """What the plain routes report."""

    async def ready(self) -> str | None:
        """None when ready, else why not."""
        ...

    async def metrics(self) -> bytes: ...


class Edge:
    """The application. `body_bytes_max` bounds a request's body."""

    def __init__(
        self, services: Services, status: Status, body_bytes_max: int = BODY_BYTES_MAX_DEFAULT
    ) -> None:
        self._services = services
        self._status = status
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        client: EdgeClient = scope["extensions"]["allgate.client"]
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        names = dict(headers)
        route = find_route(
            scope["method"],
            scope["path"],
            anthropic=b"anthropic-version" in names,
            gemini=b"x-goog-api-key" in names or b"key=" in scope["query_string"],
        )
        request_id = self._services.new_request_id()
        dialect = self._services.dialects.get(route.dialect) or self._services.dialects["openai_chat"]
        try:
            await self._routed(scope, receive, client, route, dialect, request_id)
        except AllgateError as error:
            client.reply(dialect.encode_error(error.failure, request_id))
            self._services.recorder.refused(dialect.name, route.operation or "unknown", error.failure)
        except ClientWentAway:
            pass
        except Exception:
            _log.exception("request failed", extra={"request_id": request_id, "path": scope["path"]})
            message = f"The gateway failed to handle this request. Its id is {request_id}."
            if client.started:
                client.abort()
            else:
                client.reply(
                    dialect.encode_error(Failure(kind=ErrorKind.INTERNAL, message=message), request_id)
                )

    async def _routed(
        self,
        scope: Scope,
        receive: Receive,
        client: EdgeClient,
        route: Route,
        dialect: ChatDialect,
        request_id: str,
    ) -> None:
        match route.operation:
            case "chat":
                call = await self._call(scope, receive, dialect, request_id)
                await handle(self._services, call, client)
            case "count_tokens":
                call = await self._call(scope, receive, dialect, request_id)
                client.reply(await count_reply(self._services, call))
            case "models" | "model":
                call = await self._call(scope, receive, dialect, request_id)
                client.reply(model_reply(self._services, call, route.rest))
            case "account":
                call = await self._call(scope, receive, dialect, request_id)
                client.reply(await account_reply(self._services, call, route.rest))
            case "livez":
                client.reply(_plain(200, b"ok\n"))
            case "readyz":
                reason = await self._status.ready()
                client.reply(_plain(200, b"ok\n") if reason is None else _plain(503, reason.encode() + b"\n"))
            case "metrics":
                client.reply(_plain(200, await self._status.metrics()))
            case None:
                raise _no_route(scope, route)

    async def _call(self, scope: Scope, receive: Receive, dialect: ChatDialect, request_id: str) -> Call:
        clock = self._services.clock
        started_s, started_monotonic_s = clock.now_s(), clock.monotonic_s()
        headers = tuple(scope["headers"])
        body = await self._body(receive, headers)
        peer = scope["client"]
        wire = WireRequest(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=headers,
            body=body,
        )
        return Call(
            request_id=request_id,
            started_s=started_s,
            started_monotonic_s=started_monotonic_s,
            address=peer[0] if peer else "",
            operation="chat",
            dialect=dialect.for_request(wire),
            wire=wire,
        )

    async def _body(self, receive: Receive, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
        for name, value in headers:
            if name == b"content-length" and int(value) > self._body_bytes_max:
                raise self._too_large()
        pieces: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientWentAway
            pieces.append(message["body"])
            size += len(message["body"])
            if size > self._body_bytes_max:
                raise self._too_large()
            more = message["more_body"]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _too_large(self) -> Exception:
        return refused(ErrorKind.TOO_LARGE, f"The request body is larger than {self._body_bytes_max} bytes.")


def _plain(status: int, body: bytes) -> WireReply:
    return WireReply(status=status, headers=((b"content-type", b"text/plain; charset=utf-8"),), body=body)


def _no_route(scope: Scope, route: Route) -> Exception:
    method, path = scope["method"], scope["path"]
    if any(name == b"upgrade" for name, _ in scope["headers"]):
        return refused(
            ErrorKind.UPGRADE, "This gateway speaks HTTP here, not WebSocket. Send a POST request."
        )
    if route.allowed:
        return refused(ErrorKind.METHOD, f"Use {route.allowed} for {path}, not {method}.")
    return refused(ErrorKind.NOT_FOUND, f"Unknown request URL: {method} {path}.", code="unknown_url")
