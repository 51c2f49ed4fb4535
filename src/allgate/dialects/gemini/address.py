"""What a Gemini path and query say: the model, the verb, and how a stream is framed.

The version segments in front are the router's business. Behind the first `models/` stands the model's name, which may
hold `/` and `:` itself, so the verb begins at the LAST colon. `tunedModels/x:…` keeps its prefix as part of the name.

A stream comes as server-sent events with `alt=sse`, which all of Google's SDKs ask for, and as one JSON array
without it, which is what curl users get. An array is remembered in `ChatRequest.extra["gemini"]["alt"]`, a name that no
member of a body has.
"""

from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qsl

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.value import Value
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import JsonObject
from allgate.wire.message import WireRequest

ALT = "alt"
Alt = Literal["sse", "json"]

WHOLE_VERB = "generateContent"
STREAM_VERB = "streamGenerateContent"
COUNT_VERB = "countTokens"
_VERBS = frozenset({WHOLE_VERB, STREAM_VERB, COUNT_VERB})
_ADDRESSES_REMEMBERED = 256  # two or three for each model in use


class Address(Value, frozen=True, kw_only=True):
    """`alt` is how the client wants a stream framed; it says nothing about a whole answer."""

    model: str
    verb: str
    alt: Alt
    stream: bool


def address_of(request: WireRequest) -> Address:
    """The address of a request. Raises: WireError (not found): no model or no such verb in the path.

    >>> address_of(WireRequest(method="POST", path="/v1beta/models/a/b:c:generateContent")).model
    'a/b:c'
    """
    return _read(request.path, alt_of(request) if request.query else "json")


@lru_cache(_ADDRESSES_REMEMBERED)
def _read(path: str, alt: Alt) -> Address:
    name, _, verb = path.rpartition(":")
    model = name.partition("/models/")[2].removeprefix("models/")
    if not model and (tuned := name.partition("/tunedModels/")[2]):
        model = f"tunedModels/{tuned}"
    if verb not in _VERBS or not model:
        message = f"There is no method at {path}: POST to /v1beta/models/{{model}}:generateContent"
        raise WireError(Failure(kind=ErrorKind.NOT_FOUND, message=message))
    return Address(model=model, verb=verb, alt=alt, stream=verb == STREAM_VERB)


def alt_of(request: WireRequest) -> Alt:
    """`sse` where the query says `alt=sse` (its last `alt` counts), else `json`."""
    if request.query == b"alt=sse":  # what Google's SDKs write
        return "sse"
    if b"alt=" not in request.query:
        return "json"
    asked = [value for key, value in parse_qsl(request.query.decode("latin-1")) if key == "alt"]
    return "sse" if asked and asked[-1].lower() == "sse" else "json"


def wants_array(request: ChatRequest) -> bool:
    """True where a Gemini client asked for a stream without `alt=sse`."""
    own: JsonObject = request.extra.get("gemini", {})
    return request.dialect == "gemini" and own.get(ALT) == "json"
