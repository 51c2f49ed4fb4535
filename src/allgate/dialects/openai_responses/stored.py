"""What a server that keeps responses does with their wire objects. It reads and joins; where they are kept is the gateway's.

What a request continues, and items that it only names (`wish`), are resolved before anything else looks at the body: what
comes out is an ordinary request with the whole conversation in its `input`, which every model can be asked. Items keep
their bytes, so that a prompt cache finds the same prefix again. `instructions` and `tools` are not carried over: the
vendor asks for them anew each time.

An answer is kept as its client sees it: the object of a unary reply, or the one in the terminal event of a stream. A
stream whose terminal event does not repeat the output cannot be kept; that is said when it is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import msgspec

from allgate.core.errors import WireError, wire_error
from allgate.core.value import Value, changed
from allgate.dialects.openai_responses.head import raw_members
from allgate.dialects.openai_responses.item_ids import made_id
from allgate.dialects.passes.lenient import objects_of
from allgate.wire import json
from allgate.wire.json import Json, JsonObject, decode_lenient, object_at
from allgate.wire.message import WireRequest
from allgate.wire.sse import SseSplitter

INPUT_PLACE = 0x10000
"""Ids of input items are made like those of output items, from a place that no answer reaches."""

_KEPT = frozenset({"completed", "incomplete"})
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.done"})


class Answered(Value, frozen=True, kw_only=True):
    """A response object that may be kept: its id, its bytes, and the ids of its output items. `repeated`: it holds the
    output that its client was sent."""

    id: str
    answer: bytes
    items: tuple[str, ...]
    repeated: bool = True


def said_items(spoken: msgspec.Raw | bytes | None) -> tuple[bytes, ...]:
    """The items of `input`; a mere string is the user's message. Raises: WireError: another type."""
    text = b"null" if spoken is None else bytes(spoken)
    if text == b"null":
        return ()
    if text[:1] == b'"':
        return (b'{"type":"message","role":"user","content":' + text + b"}",)
    try:
        return items_in(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        message = "Invalid type for 'input': expected a string or an array of input items."
        raise wire_error(message, param="input", code="invalid_type") from error


def items_in(array: bytes | str) -> tuple[bytes, ...]:
    """The items of a JSON array, each as it stands there."""
    return tuple(map(bytes, _arrays.decode(array)))


def conversation(request: WireRequest, items: Iterable[bytes]) -> WireRequest:
    """The request with these items as its whole input, and nothing that refers to a kept response."""
    members: dict[str, bytes] = {name: bytes(value) for name, value in raw_members(request.body).items()}
    members.pop("previous_response_id", None)
    members["input"] = b"[" + b",".join(items) + b"]"
    return changed(request, body=with_members(members))


def with_members(members: Mapping[str, bytes]) -> bytes:
    """A JSON object of members that are JSON already."""
    return b"{" + b",".join(json.encode(name) + b":" + value for name, value in members.items()) + b"}"


class _Terminal(msgspec.Struct, gc=False):
    type: str = ""
    response: msgspec.Raw = msgspec.Raw(b"")


class _Item(msgspec.Struct, gc=False):
    id: str | None = None


class _Output(msgspec.Struct, gc=False):
    """What is read of a response: its items may hold pictures of megabytes, which are skipped over."""

    id: str
    status: str = ""
    output: list[_Item] = []


_terminals = msgspec.json.Decoder(_Terminal)
_arrays = msgspec.json.Decoder(list[msgspec.Raw])
_outputs = msgspec.json.Decoder(_Output)


def answered(body: bytes) -> Answered | None:
    """A whole reply as what may be kept; None where it failed or is no response."""
    try:
        seen = _outputs.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        try:
            body = json.encode(object_at(decode_lenient(body), "response"))
            seen = _outputs.decode(body)
        except (WireError, msgspec.DecodeError, ValueError, RecursionError):
            return None
    if seen.status not in _KEPT or not seen.id:
        return None
    ids = tuple(item.id for item in seen.output if item.id)
    return Answered(id=seen.id, answer=body, items=ids, repeated=bool(seen.output))


def answered_by_stream(tail: bytes) -> Answered | None:
    """The same, from the last bytes of a stream: its terminal event."""
    for data in _events(tail):
        try:
            event = _terminals.decode(data)
        except (msgspec.DecodeError, ValueError, RecursionError):
            continue
        if event.type in _TERMINAL:
            return answered(bytes(event.response))
    return None


def _events(tail: bytes) -> Iterator[bytes]:
    """The data of each event, the last one first. A megabyte with OpenAI's line ends is looked through in 20 µs."""
    if b"\r" in tail:
        with suppress(WireError):
            yield from (frame.data for frame in reversed(SseSplitter().feed(tail)))
        return
    end = len(tail)
    while end > 0:
        start = tail.rfind(b"\n", 0, end) + 1
        if tail.startswith(b"data:", start):
            yield tail[start + 5 : end]
        end = start - 1


def output_items(answer: str) -> tuple[bytes, ...]:
    """The output items of a kept response, each as JSON, as they go back into a conversation."""
    output = msgspec.json.decode(answer, type=dict[str, msgspec.Raw]).get("output")
    return () if output is None else items_in(bytes(output))


def output_item(answer: str, item_id: str) -> bytes | None:
    """The output item with this id."""
    return next((item for item in output_items(answer) if json.decode(item).get("id") == item_id), None)


def retrieved(answer: str, parent: str | None) -> bytes:
    """A kept response as it is shown again. A provider that was sent the conversation in full could not name `parent`."""
    if parent is None:
        return answer.encode()
    members = {name: bytes(value) for name, value in raw_members(answer.encode()).items()}
    return with_members({**members, "previous_response_id": json.encode(parent)})


def listed(items: Iterable[bytes], response_id: str) -> list[JsonObject]:
    """Items of an input as the vendor lists them: each has an id, and a message's content is a list of parts."""
    return [
        _listed(object_at(json.decode(item), "item"), response_id, place) for place, item in enumerate(items)
    ]


def _listed(item: JsonObject, response_id: str, place: int) -> JsonObject:
    kind = item.get("type") or "message"
    identified = {
        **item,
        "type": kind,
        "id": item.get("id") or made_id(str(kind), response_id, INPUT_PLACE + place),
    }
    if kind != "message":
        return identified
    content: Json = item.get("content")
    if isinstance(content, str):
        text_type = "output_text" if item.get("role") == "assistant" else "input_text"
        content = [{"type": text_type, "text": content}]
    parts = [_annotated(part) for part in objects_of(content)]
    return {**identified, "status": item.get("status") or "completed", "content": parts}


def _annotated(part: JsonObject) -> JsonObject:
    return (
        {**part, "annotations": part.get("annotations") or []} if part.get("type") == "output_text" else part
    )


def page(items: list[JsonObject], *, after: str | None, limit: int, newest_first: bool) -> JsonObject:
    """One page of a list, as the vendor's cursors want it. Raises: WireError: there is no item `after`."""
    ordered = items[::-1] if newest_first else items
    start = 0
    if after is not None:
        places = [place for place, item in enumerate(ordered) if item["id"] == after]
        if not places:
            raise wire_error(f"There is no item '{after}' in this list.", param="after")
        start = places[0] + 1
    shown = ordered[start : start + limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": start + limit < len(ordered),
    }
