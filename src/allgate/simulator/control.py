"""The simulator's own pages, for whoever runs it in another process: health, ledger, release, script.

`GET /healthz`; `GET /ledger?request_id=…&since=SERIAL&bodies=true`; `POST /release?name=…`; `POST /script?scene=…` (once per
request to come). They need no key and leave no line in the ledger.
"""

import asyncio
from typing import Protocol

from allgate.simulator.delivery import Reply
from allgate.simulator.exchange import Request
from allgate.simulator.ledger import Ledger
from allgate.simulator.scenes import SceneError
from allgate.wire import json
from allgate.wire.json import JsonObject

_PAGES = ("/healthz", "/ledger", "/release", "/script")


class Controls(Protocol):
    """What the pages show and steer."""

    ledger: Ledger

    def held(self, name: str) -> asyncio.Event: ...
    def script(self, *lines: str) -> None: ...


def owns(request: Request) -> bool:
    """Is this one of the simulator's own pages?"""
    return request.path in _PAGES


def reply(request: Request, desk: Controls) -> Reply:
    """The page."""
    status, body = _page(request, desk)
    return Reply(
        status=status, headers=((b"content-type", b"application/json"),), frames=(json.encode(body),)
    )


def _page(request: Request, desk: Controls) -> tuple[int, JsonObject]:
    match request.path:
        case "/ledger":
            bodies = request.query.get("bodies") == "true"
            since = request.query.get("since", "")
            return 200, desk.ledger.document(
                request_id=request.query.get("request_id"),
                since=int(since) if since.isdecimal() else 0,
                bodies=bodies,
            )
        case "/release":
            desk.held(request.query.get("name", "")).set()
            return 200, {"released": request.query.get("name", "")}
        case "/script":
            try:
                desk.script(request.query.get("scene", ""))
            except SceneError as error:
                return 400, {"error": str(error)}
            return 200, {"queued": request.query.get("scene", "")}
        case _:
            return 200, {"status": "ok"}
