"""The header fields of our replies."""

from allgate.core.money import usd_text
from allgate.core.value import changed
from allgate.gateway.admitted import Admitted
from allgate.operations.chat.notes import Note, notes_header
from allgate.routing.plan import Candidate
from allgate.wire.headers import Headers, safe_value
from allgate.wire.message import WireReply

_NOTES = b"x-allgate-notes"


def json_reply(request_id: str, body: bytes) -> WireReply:
    """A whole reply of the gateway's own: a list, a count, a balance."""
    return WireReply(
        status=200, headers=((b"content-type", b"application/json"), *_ids(request_id)), body=body
    )


def reply_headers(admitted: Admitted, candidate: Candidate, notes: tuple[Note, ...]) -> Headers:
    """Of a unary answer: with its cost."""
    cost = usd_text(admitted.reservation.charged_nano_usd).encode("ascii")
    return (
        (b"content-type", b"application/json"),
        *_common(admitted, candidate, (*admitted.notes, *notes)),
        (b"x-allgate-cost-usd", cost),
    )


def stream_headers(admitted: Admitted, candidate: Candidate) -> Headers:
    """Of a streamed answer: its cost is not known yet; it is in the request log."""
    return (
        (b"content-type", admitted.dialect.stream_content_type),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
        *_common(admitted, candidate, admitted.notes),
    )


def _common(admitted: Admitted, candidate: Candidate, notes: tuple[Note, ...]) -> Headers:
    headers: Headers = (
        *_ids(admitted.call.request_id),
        (b"x-allgate-upstream", safe_value(candidate.deployment.upstream.name)),
        (b"openai-processing-ms", b"%d" % (admitted.elapsed_s() * 1000)),
    )
    if notes:
        headers = (*headers, (_NOTES, safe_value(notes_header(notes))))
    return headers


def noted(reply: WireReply, note: Note) -> WireReply:
    """The reply with one more note."""
    said = [value for name, value in reply.headers if name == _NOTES]
    rest = tuple(field for field in reply.headers if field[0] != _NOTES)
    line = b"; ".join((*said, safe_value(notes_header((note,)))))
    return changed(reply, headers=(*rest, (_NOTES, line)))


def _ids(request_id: str) -> Headers:
    """The id under both names that the vendors' SDKs read."""
    identity = request_id.encode("ascii")
    return ((b"x-request-id", identity), (b"request-id", identity))
