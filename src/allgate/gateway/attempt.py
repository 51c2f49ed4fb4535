"""One attempt at one candidate: encode for it, sign in, send, and wait until the exchange is over.

Within one attempt the request may leave more than once, each time encoded afresh: on a fresh connection where the kept one
was stale, once more where a refusal names what it will not take (`repair`), and on and on where a provider pauses its turn.
"""

from asyncio import CancelledError, current_task

from allgate.core.errors import AttemptFailed
from allgate.dialects.contract import UpstreamCall
from allgate.gateway.admitted import Admitted
from allgate.gateway.affinity import Remembering
from allgate.gateway.encoding import encoded, request_headers
from allgate.gateway.exchange import Exchange, State
from allgate.gateway.ports import Client
from allgate.gateway.repair import UNREPAIRED, Repair, repair_for
from allgate.gateway.services import Services
from allgate.routing.affinity import home_of, may_stray
from allgate.routing.plan import Candidate


async def attempt(
    services: Services, admitted: Admitted, candidate: Candidate, client: Client
) -> AttemptFailed | None:
    """None: the request is over, well or badly, and the client was told. Else how the attempt failed, nothing told.

    Raises: WireError: the request cannot be said to this candidate.
    """
    repair: Repair | None = UNREPAIRED
    failed: AttemptFailed | None = None
    while repair is not None:
        admitted.attempts += 1
        failed = await _exchanged(services, admitted, candidate, client, repair, fresh=False)
        if failed is not None and failed.stale:  # the provider had closed it; a fresh one settles it
            failed = await _exchanged(services, admitted, candidate, client, repair, fresh=True)
        if failed is None or client.gone or repair is not UNREPAIRED:
            return failed
        repair = repair_for(failed, admitted.head, passthrough=candidate.passthrough)
    return failed


async def _exchanged(
    services: Services,
    admitted: Admitted,
    candidate: Candidate,
    client: Client,
    repair: Repair,
    *,
    fresh: bool,
) -> AttemptFailed | None:
    """Encoded, sent, and answered; `fresh` forbids a kept connection."""
    call, relay = await encoded(services, admitted, candidate, repair)
    if may_stray(admitted.allowed.model):
        account_id = admitted.allowed.caller.account_id
        relay = Remembering(relay, services.seal_homes, account_id, home_of(candidate))
    provider_dialect = services.dialects[candidate.speaks.dialect]
    exchange = Exchange(services.loop, admitted, candidate, provider_dialect, relay, client)
    failed = await _run(services, exchange, candidate, call, client, fresh=fresh)
    while exchange.continuation is not None:
        call, exchange = exchange.continuation, exchange.continued(services.loop)
        failed = await _run(services, exchange, candidate, call, client, fresh=True)
    return failed


async def _run(
    services: Services,
    exchange: Exchange,
    candidate: Candidate,
    call: UpstreamCall,
    client: Client,
    *,
    fresh: bool,
) -> AttemptFailed | None:
    client.on_gone, client.on_drained = exchange.client_gone, exchange.client_drained
    services.exchanges.add(exchange)
    try:
        if client.gone:
            return None  # `finally` writes it down
        upstream, transport = candidate.deployment.upstream, services.transport
        path, headers = candidate.speaks.path_prefix + call.path, request_headers(candidate, call)
        connection = None if fresh else transport.try_send(upstream, path, headers, call.body, exchange)
        if connection is None:
            exchange.connecting = current_task()
            connection = await transport.send(upstream, path, headers, call.body, exchange, fresh=fresh)
        exchange.connected(connection)
        return await exchange.ended
    except AttemptFailed as error:
        exchange.on_failure(error)
        return await exchange.ended
    except CancelledError:
        task = current_task()
        if exchange.state is State.OVER and client.gone and task is not None:
            task.uncancel()  # it was our own doing: the client left while we were connecting
            return None
        raise
    finally:
        exchange.client_gone()  # changes nothing once the exchange has ended
        services.exchanges.discard(exchange)
