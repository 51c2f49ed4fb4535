"""The parts of an explanation: a candidate with what it would be sent, who is left out, the money, a refusal.

Each is a value of a real step, shown. Credentials are blanked before a request is written, so that no text of them is
ever made; bodies stand as they would leave, byte for byte.
"""

import asyncio
from hashlib import sha256

import msgspec

from allgate.billing.ledger import Hold
from allgate.billing.output_sizes import EXPECTED_TOKENS_MIN, SAMPLES_MIN
from allgate.billing.prices import ChargeLine, charge_for
from allgate.billing.sheets import decimal_text, read_price_ref
from allgate.core.errors import AllgateError, WireError
from allgate.core.money import usd_text
from allgate.core.secret import Secret
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.gateway.admission import Call, Permitted, output_tokens_held, output_tokens_max
from allgate.gateway.admitted import Admitted
from allgate.gateway.encoding import encoded, request_headers
from allgate.gateway.plaza import prices_shown
from allgate.gateway.repair import Repair
from allgate.gateway.services import Services
from allgate.gateway.settle import Reservation
from allgate.operations.chat.features import missing_feature
from allgate.operations.tokens import count_request
from allgate.routing.catalogue import Deployment
from allgate.routing.plan import Candidate, in_some_dialect
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

BLANKED = Secret("[redacted]")
"""What stands where the operator's credential would."""


async def candidate_shown(
    services: Services, call: Call, allowed: Permitted, hold: Hold, candidate: Candidate
) -> tuple[JsonObject, AllgateError | None]:
    """One candidate: where, how, and exactly what it would be sent, or why that cannot be said to it."""
    deployment = candidate.deployment
    speaks = candidate.speaks.dialect
    shown: JsonObject = {
        "upstream": deployment.upstream.name,
        "provider": deployment.upstream.provider.name,
        "model": deployment.model,
        "credential": candidate.credential.id,
        "dialect": speaks,
        "dialect_because": _dialect_because(candidate, call.dialect.name, allowed),
        "mode": "passed through" if candidate.passthrough else "translated",
        "mode_because": candidate.translated_because or "same dialect, and no rule has a say in the body",
        "request": None,
        "notes": [],
        "error": None,
    }
    reservation = Reservation(services.ledger, hold, allowed.pricing, allowed.head.input_bytes)
    admitted = Admitted(call, allowed, reservation, services.recorder, services.clock)
    blank = changed(candidate, credential=changed(candidate.credential, secret=BLANKED))
    try:
        asked, _ = await encoded(services, admitted, blank, Repair())
    except AllgateError as error:
        return shown | {"error": error.failure.message}, error
    path = candidate.speaks.path_prefix + asked.path
    headers = request_headers(blank, asked)
    url, head = services.transport.written(deployment.upstream, path, headers, len(asked.body))
    notes = [msgspec.to_builtins(note) for note in admitted.notes]
    return shown | {"request": _request(url, head, asked.body), "notes": notes}, None


def _request(url: str, head: bytes, body: bytes) -> JsonObject:
    first, *fields = head.decode("latin-1").strip().split("\r\n")
    return {
        "method": first.partition(" ")[0],
        "url": url,
        "headers": [field.split(": ", 1) for field in fields],
        "body": _as_it_leaves(body),
        "body_bytes": len(body),
        "body_sha256": sha256(body).hexdigest(),
    }


def _as_it_leaves(body: bytes) -> Json:
    """The JSON of the body itself; its text, where it is none that can stand in ours."""
    try:
        body.decode("utf-8")
        return msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, ValueError):
        return body.decode("utf-8", "backslashreplace")


def _dialect_because(candidate: Candidate, dialect: str, allowed: Permitted) -> str:
    upstream = candidate.deployment.upstream
    if candidate.speaks.dialect == dialect:
        return "the client's own"
    if dialect not in upstream.dialects:
        return f"{upstream.name} is not spoken to in {dialect}"
    lacking = missing_feature(allowed.head.features, candidate.deployment.caps[dialect])
    return f"in {dialect} this deployment lacks {lacking}"


def left_out(allowed: Permitted, dialect: str, draw: float) -> list[JsonObject]:
    """Deployments that cannot serve the request, and what they lack, or which rule of theirs refuses it."""
    found: list[JsonObject] = []
    for deployment in allowed.model.deployments:
        because = _out_because(deployment, allowed, dialect, draw)
        if because:
            found.append(
                {"upstream": deployment.upstream.name, "model": deployment.model, "because": because}
            )
    return found


def _out_because(deployment: Deployment, allowed: Permitted, dialect: str, draw: float) -> str:
    try:
        candidate = in_some_dialect(deployment, allowed.head, dialect, draw)
    except WireError as error:  # one of its rules
        return error.failure.message
    if not isinstance(candidate, str):
        return ""
    return f"it has no {candidate}" if candidate else "it is spoken to in no dialect"


async def money(services: Services, call: Call, allowed: Permitted, hold: Hold) -> JsonObject:
    """Prices, what would be held, and what it would cost if the answer were as long as it may be."""
    pricing, head = allowed.pricing, allowed.head
    _, ratio = read_price_ref(pricing.id)
    available = (await services.ledger.funds(allowed.caller.account_id)).available_nano_usd
    return {
        "price": pricing.id,
        "prices": prices_shown(pricing.sheet),
        "ratio": decimal_text(ratio),
        "hold": {
            "usd": usd_text(hold.amount_nano_usd),
            "input_tokens_at_most": head.input_bytes,
            "output_tokens_at_most": output_tokens_max(allowed) * head.n,
            "output_tokens": output_tokens_held(allowed) * head.n,
            "output_because": _output_because(allowed),
        },
        "available_usd": usd_text(available),
        "covered": hold.amount_nano_usd <= available,
        "if_answered_in_full": await _cost(services, call, allowed),
    }


def _output_because(allowed: Permitted) -> str:
    """Why so much output is held for."""
    most, expected = output_tokens_max(allowed), allowed.expected
    if expected is None:
        return "the worst case"
    if expected.tokens is None:
        return f"the worst case: {expected.samples} answers of the model were seen, {SAMPLES_MIN} are needed to expect one"
    if expected.tokens >= most:
        return f"the worst case: it is not above the {expected.tokens} tokens that are expected"
    return f"expected: what 99 of 100 answers of the model stay within, at least {EXPECTED_TOKENS_MIN} tokens"


async def _cost(services: Services, call: Call, allowed: Permitted) -> JsonObject | None:
    """The charge of the counted input and the longest output; None: the body cannot be counted."""
    try:
        request = call.dialect.decode_request(call.wire, services.seal_box(allowed.caller.account_id))
    except WireError:
        return None
    counted = await asyncio.to_thread(count_request, request)
    usage = Usage(input_tokens=counted, output_tokens=output_tokens_max(allowed) * allowed.head.n)
    charge = charge_for(usage, allowed.pricing.sheet, read_price_ref(allowed.pricing.id)[1])
    return {"usd": usd_text(charge.amount_nano_usd), "lines": [_line(line) for line in charge.lines]}


def _line(line: ChargeLine) -> JsonObject:
    return {"unit": line.unit, "quantity": line.quantity, "price_usd": line.price_usd, "per": line.per}


def refusal(call: Call, error: AllgateError) -> JsonObject:
    """What the client would read."""
    reply = call.dialect.encode_error(error.failure, call.request_id)
    return {"status": reply.status, "body": json.decode_lenient(reply.body)}
