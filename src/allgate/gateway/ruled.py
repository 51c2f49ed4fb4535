"""The rules of a deployment, kept on what is about to be sent to it: on bytes, or on the canonical request."""

from allgate.catalogue.ruled import Ruled, ruled
from allgate.catalogue.spans import spanned
from allgate.core.value import changed
from allgate.dialects.contract import UpstreamCall
from allgate.gateway.admitted import Admitted
from allgate.operations.chat.request import ChatRequest
from allgate.routing.plan import Candidate


def kept_on_bytes(admitted: Admitted, candidate: Candidate, kept: Ruled) -> UpstreamCall:
    """The pass-through call with the members that `kept` changes set, renamed or taken out."""
    dialect, wire, head = admitted.dialect, admitted.call.wire, admitted.head
    wire = changed(wire, body=spanned(wire.body, kept.edits, dialect.name, head.fields))
    call = dialect.passthrough(wire, head, candidate.deployment.model, candidate.caps)
    return changed(call, notes=(*kept.notes, *call.notes))


def kept_on_request(request: ChatRequest, candidate: Candidate) -> ChatRequest:
    """The request as this candidate's rules allow it, with their notes. Raises: WireError: one refuses it."""
    found = ruled(request, candidate.deployment.rules, candidate.speaks.dialect)
    return changed(found.request, notes=(*request.notes, *found.notes))
