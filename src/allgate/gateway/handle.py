"""One request, top to bottom. Read this page first.

    authenticate → read head → permit → plan → reserve → [ prepare → sign in → encode → send → relay ]* → settle → record

| step         | what comes out                                         | fails with        |
|--------------|--------------------------------------------------------|-------------------|
| authenticate | the Caller behind the key                              | 401               |
| permitted    | Head, Model and Pricing; the key may use them          | 400, 403, 404     |
| plan         | distinct candidates, each passed through or translated | 400, 503          |
| reserve      | a hold of what it may cost, before any upstream byte   | 402 / 429         |
| attempt      | one exchange with one candidate                        | the next, or told |

Nothing here knows a format, a vendor or a socket: dialects, providers and ports do. Settling and recording belong to the
exchange, which outlives a client that leaves; this page only sees to it that every hold is resolved on every way out.
"""

from allgate.core.errors import AllgateError, AttemptFailed, Failure, Refused, WireError
from allgate.gateway.admission import Call, Permitted, authenticate, permitted, reserve
from allgate.gateway.admitted import Admitted
from allgate.gateway.attempt import attempt
from allgate.gateway.ports import Client
from allgate.gateway.services import Services
from allgate.gateway.settle import Outcome
from allgate.identity.caller import Caller
from allgate.routing.affinity import may_stray
from allgate.routing.alternatives import with_alternatives
from allgate.routing.plan import Candidate, plan
from allgate.routing.retry import ATTEMPTS_MAX, for_client, may_try_another


async def handle(services: Services, call: Call, client: Client, caller: Caller | None = None) -> None:
    """Serve one chat request and tell the client how it ended. `caller`: who asks, where that is known already."""
    try:
        services.exchanges.check_admitting()
        caller = caller or authenticate(services.directory, call)
        allowed = permitted(services.directory, call, caller)
        candidates = planned(services, call, allowed, services.dice())
        reservation = await reserve(services.ledger, call, allowed)
    except AllgateError as error:
        client.reply(call.dialect.encode_error(error.failure, call.request_id))
        services.recorder.refused(call.dialect.name, call.operation, error.failure)
        return
    admitted = Admitted(call, allowed, reservation, services.recorder, services.clock)
    try:
        await _serve(services, admitted, candidates, client)
    finally:
        # Every way out, cancellation included: a hold that nobody has resolved is given back.
        if not reservation.concluded:
            admitted.conclude(Outcome(kind="client_gone"), None)


def planned(services: Services, call: Call, allowed: Permitted, dice: float) -> tuple[Candidate, ...]:
    """The candidates, best first. Raises: Refused: 400, 503."""
    candidates = _fitting(services, call, allowed, dice)
    if not may_stray(allowed.model):
        return candidates
    account_id = allowed.caller.account_id
    return services.seal_homes.homeward(candidates, call, account_id, services.seal_box(account_id))


def _fitting(services: Services, call: Call, allowed: Permitted, dice: float) -> tuple[Candidate, ...]:
    """Those that can do what is asked; a refusal names models that can."""
    dialect = call.dialect.name
    try:
        return plan(allowed.model, allowed.head, dialect, dice)
    except Refused as refusal:
        models = services.directory.catalogue.models.values()
        raise with_alternatives(refusal, models, allowed.head, dialect, allowed.caller.models) from None


async def _serve(
    services: Services, admitted: Admitted, candidates: tuple[Candidate, ...], client: Client
) -> None:
    """Try candidates in order while that is legal; the last failure is the client's answer."""
    failed: AttemptFailed | WireError | None = None
    for candidate in candidates[:ATTEMPTS_MAX]:
        try:
            failed = await attempt(services, admitted, candidate, client)
        except WireError as error:  # the request cannot be said to this candidate
            failed = error
        if failed is None or client.gone:
            return
        if isinstance(failed, WireError) or not may_try_another(failed, safe_to_repeat=True):
            break
    if failed is not None:
        _tell(admitted, for_client(failed.failure), client)


def _tell(admitted: Admitted, failure: Failure, client: Client) -> None:
    """The request failed before any content: a real HTTP error, or in band where the headers have already left."""
    reply = admitted.dialect.encode_error(failure, admitted.call.request_id)
    admitted.conclude(Outcome(kind="failed", failure=failure), None, reply.status)
    if client.started:
        client.finish(admitted.dialect.encode_stream_error(failure, admitted.call.request_id))
    else:
        client.reply(reply)
