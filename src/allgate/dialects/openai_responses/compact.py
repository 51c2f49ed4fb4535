"""`POST /v1/responses/compact`: a conversation in, the same in short out.

    {"model", "input", "instructions", …}  →  {"object": "response.compaction", "output": [user messages…, compaction], "usage"}

It is a request that ends in a compaction trigger (`compaction`), with another object around the answer; so it goes to any
model. Its reply is always written here, never passed through: what a provider answers is not this object.
"""

import msgspec

from allgate.core.value import changed
from allgate.dialects.openai_responses.compaction import ITEM_TYPE, TRIGGER
from allgate.dialects.openai_responses.head import raw_members
from allgate.dialects.openai_responses.stored import items_in, listed, said_items, with_members
from allgate.dialects.passes.lenient import object_of, objects_of
from allgate.wire import json
from allgate.wire.json import JsonObject, decode_object
from allgate.wire.message import WireRequest

_TRIGGER = json.encode({"type": TRIGGER})
_UNSENT = ("stream", "stream_options", "background")
"""Members that a compaction does not have; an answer in one piece is what it is."""


def asking(request: WireRequest) -> WireRequest:
    """The ordinary request that asks for this compaction. Raises: WireError: no JSON object."""
    members = {name: bytes(value) for name, value in raw_members(request.body).items() if name not in _UNSENT}
    items = (*said_items(members.get("input")), _TRIGGER)
    members |= {"input": b"[" + b",".join(items) + b"]", "store": b"false"}
    return changed(request, body=with_members(members))


def user_messages(request: WireRequest) -> tuple[bytes, ...]:
    """What the user said in such a request: it stays as it is."""
    found = raw_members(request.body).get("input", msgspec.Raw(b"[]"))
    return tuple(item for item in items_in(bytes(found)) if _is_users(object_of(json.decode(item))))


def _is_users(item: JsonObject) -> bool:
    return item.get("role") == "user" and item.get("type", "message") == "message"


def compaction_object(body: bytes, users: tuple[bytes, ...]) -> bytes:
    """The reply around a response object whose output holds the compaction."""
    response = decode_object(body, "response")
    items = [item for item in objects_of(response.get("output")) if item.get("type") == ITEM_TYPE]
    return json.encode(
        {
            "id": response["id"],
            "object": "response.compaction",
            "created_at": response["created_at"],
            "output": [*listed(users, str(response["id"])), *items],
            "usage": response["usage"],
        }
    )
