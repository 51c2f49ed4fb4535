"""Gemini on both sides: the client's body goes as it is, because the model stands in the path.

Only a `model` that the client repeats in the body is edited. Of the query, only the framing of a stream is kept: keys never
travel, and Google's other parameters change the shape of the reply that we read (`$alt`). Of the headers, what Google's
SDKs say about themselves and how long they will wait.
"""

from allgate.dialects.contract import Head, UpstreamCall
from allgate.dialects.gemini.address import address_of
from allgate.dialects.gemini.request_encode import JSON_HEADERS, path_for
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import dropped
from allgate.wire.json import encode
from allgate.wire.message import WireRequest
from allgate.wire.span import set_member

_FORWARDED = frozenset({b"x-goog-api-client", b"x-server-timeout"})


def passthrough(request: WireRequest, head: Head, model: str, caps: Caps) -> UpstreamCall:
    """Raises: WireError: no model in the path."""
    del caps  # nothing of a body that is passed through depends on them
    address = address_of(request)
    body = request.body
    if "model" in head.fields:
        body = set_member(body, "model", encode(f"models/{model}"))
    return UpstreamCall(
        path=path_for(model, address.verb, framed=address.alt == "sse"),
        body=body,
        headers=JSON_HEADERS + tuple(field for field in request.headers if field[0] in _FORWARDED),
        notes=(dropped("$alt", "the reply is read as it is written"),)
        if b"%24alt=" in request.query or b"$alt=" in request.query
        else (),
    )
