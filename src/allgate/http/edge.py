"""The application: finds a request's route and hands it to the gateway. No framework: every microsecond here is paid by
every request.
"""

import logging
from asyncio import CancelledError
from collections.abc import Coroutine
from typing import Protocol

from allgate.core.errors import AllgateError, ErrorKind, Failure, refused
from allgate.core.value import changed
from allgate.dialects.contract import ChatDialect
from allgate.gateway.account import account_reply
from allgate.gateway.admission import Call
from allgate.gateway.compact import compact
from allgate.gateway.count import count_reply
from allgate.gateway.explain import Question, explain_reply, is_question, read_question, without_question
from allgate.gateway.handle import handle
from allgate.gateway.models import model_reply
from allgate.gateway.plaza import Plaza
from allgate.gateway.responses import response_reply
from allgate.gateway.responses_store import KEEPING_DIALECT, answer_and_keep
from allgate.gateway.services import Services
from allgate.http.client import EdgeClient
from allgate.http.routes import Route, find_route
from allgate.wire.message import WireReply, WireRequest

BODY_BYTES_MAX_DEFAULT = 64 * 1024 * 1024
"""Above the largest vendor limit for inline media that clients really use (Anthropic: 32 MB a request)."""

_log = logging.getLogger("allgate.http")


class Status(Protocol):
    """What the plain routes report."""

    async def ready(self) -> str | None:
        """None when ready, else why not."""
        ...

    async def metrics(self) -> bytes: ...


class Edge:
    """`protocol.Application` on the gateway. `body_bytes_max` bounds a request's body; `explains`: `/v1/explain` is open."""

    def __init__(
        self,
        services: Services,
        status: Status,
        body_bytes_max: int = BODY_BYTES_MAX_DEFAULT,
        *,
        explains: bool = True,
    ) -> None:
        self.body_bytes_max = body_bytes_max
        self._services = services
        self._status = status
        self._plaza = Plaza()
        self._explains = explains

    def accept(self, request: WireRequest, client: EdgeClient, address: str) -> None:
        """Begin to serve it: its task lives as long as its client."""
        services = self._services
        route = find_route(request.method, request.path, request.query, request.headers)
        started_s = services.clock.now_s()
        call = Call(
            request_id=services.new_request_id(started_s),
            started_s=started_s,
            started_monotonic_s=services.clock.monotonic_s(),
            address=address,
            operation=route.operation or "unknown",
            dialect=services.dialects[route.dialect].for_request(request),
            wire=request,
        )
        client.task = services.loop.create_task(self._guarded(self._work(route, call, client), call, client))

    def _work(self, route: Route, call: Call, client: EdgeClient) -> Coroutine[None, None, None]:
        match route.operation:
            case "chat" if call.wire.query and is_question(call.wire):
                return self._explain(changed(call, wire=without_question(call.wire)), client)
            case "chat" if route.dialect == KEEPING_DIALECT:
                return answer_and_keep(self._services, call, client)
            case "compact":
                return compact(self._services, call, client)
            case "chat":
                return handle(self._services, call, client)
            case _:
                return self._reply(route, call, client)

    def too_large(self, request: WireRequest, client: EdgeClient) -> None:
        route = find_route(request.method, request.path, request.query, request.headers)
        message = f"The request body is larger than {self.body_bytes_max} bytes."
        failure = Failure(kind=ErrorKind.TOO_LARGE, message=message)
        request_id = self._services.new_request_id(self._services.clock.now_s())
        dialect = self._services.dialects[route.dialect]
        self._services.recorder.refused(dialect.name, route.operation or "unknown", failure)
        client.reply(dialect.encode_error(failure, request_id))

    async def _guarded(self, work: Coroutine[None, None, None], call: Call, client: EdgeClient) -> None:
        """Whatever goes wrong, the client gets an answer in its format, and the log a line."""
        dialect: ChatDialect = call.dialect
        try:
            await work
        except AllgateError as error:
            client.reply(dialect.encode_error(error.failure, call.request_id))
            self._services.recorder.refused(dialect.name, call.operation, error.failure)
        except CancelledError:
            client.abort()  # nobody is left who would answer
            raise
        except Exception:
            _log.exception("request failed", extra={"request_id": call.request_id, "path": call.wire.path})
            message = f"The gateway failed to handle this request. Its id is {call.request_id}."
            if client.started:
                client.abort()
            else:
                failure = Failure(kind=ErrorKind.INTERNAL, message=message)
                client.reply(dialect.encode_error(failure, call.request_id))

    async def _reply(self, route: Route, call: Call, client: EdgeClient) -> None:
        """Everything that is answered in one piece."""
        services = self._services
        match route.operation:
            case "response":
                client.reply(await response_reply(services, call, route.rest))
            case "explain":
                question = read_question(call.wire)
                await self._explain(self._asked_about(call, question), client, question.draw)
            case "count_tokens":
                client.reply(await count_reply(services, call))
            case "models" | "model":
                client.reply(model_reply(services, call, route.rest))
            case "catalogue":
                client.reply(self._plaza.reply(services, call))
            case "account":
                client.reply(await account_reply(services, call, route.rest))
            case "livez":
                client.reply(_plain(200, b"ok\n"))
            case "readyz":
                reason = await self._status.ready()
                client.reply(_plain(200, b"ok\n") if reason is None else _plain(503, reason.encode() + b"\n"))
            case "metrics":
                client.reply(_plain(200, await self._status.metrics()))
            case _:
                raise _no_route(call.wire, route)

    async def _explain(self, call: Call, client: EdgeClient, draw: float | None = None) -> None:
        if not self._explains:
            raise refused(ErrorKind.NOT_FOUND, "This gateway explains nothing.", code="explain_disabled")
        client.reply(await explain_reply(self._services, call, draw))

    def _asked_about(self, call: Call, question: Question) -> Call:
        """The request in a question, as if it had come in by itself."""
        wire = question.wire
        route = find_route(wire.method, wire.path, wire.query, wire.headers)
        if route.operation != "chat" or question.dialect not in ("", route.dialect):
            raise refused(
                ErrorKind.BAD_REQUEST,
                f"There is nothing to explain about {wire.path} in dialect '{question.dialect or route.dialect}'.",
                param="path",
            )
        dialect = self._services.dialects[route.dialect].for_request(wire)
        return changed(call, wire=wire, dialect=dialect, operation="chat")


def _plain(status: int, body: bytes) -> WireReply:
    return WireReply(status=status, headers=((b"content-type", b"text/plain; charset=utf-8"),), body=body)


def _no_route(request: WireRequest, route: Route) -> Exception:
    if any(name == b"upgrade" for name, _ in request.headers):
        return refused(
            ErrorKind.UPGRADE, "This gateway speaks HTTP here, not WebSocket. Send a POST request."
        )
    if route.allowed:
        return refused(ErrorKind.METHOD, f"Use {route.allowed} for {request.path}, not {request.method}.")
    return refused(
        ErrorKind.NOT_FOUND, f"Unknown request URL: {request.method} {request.path}.", code="unknown_url"
    )
