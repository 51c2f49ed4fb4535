"""One attempt at one candidate: encode for it, sign in, send, and wait until the exchange is over.

Each attempt is encoded afresh from the client's original request, so a fallback may cross dialects and no repair made
for one candidate leaks into the next. A refusal that names what it will not take is repaired once (`repair`).
"""

from asyncio import CancelledError, current_task

from allgate.core.errors import AttemptFailed
from allgate.core.value import changed
from allgate.dialects.contract import Asked, ChatDialect, Sent, UpstreamCall
from allgate.dialects.passes.pauses import Continued
from allgate.dialects.passes.promised_json import Decoding, Judged, promise_for
from allgate.gateway.admitted import Admitted
from allgate.gateway.affinity import Remembering
from allgate.gateway.decode import DECODED_HERE_BYTES_MAX, decoded_request
from allgate.gateway.exchange import Exchange, State
from allgate.gateway.ports import Client
from allgate.gateway.prepare import is_sendable, prepared
from allgate.gateway.relay import PassedStream, Relay, TranslatedStream, Translation, WholeReply
from allgate.gateway.repair import Repair, repair_for
from allgate.gateway.ruled import kept_on_bytes, kept_on_request
from allgate.gateway.services import Services
from allgate.operations.chat.features import MEDIA_INPUTS
from allgate.operations.chat.notes import dropped
from allgate.operations.chat.unsealed import unsealed
from allgate.providers.provider import sign_in_headers
from allgate.routing.affinity import home_of, may_stray
from allgate.routing.plan import Candidate
from allgate.wire.headers import Headers
from allgate.wire.span import without_member

STALE_REPEATS_MAX = 1
"""A reused connection that the provider had already closed: one fresh connection settles it."""


async def attempt(
    services: Services, admitted: Admitted, candidate: Candidate, client: Client
) -> AttemptFailed | None:
    """None: the request is over, well or badly, and the client was told. Else how the attempt failed, nothing told.

    Raises: WireError: the request cannot be said to this candidate.
    """
    failed = await _sent(services, admitted, candidate, client, Repair())
    if failed is not None and not client.gone:
        repair = repair_for(failed, admitted.head, passthrough=candidate.passthrough)
        if repair is not None:
            return await _sent(services, admitted, candidate, client, repair)
    return failed


async def _sent(
    services: Services, admitted: Admitted, candidate: Candidate, client: Client, repair: Repair
) -> AttemptFailed | None:
    """Sent once, or once more where the kept connection was stale."""
    failed: AttemptFailed | None = None
    admitted.attempts += 1
    for repeat in range(STALE_REPEATS_MAX + 1):
        call, relay = await encoded(services, admitted, candidate, repair)
        if may_stray(admitted.allowed.model):
            account_id = admitted.allowed.caller.account_id
            relay = Remembering(relay, services.seal_homes, account_id, home_of(candidate))
        provider_dialect = services.dialects[candidate.speaks.dialect]
        exchange = Exchange(services.loop, admitted, candidate, provider_dialect, relay, client)
        failed = await _run(services, exchange, candidate, call, client, fresh=repeat > 0)
        while exchange.continuation is not None:
            call, exchange = exchange.continuation, exchange.continued(services.loop)
            failed = await _run(services, exchange, candidate, call, client, fresh=True)
        if failed is None or not failed.stale:
            break
    return failed


async def encoded(
    services: Services, admitted: Admitted, candidate: Candidate, repair: Repair
) -> tuple[UpstreamCall, Relay]:
    """What this candidate is sent, and who reads its answer. Raises: WireError: the request cannot be said to it."""
    if (
        candidate.passthrough
        and not (repair.thinking or repair.translated)
        and (not admitted.head.features or await _may_pass(services, admitted, candidate))
    ):
        return _passed(admitted, candidate, repair)
    return await _translated(services, admitted, candidate, repair)


async def _may_pass(services: Services, admitted: Admitted, candidate: Candidate) -> bool:
    """Whether the media of a body are what they say; True without any. Raises: WireError: some are bad.

    Those of a body that is too long to be decoded here are the provider's to judge.
    """
    wire = admitted.call.wire
    if MEDIA_INPUTS.isdisjoint(admitted.head.features) or len(wire.body) > DECODED_HERE_BYTES_MAX:
        return True
    seals = services.seal_box(admitted.allowed.caller.account_id)
    request = await decoded_request(services, admitted.dialect, wire, seals)
    return await is_sendable(request, candidate.caps)


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


def request_headers(candidate: Candidate, call: UpstreamCall) -> Headers:
    return (
        *sign_in_headers(candidate.speaks.sign_in, candidate.credential.secret),
        *candidate.speaks.headers,
        *call.headers,
    )


def _passed(admitted: Admitted, candidate: Candidate, repair: Repair) -> tuple[UpstreamCall, Relay]:
    dialect, head = admitted.dialect, admitted.head
    if candidate.kept is None:
        call = dialect.passthrough(admitted.call.wire, head, candidate.deployment.model, candidate.caps)
    else:
        call = kept_on_bytes(admitted, candidate, candidate.kept)
    if repair.member is not None:
        note = dropped(repair.member, "the provider does not know it")
        call = changed(call, body=without_member(call.body, repair.member), notes=(*call.notes, note))
    admitted.notes = call.notes
    if head.stream:
        meter = dialect.meter(head, candidate.caps)
        return call, PassedStream(dialect, meter, admitted.call.request_id)
    return call, WholeReply(dialect, None)


async def _translated(
    services: Services, admitted: Admitted, candidate: Candidate, repair: Repair
) -> tuple[UpstreamCall, Relay]:
    client_dialect = admitted.dialect
    provider_dialect: ChatDialect = services.dialects[candidate.speaks.dialect]
    seals = services.seal_box(admitted.allowed.caller.account_id)
    decoded = await decoded_request(services, client_dialect, admitted.call.wire, seals)
    if repair.thinking:
        decoded = unsealed(decoded)
    if candidate.kept is not None:
        decoded = kept_on_request(decoded, candidate)
    request = await prepared(decoded, candidate.caps, services.fetcher)
    call = provider_dialect.encode_request(request, candidate.deployment.model, candidate.caps)
    admitted.notes = (*request.notes, *call.notes)
    sent = Sent(request=request, caps=candidate.caps)
    asked = Asked(
        request=request,
        response_id=client_dialect.response_id_prefix + admitted.call.request_id.partition("_")[2],
        created_s=int(admitted.call.started_s),
        model=admitted.allowed.model.name,
        seals=seals,
    )
    decoding: Decoding = provider_dialect
    if provider_dialect.pauses and not client_dialect.pauses:
        model, caps = candidate.deployment.model, candidate.caps
        decoding = Continued(
            decoding, request, lambda more: provider_dialect.encode_request(more, model, caps)
        )
    if (promise := promise_for(request, candidate.caps)) is not None:
        decoding = Judged(decoding, promise)
    if admitted.head.stream:
        decoder, encoder = decoding.stream_decoder(sent), client_dialect.stream_encoder(asked)
        return call, TranslatedStream(decoder, encoder)
    return call, WholeReply(client_dialect, Translation(decoding, sent, asked))
