"""From an admitted request to the bytes that one candidate is sent, and to who reads its answer.

Two ways, decided by `plan`: the client's own bytes with a few spans edited, or decoded and written anew in the provider's
dialect. Each call begins with the client's original request, so a fallback may cross dialects and no repair made for one
candidate leaks into the next.
"""

from functools import lru_cache

from allgate.core.value import changed
from allgate.dialects.contract import Asked, ChatDialect, Sent, UpstreamCall
from allgate.dialects.passes.pauses import Continued
from allgate.dialects.passes.promised_json import Decoding, Judged, promise_for
from allgate.gateway.admitted import Admitted
from allgate.gateway.decode import DECODED_HERE_BYTES_MAX, decoded_request
from allgate.gateway.prepare import is_sendable, prepared
from allgate.gateway.relay import PassedStream, Relay, TranslatedStream, Translation, WholeReply
from allgate.gateway.repair import Repair
from allgate.gateway.ruled import kept_on_bytes, kept_on_request
from allgate.gateway.services import Services
from allgate.operations.chat.features import MEDIA_INPUTS
from allgate.operations.chat.notes import dropped
from allgate.operations.chat.unsealed import unsealed
from allgate.providers.provider import SignInForm, sign_in_headers
from allgate.routing.catalogue import Credential
from allgate.routing.plan import Candidate
from allgate.wire.headers import Headers
from allgate.wire.span import without_member

CREDENTIALS_MAX = 1_024
"""Credentials whose header fields are remembered; those of a changed configuration come beside the old ones."""


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


def request_headers(candidate: Candidate, call: UpstreamCall) -> Headers:
    """The fields of a request to this candidate: who we are, and what its dialect and this call add."""
    return (
        _standing_headers(candidate.speaks.sign_in, candidate.credential, candidate.speaks.headers)
        + call.headers
    )


@lru_cache(maxsize=CREDENTIALS_MAX)
def _standing_headers(form: SignInForm, credential: Credential, further: Headers) -> Headers:
    return sign_in_headers(form, credential.secret) + further


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
