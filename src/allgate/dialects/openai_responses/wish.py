"""What a request says of kept responses.

It says whether its answer is to be kept (`store`, true unless it says otherwise), what it continues
(`previous_response_id`), and may name items that it does not repeat (`item_reference`). Every request of this dialect is
asked, so the body is looked through once, and its items are read only where one of the three is there.
"""

import msgspec

from allgate.core.errors import unsupported
from allgate.core.value import Value
from allgate.dialects.openai_responses.head import raw_members
from allgate.dialects.openai_responses.stored import said_items
from allgate.dialects.passes.lenient import object_of, text_or_none
from allgate.wire import json
from allgate.wire.json import Json, optional_bool, optional_text
from allgate.wire.message import WireRequest

_REFERENCE = "item_reference"
_REFERENCE_BYTES = b'"item_reference"'
_NULL = msgspec.Raw(b"null")


class Wish(Value, frozen=True, kw_only=True):
    """What a request says of kept responses. `store`: its answer is to be kept. `items` are its own input items, each as
    JSON; `references` the ids of items that it names without repeating them. Of a request that has nothing to do with kept
    responses they are left unread."""

    model: str
    store: bool
    previous: str | None
    items: tuple[bytes, ...]
    references: tuple[str, ...]


class _Said(msgspec.Struct, gc=False):
    """The members that a server which keeps responses reads."""

    model: str | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: Json = None
    input: msgspec.Raw = _NULL


_said = msgspec.json.Decoder(_Said)


def read_wish(request: WireRequest, *, keeping: bool = True) -> Wish:
    """`keeping`: responses are kept here at all.

    Raises: WireError: no JSON object, a wrong type in what is read, or a conversation of the vendor's own store.
    """
    body = request.body
    try:
        said = _said.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        said = _said_oddly(body)
    if said.conversation:
        words = "Conversations are not kept here. Continue a response by 'previous_response_id', or send the items."
        raise unsupported(words, param="conversation")
    previous, stores = said.previous_response_id or None, said.store is not False
    store = keeping and stores
    names = (stores or _REFERENCE_BYTES in body) and (store or b'"id"' in body)
    items = said_items(said.input) if store or previous is not None or names else ()
    return Wish(
        model=said.model or "",
        store=store,
        previous=previous,
        items=items,
        references=tuple(filter(None, map(reference_in, items))) if items else (),
    )


def _said_oddly(body: bytes) -> _Said:
    """The same of a body that does not fit: says what is wrong, or reads what msgspec alone refuses."""
    raw = raw_members(body)
    said = {
        name: json.decode(raw[name], name)
        for name in _Said.__struct_fields__
        if name in raw and name != "input"
    }
    return _Said(
        model=optional_text(said, "model"),
        store=optional_bool(said, "store"),
        previous_response_id=optional_text(said, "previous_response_id"),
        conversation=said.get("conversation"),
        input=raw.get("input", _NULL),
    )


def reference_in(item: bytes) -> str | None:
    """The id that an item names in place of itself."""
    if b'"id"' not in item or (b'"type"' in item and _REFERENCE_BYTES not in item):
        return None
    said = object_of(json.decode(item, "input"))
    if said.get("type", _REFERENCE) != _REFERENCE or "role" in said:
        return None
    return text_or_none(said.get("id"))
