"""Kept responses, as their account reads and deletes them.

    GET    /v1/responses/{id}               the response object, as its client saw it
    DELETE /v1/responses/{id}               forgotten at once; what continues it cannot be continued any more
    GET    /v1/responses/{id}/input_items   everything that it was asked with, earlier turns included, in pages
    POST   /v1/responses/{id}/cancel        always refused: only background responses can be cancelled

An account sees its own responses only; another's is not found, like one that never was. `?stream=true` replays the
events of background responses at the vendor's; there are none here, so it is refused.
"""

from urllib.parse import parse_qs

from allgate.core.errors import ErrorKind, refused
from allgate.dialects.openai_responses.stored import items_in, listed, page, retrieved
from allgate.gateway.admission import Call, authenticate
from allgate.gateway.ports import StoredResponse
from allgate.gateway.reply import json_reply
from allgate.gateway.responses_store import items_of, not_found, not_kept, whole_conversation
from allgate.gateway.services import Services
from allgate.identity.caller import Caller, permit
from allgate.wire import json
from allgate.wire.json import JsonObject
from allgate.wire.message import WireReply

PAGE_ITEMS_DEFAULT = 20
PAGE_ITEMS_MAX = 100
"""Both are the vendor's."""

_METHODS = {"": ("GET", "DELETE"), "/input_items": ("GET",), "/cancel": ("POST",)}


async def response_reply(services: Services, call: Call, rest: str) -> WireReply:
    """`rest` is the path after the version. Raises: Refused: 400, 401, 403, 404, 405."""
    response_id, slash, below = rest.removeprefix("/responses/").partition("/")
    below = slash + below
    caller = authenticate(services.directory, call)
    if below not in _METHODS:
        raise refused(ErrorKind.NOT_FOUND, f"Unknown request URL: {call.wire.method} {call.wire.path}.")
    if call.wire.method not in _METHODS[below]:
        allowed = " or ".join(_METHODS[below])
        raise refused(ErrorKind.METHOD, f"Use {allowed} for {call.wire.path}, not {call.wire.method}.")
    response = await _found(services, call, caller, response_id)
    if below == "/input_items":
        return _json(call, await _input_items(services, call, response))
    if below == "/cancel":
        raise refused(ErrorKind.BAD_REQUEST, "Cannot cancel a synchronous response.")
    if call.wire.method == "DELETE":
        await services.responses.delete(caller.account_id, response_id)
        return _json(call, {"id": response_id, "object": "response", "deleted": True})
    if _query(call).get("stream", "false").lower() in ("true", "1"):
        raise refused(
            ErrorKind.BAD_REQUEST,
            "Only a response that was created in the background can be streamed again. Leave 'stream' out.",
            param="stream",
        )
    if response.lost:
        raise refused(ErrorKind.NOT_FOUND, not_kept(response))
    return json_reply(call.request_id, retrieved(response.answer, response.parent))


async def _found(services: Services, call: Call, caller: Caller, response_id: str) -> StoredResponse:
    response = await services.responses.get(caller.account_id, response_id)
    if response is None:
        raise not_found(response_id)
    permit(caller, response.model, call.dialect.name)
    return response


async def _input_items(services: Services, call: Call, response: StoredResponse) -> JsonObject:
    found = await whole_conversation(services.responses, response.account_id, response.id)
    earlier = (item for one in found[:-1] for item in items_of(one))
    query = _query(call)
    return page(
        listed((*earlier, *items_in(found[-1].input)), response.id),
        after=query.get("after"),
        limit=_limit(query.get("limit", str(PAGE_ITEMS_DEFAULT))),
        newest_first=_newest_first(query.get("order", "desc")),
    )


def _limit(said: str) -> int:
    if said.isascii() and said.isdigit() and 1 <= int(said) <= PAGE_ITEMS_MAX:
        return int(said)
    raise refused(
        ErrorKind.BAD_REQUEST, f"'limit' must be 1 to {PAGE_ITEMS_MAX}, not '{said}'.", param="limit"
    )


def _newest_first(said: str) -> bool:
    if said in ("asc", "desc"):
        return said == "desc"
    raise refused(ErrorKind.BAD_REQUEST, f"'order' must be 'asc' or 'desc', not '{said}'.", param="order")


def _query(call: Call) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(call.wire.query.decode("latin-1")).items()}


def _json(call: Call, document: JsonObject) -> WireReply:
    return json_reply(call.request_id, json.encode(document))
