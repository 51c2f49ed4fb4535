"""What would become of a request, without sending, holding or charging anything.

Two forms, both with the caller's own key:

    POST /v1/explain                 {"path": "/v1/messages", "headers": {…}, "body": {…}}
    POST /v1/messages?explain=true   the request itself, from any SDK

`dialect` may stand in place of `path`, except for Gemini, whose path names the model. `draw`, from 0 up to 1, takes the
place of the dice, so that an explanation can be had again; the answer names the one that was used.

Every line is the work of the functions that serve real requests (`continued`, `permitted`, `planned`, `hold_for`,
`encoded`, the transport's own head), with the credential blanked before it reaches them; a test compares what is shown
with what then arrives at the upstream, byte for byte. What a real request would be refused for is part of the answer,
with the reply that its client would read; only a wrong key, or a question that cannot be read, is an error here. Media
that a candidate does not take by URL are fetched, as they would be.
"""

import re
from collections.abc import Mapping

import msgspec

from allgate.core.errors import AllgateError, wire_error
from allgate.core.value import Value, changed
from allgate.gateway.admission import Call, authenticate, hold_for, key_shown, permitted
from allgate.gateway.explanation import candidate_shown, left_out, money, refusal
from allgate.gateway.handle import planned
from allgate.gateway.reply import json_reply
from allgate.gateway.responses_store import KEEPING_DIALECT, continued
from allgate.gateway.services import Services
from allgate.routing.affinity import home_of
from allgate.routing.plan import Candidate, plan
from allgate.routing.retry import ATTEMPTS_MAX
from allgate.wire import json
from allgate.wire.headers import CREDENTIAL_FIELDS, Headers
from allgate.wire.json import JsonObject
from allgate.wire.message import WireReply, WireRequest

PATHS: Mapping[str, str] = {
    "openai_chat": "/v1/chat/completions",
    "openai_completions": "/v1/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
}
"""Where a question that only names a dialect is asked."""


_NAMED = re.compile(rb"explain(?:=(?:1|true)?)?")


class Question(Value, frozen=True, kw_only=True):
    """The request to explain, as if it had come in by itself. `dialect` empty: its path decides; `draw` None: the dice do."""

    wire: WireRequest
    dialect: str = ""
    draw: float | None = None


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    body: msgspec.Raw
    path: str = ""
    dialect: str = ""
    headers: dict[str, str] = {}
    draw: float | None = None


def read_question(wire: WireRequest) -> Question:
    """The body of `POST /v1/explain`. The key stays the caller's own. Raises: WireError; Refused: no key."""
    try:
        asked = msgspec.json.decode(wire.body, type=_Asked)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise wire_error(f"A question is {{path, headers, body}}: {error}") from error
    if not asked.path and asked.dialect not in PATHS:
        known = ", ".join(PATHS)
        raise wire_error(f"Send the 'path' of the request, or its 'dialect': {known}.", param="path")
    if asked.draw is not None and not 0 <= asked.draw < 1:
        raise wire_error(f"'draw' must be at least 0 and less than 1, not {asked.draw}.", param="draw")
    path, _, query = (asked.path or PATHS[asked.dialect]).partition("?")
    key = (b"authorization", b"Bearer " + key_shown(wire).encode("latin-1"))
    inner = WireRequest(
        method="POST",
        path=path,
        query=query.encode("latin-1", "replace"),
        headers=(*_headers(asked.headers), key),
        body=bytes(asked.body),
    )
    return Question(wire=inner, dialect=asked.dialect, draw=asked.draw)


def _headers(said: Mapping[str, str]) -> Headers:
    """As they would come in, without credentials. Raises: WireError: one that no request can have."""
    for name, value in said.items():
        if not (name.isascii() and value.isascii() and f"{name}{value}".isprintable()):
            raise wire_error(f"The header {name!r} is none that a request can have.", param="headers")
    fields = ((name.lower().encode("ascii"), value.encode("ascii")) for name, value in said.items())
    return tuple(field for field in fields if field[0] not in CREDENTIAL_FIELDS)


def is_question(wire: WireRequest) -> bool:
    """Does the request ask for its own explanation? `?explain`, `?explain=1`, `?explain=true`."""
    return any(_NAMED.fullmatch(part) for part in wire.query.split(b"&"))


def without_question(wire: WireRequest) -> WireRequest:
    """The request itself."""
    rest = b"&".join(part for part in wire.query.split(b"&") if not _NAMED.fullmatch(part))
    return changed(wire, query=rest)


async def explain_reply(services: Services, call: Call, draw: float | None = None) -> WireReply:
    """`call` is the request that is asked about. Raises: Refused(AUTH)."""
    authenticate(services.directory, call)
    draw = services.dice() if draw is None else draw
    document: JsonObject = {
        "object": "explanation",
        "dialect": call.dialect.name,
        "draw": draw,
        "would": "run",
        "reply": None,
        "model": None,
        "asks_for": [],
        "candidates": [],
        "left_out": [],
        "money": None,
    }
    try:
        await _explain(services, call, draw, document)
    except AllgateError as error:
        document |= {"would": "be refused", "reply": refusal(call, error)}
    return json_reply(call.request_id, json.encode(document))


async def _explain(services: Services, call: Call, draw: float, document: JsonObject) -> None:
    """Fill in as much as can be known. Raises: AllgateError: the request would end so."""
    if call.dialect.name == KEEPING_DIALECT:
        call = (await continued(services, call)).call
    allowed = permitted(services.directory, call, authenticate(services.directory, call))
    document |= {"model": allowed.model.name, "asks_for": sorted(allowed.head.features)}
    document["left_out"] = left_out(allowed, call.dialect.name, draw)
    candidates = planned(services, call, allowed, draw)
    hold = hold_for(call, allowed)
    document["money"] = await money(services, call, allowed, hold)
    if not document["money"]["covered"]:
        document["would"] = "be refused"
    drawn = plan(allowed.model, allowed.head, call.dialect.name, draw)
    refusals: list[AllgateError | None] = []
    for place, candidate in enumerate(candidates):
        shown, error = await candidate_shown(services, call, allowed, hold, candidate)
        first = {"tried": place < ATTEMPTS_MAX, "order": _why_here(place, candidates, drawn)}
        document["candidates"].append(first | shown)
        refusals.append(error)
    if refusals[0] is not None:  # what cannot be said to the best is not said to another
        raise refusals[0]


def _why_here(place: int, candidates: tuple[Candidate, ...], drawn: tuple[Candidate, ...]) -> str:
    """Why this candidate stands where it does."""
    one = candidates[place]
    deployment = one.deployment
    equals = [other for other in candidates if other.deployment.priority == deployment.priority]
    words = f"priority {deployment.priority}"
    if len(equals) == 1:
        return words
    if equals[0] is one and home_of(drawn[place]) != home_of(one):
        return f"{words}, before its equals: the sealed reasoning in the request was issued here"
    total = sum(other.deployment.weight for other in equals)
    if equals[0] is one:
        return f"{words}, drawn among {len(equals)} equals by weight {deployment.weight} of {total}"
    return f"{words}, after the draw, by weight {deployment.weight}"
