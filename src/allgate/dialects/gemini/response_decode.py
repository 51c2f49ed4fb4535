"""A whole reply → ChatResponse.

Nearly every reply is made of texts and thoughts, each of which is a part, and is read as it stands. Any other is a stream
of one chunk, folded: pieces of one part, calls, media, sources and errors are read in one place only, `answer_decode`.
"""

from allgate.dialects.contract import Sent
from allgate.dialects.gemini.answer_decode import CHOICES_MAX, AnswerDecoder, seconds_of
from allgate.dialects.gemini.chunk import PlainContent, plain_reply
from allgate.dialects.gemini.finish import FINISHES, finish_of
from allgate.dialects.gemini.members import many_at
from allgate.dialects.gemini.signatures import seals_of_provider
from allgate.dialects.gemini.usage import usage_of
from allgate.dialects.passes.stop_matcher import matched_stops, stopped
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Event
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Part, Text, Thinking
from allgate.operations.chat.response import ChatResponse, Choice
from allgate.wire.json import decode_lenient


def decode_response(body: bytes, sent: Sent) -> ChatResponse:
    """The answer. Raises: WireError: no reply, or an error in the place of one.

    An array of replies, which is a stream that somebody collected, is one answer too.
    """
    response = _plain(body, sent.caps) or read_pieces(body, sent)
    if sent.request.sampling.stop:
        return stopped(response, matched_stops(sent.request.sampling, sent.caps))
    return response


def _plain(body: bytes, caps: Caps) -> ChatResponse | None:
    """The answer of a reply that is its parts; None where one must be put together from pieces, or holds more."""
    if (reply := plain_reply(body)) is None:
        return None
    choices: list[Choice] = []
    for index, candidate in enumerate(reply.candidates):
        parts = () if candidate.content is None else _parts(candidate.content, caps)
        if parts is None or candidate.index != index or index >= CHOICES_MAX:
            return None
        reason = "STOP" if candidate.finish_reason is None else candidate.finish_reason
        choices.append(Choice(index=index, parts=parts, finish=FINISHES.get(reason) or finish_of(reason)))
    return ChatResponse(
        id=reply.response_id or "",
        model=reply.model_version or "",
        created_s=None if reply.create_time is None else seconds_of(reply.create_time),
        usage=None if reply.usage_metadata is None else usage_of(reply.usage_metadata),
        choices=tuple(choices),
    )


def _parts(content: PlainContent, caps: Caps) -> tuple[Part, ...] | None:
    """The parts of a candidate; None where neighbours are pieces of one, or one has no text."""
    parts: list[Part] = []
    last: bool | None = None
    for piece in content.parts:
        text = piece.text
        if not text or piece.thought is last:
            return None
        last = piece.thought
        seals = seals_of_provider(piece.thought_signature, caps) if piece.thought_signature else ()
        if last:
            parts.append(Thinking(text=text, form="summary", segments=(text,), seals=seals))
        else:
            parts.append(Text(text=text, seals=seals))
    return tuple(parts)


def read_pieces(body: bytes, sent: Sent) -> ChatResponse:
    """Any reply, piece by piece. Raises: WireError."""
    events: list[Event] = []
    decoder = AnswerDecoder(sent, events)
    if body[:1] == b"{":
        decoder.take(body)
    else:
        for reply in many_at(decode_lenient(body), "reply"):
            decoder.take_json(reply)
    decoder.finish(whole=True)
    return fold(events)
