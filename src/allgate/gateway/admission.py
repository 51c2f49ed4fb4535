"""From a request as it came in to a request that may run: who asks, for what, may they, and is the money there.

Each step takes the last frozen value and returns a new one. Whatever fails here fails before a single upstream byte,
and costs nothing.
"""

from urllib.parse import parse_qs

from allgate.billing.ledger import Hold
from allgate.billing.output_sizes import Expected
from allgate.billing.pricing import Pricing
from allgate.catalogue.asked import examined
from allgate.core.errors import ErrorKind, refused
from allgate.core.value import Value
from allgate.dialects.contract import ChatDialect, Head
from allgate.gateway.ports import Directory, Ledger
from allgate.gateway.settle import Reservation
from allgate.identity.caller import Caller, key_hash, let_in, permit, presented_key, unknown_model
from allgate.routing.catalogue import Model
from allgate.wire.message import WireRequest

TIER_FIELDS = frozenset({"service_tier", "serviceTier"})
"""Where a request asks for a service tier, which may cost more than the ordinary one."""


class Call(Value, frozen=True, kw_only=True):
    """A request as it arrived: our id for it, when, from where, on which door."""

    request_id: str
    started_s: float
    started_monotonic_s: float
    address: str
    operation: str
    dialect: ChatDialect
    wire: WireRequest


class Permitted(Value, frozen=True, kw_only=True):
    """Who asks for which model, and at what price. `expected`: what to hold for each answer; None: the worst case."""

    caller: Caller
    head: Head
    model: Model
    pricing: Pricing
    expected: Expected | None = None


def authenticate(directory: Directory, call: Call) -> Caller:
    """Raises: Refused: 401: no key, an unknown one, or one that has expired; 403: not from here."""
    caller = directory.caller(key_hash(key_shown(call.wire)))
    if caller is None:
        raise refused(
            ErrorKind.AUTH,
            "Incorrect API key provided. Check the key, or ask the operator of this gateway for one.",
            code="invalid_api_key",
        )
    let_in(caller, call.address, call.started_s)
    return caller


def key_shown(wire: WireRequest) -> str:
    """The caller's key, wherever it stands. Raises: Refused(AUTH): nowhere."""
    query = wire.query
    query_key = parse_qs(query.decode("latin-1")).get("key", [None])[0] if b"key=" in query else None
    return presented_key(wire.headers, query_key)


def permitted(directory: Directory, call: Call, caller: Caller) -> Permitted:
    """The key may use this model, at this door; the model exists and has a price.

    Raises: Refused (403, 404), WireError (400).
    """
    head = call.dialect.read_head(call.wire)
    permit(caller, head.model, call.dialect.name)
    model = directory.catalogue.names.get(head.model)
    if model is None:
        raise unknown_model(head.model)
    if model.rules:
        head = examined(head, call.wire, call.dialect, model.glances)
    pricing = directory.price(model.price_id) if model.price_id is not None else None
    if pricing is None:
        raise refused(
            ErrorKind.OVERLOADED,
            f"The model '{model.name}' has no price yet, so it cannot be used. Ask the operator of this gateway.",
            code="price_missing",
        )
    if caller.group is None:
        return Permitted(caller=caller, head=head, model=model, pricing=pricing)
    pricing = directory.group_price(caller.group, model.name, pricing)
    expected = directory.expected_output(caller.group, model.name)
    return Permitted(caller=caller, head=head, model=model, pricing=pricing, expected=expected)


async def reserve(ledger: Ledger, call: Call, allowed: Permitted) -> Reservation:
    """Set aside the most this request can cost, or what it is expected to.

    Raises: Refused(BILLING): the balance or a budget does not cover it; PriceMissing: a hosted tool has no price.
    """
    hold = hold_for(call, allowed)
    await ledger.hold(hold)
    return Reservation(ledger, hold, allowed.pricing, allowed.head.input_bytes)


def output_tokens_max(allowed: Permitted) -> int:
    """What bounds each answer: the client's word, else the model's."""
    said = allowed.head.output_tokens_max
    return allowed.model.output_tokens_default if said is None else said


def output_tokens_held(allowed: Permitted) -> int:
    """What is held for each answer: its bound, or less where the group holds what is expected and enough was seen."""
    most, expected = output_tokens_max(allowed), allowed.expected
    return most if expected is None or expected.tokens is None else min(most, expected.tokens)


def hold_for(call: Call, allowed: Permitted) -> Hold:
    """The most this request can cost; of a group that holds what is expected, with the output that is. Raises: PriceMissing."""
    head = allowed.head
    output_tokens = output_tokens_held(allowed)
    pricing = allowed.pricing
    if pricing.varied or head.features:
        tiered = not head.fields.isdisjoint(TIER_FIELDS)
        amount = pricing.bound(head.input_bytes, output_tokens, head.n, tiered=tiered, features=head.features)
    else:
        amount = pricing.worst_case(head.input_bytes, output_tokens, head.n)
    return Hold(
        request_id=call.request_id,
        account_id=allowed.caller.account_id,
        key_id=allowed.caller.key_id,
        amount_nano_usd=amount,
    )
