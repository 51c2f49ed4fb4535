"""What a key may read of its own account: balance, spending, and the proof of one charge.

    GET /v1/balance                         balance, held and available, exact, as text
    GET /v1/dashboard/billing/subscription  in OpenAI's old shape, which many clients read: all that was ever added
    GET /v1/dashboard/billing/usage         the same, what was spent: start_date and end_date, in cents, day by day
    GET /v1/requests/{id}                   the receipt of a request: what it used, at which prices, line by line

Amounts that we name ourselves are decimal text in USD; OpenAI's shape has numbers, which are written with all digits.
Days are UTC, and a request belongs to the day on which it was admitted.
"""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs

import msgspec

from allgate.billing.prices import ChargeLine
from allgate.core.errors import ErrorKind, refused
from allgate.core.money import usd_text
from allgate.gateway.admission import Call, authenticate
from allgate.gateway.ports import Proof
from allgate.gateway.reply import json_reply
from allgate.gateway.services import Services
from allgate.identity.caller import Caller
from allgate.wire.message import WireReply

DAYS_MAX = 100
"""A report reads one range for each day. OpenAI's own bound was the same."""

DAY_MS = 86_400_000


async def account_reply(services: Services, call: Call, rest: str) -> WireReply:
    """`rest` is the path after the version. Raises: Refused: 400, 401, 404."""
    caller = authenticate(services.directory, call)
    if rest == "/balance":
        return _json(call, await _balance(services, caller))
    if rest == "/dashboard/billing/subscription":
        return _json(call, await _subscription(services, caller))
    if rest == "/dashboard/billing/usage":
        return _json(call, await _usage(services, call, caller))
    request_id = rest.removeprefix("/requests/")
    proof = await services.books.proof(caller.account_id, request_id)
    if proof is None:
        raise refused(ErrorKind.NOT_FOUND, f"No request {request_id!r} was found.", code="request_not_found")
    return _json(call, _receipt(proof))


async def _balance(services: Services, caller: Caller) -> dict[str, object]:
    balance, available = await services.ledger.funds(caller.account_id)
    return {
        "object": "balance",
        "account": caller.account_id,
        "balance_usd": usd_text(balance),
        "held_usd": usd_text(balance - available),
        "available_usd": usd_text(available),
    }


async def _subscription(services: Services, caller: Caller) -> dict[str, object]:
    granted = _number(await services.books.granted_nano_usd(caller.account_id))
    return {
        "object": "billing_subscription",
        "has_payment_method": True,
        "soft_limit_usd": granted,
        "hard_limit_usd": granted,
        "system_hard_limit_usd": granted,
        "access_until": int(caller.expires_s or 0),
    }


async def _usage(services: Services, call: Call, caller: Caller) -> dict[str, object]:
    days = _days(call)
    windows = [(start, start + DAY_MS) for start in days]
    spent = await services.books.spent_nano_usd(caller.account_id, windows)
    return {
        "object": "list",
        "total_usage": _number(sum(spent) * 100),
        "daily_costs": [
            {"timestamp": start // 1000, "line_items": [{"name": "requests", "cost": _number(amount * 100)}]}
            for start, amount in zip(days, spent, strict=True)
            if amount
        ],
    }


def _days(call: Call) -> list[int]:
    """The days from start_date to before end_date, each by its first millisecond. Without dates: the last 100 days."""
    query = parse_qs(call.wire.query.decode("latin-1"))
    today = datetime.fromtimestamp(call.started_s, UTC).date()
    end = _date(query, "end_date", today + timedelta(days=1))
    start = _date(query, "start_date", end - timedelta(days=DAYS_MAX))
    count = (end - start).days
    if not 0 < count <= DAYS_MAX:
        raise refused(
            ErrorKind.BAD_REQUEST,
            f"From start_date to end_date there must be 1 to {DAYS_MAX} days, and end_date is not included: {start} to {end}.",
            param="start_date",
        )
    first_ms = int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp()) * 1000
    return [first_ms + day * DAY_MS for day in range(count)]


def _date(query: dict[str, list[str]], name: str, otherwise: date) -> date:
    text = query.get(name, [""])[-1]
    if not text:
        return otherwise
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise refused(
            ErrorKind.BAD_REQUEST, f"{name} must be a date such as 2026-01-31, not {text!r}.", param=name
        ) from None


def _receipt(proof: Proof) -> dict[str, object]:
    row, receipt, charge = proof.row, proof.receipt, proof.charge
    uncollected = receipt.uncollected_nano_usd if receipt else 0
    return {
        "object": "request",
        "id": row.request_id,
        "created": row.started_ms // 1000,
        "key": row.key_id,
        "model": row.model,
        "dialect": row.dialect,
        "stream": row.stream,
        "status": row.status,
        "outcome": row.outcome,
        "duration_ms": row.duration_ms,
        "usage": {
            name: count for name, count in msgspec.structs.asdict(row.usage).items() if count is not None
        },
        "hold_usd": usd_text(row.hold_nano_usd),
        "charged_usd": usd_text(row.charged_nano_usd),
        "uncollected_usd": usd_text(uncollected),
        "corrected_usd": usd_text(proof.corrected_nano_usd),
        "settlement": "posted" if receipt else "voided",
        "price_sheet": row.price_id,
        "price_valid_from": proof.valid_from or None,
        "variants": None if charge is None else charge.variants,
        "lines": None if charge is None else [_line(line) for line in charge.lines],
        "ratio": None if charge is None else charge.ratio,
        "unpriced": None if charge is None else charge.unpriced,
        "notes": row.notes,
        "error": row.error,
    }


def _line(line: ChargeLine) -> dict[str, object]:
    return {"unit": line.unit, "quantity": line.quantity, "price_usd": line.price_usd, "per": line.per}


def _number(amount_nano_usd: int) -> msgspec.Raw:
    """The amount as a JSON number with all its digits, which no float has."""
    return msgspec.Raw(usd_text(amount_nano_usd).encode("ascii"))


def _json(call: Call, document: dict[str, object]) -> WireReply:
    return json_reply(call.request_id, msgspec.json.encode(document))
