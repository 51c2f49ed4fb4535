"""Compaction for deployments that have none: a summary by the same model, in the form that this dialect's clients need.

A client (Codex) ends its input with a `compaction_trigger` item and expects exactly one `compaction` item back, which it
sends in place of the history from then on. OpenAI's own is encrypted and only OpenAI can read it. So the trigger is
decoded together with a request in words, which this dialect's encoder leaves out where the target knows the trigger;
the answer's text becomes a compaction item whose content is an envelope of ours; and when that comes back, it is opened
into a text that any model can read.
"""

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.value import changed
from allgate.dialects.contract import StreamEncoder
from allgate.dialects.openai_responses.own import NAME, own
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.seals import SealBox, is_envelope
from allgate.operations.chat.events import Closed, Delta, Event, Failed, Finished, Opened
from allgate.operations.chat.parts import Opaque, Part, Seal, Text
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.response import ChatResponse
from allgate.wire.json import JsonObject

TRIGGER = "compaction_trigger"
ITEM_TYPE = "compaction"
IN_WORDS = "in_words"
"""In a text's extra: it says in words what the item before it says to its own vendor."""

_ORIGIN = "allgate"
_REQUEST = (
    "The conversation so far is about to be removed from your context. Write a summary that lets you go on with the "
    "work without it: the user's goals and constraints, what was decided and done, the files and commands that matter, "
    "open problems, and the next steps. Write nothing but the summary, and call no tools."
)
_HEADING = "[Summary of the conversation up to here]\n"


def trigger_turn(item: JsonObject) -> Turn:
    """The turn of a trigger: the item for its vendor, and the same in words for everyone else."""
    words = Text(text=_REQUEST, extra={NAME: {IN_WORDS: True}})
    return Turn(role="user", parts=(Opaque(dialect=NAME, raw=item), words))


def expanded(item: JsonObject, seals: SealBox) -> Turn | None:
    """The summary in a compaction item of ours, as a turn; None for an item of somebody else's."""
    content = item.get("encrypted_content")
    opened = seals.unwrap(content) if isinstance(content, str) and is_envelope(content) else None
    if opened is None or opened.seal.origin != _ORIGIN:
        return None
    return Turn(role="user", parts=(Text(text=_HEADING + opened.seal.value),))


def is_wanted(request: ChatRequest) -> bool:
    """Whether the client waits for a compaction item: then its trigger begins the last turn."""
    last = request.turns[-1].parts if request.turns else ()
    return bool(last) and isinstance(last[0], Opaque) and _kind(last[0]) == TRIGGER


def _kind(part: Part) -> object:
    return object_of(part.raw).get("type") if isinstance(part, Opaque) and part.dialect == NAME else None


def is_in_words(part: Part) -> bool:
    """Whether a part only repeats in words what the target was told in its own way."""
    return isinstance(part, Text) and IN_WORDS in own(part.extra)


def compacted(response: ChatResponse, seals: SealBox) -> ChatResponse:
    """A whole answer as one compaction item. Raises: WireError: the model wrote no summary."""
    choices = tuple(changed(choice, parts=(_item(choice.parts, seals),)) for choice in response.choices)
    return changed(response, choices=choices)


def _item(parts: tuple[Part, ...], seals: SealBox) -> Opaque:
    """The provider's own compaction item, or one of ours around the answer's text. Raises: WireError: no text."""
    for part in parts:
        if isinstance(part, Opaque) and _kind(part) == ITEM_TYPE:
            return part
    text = "".join(part.text for part in parts if isinstance(part, Text)).strip()
    if not text:  # an empty one would erase the client's conversation
        raise WireError(Failure(kind=ErrorKind.UPSTREAM, message="The model wrote no summary", upstream=True))
    seal = Seal(origin=_ORIGIN, scope="", form="encrypted", value=text)
    return Opaque(dialect=NAME, raw={"type": ITEM_TYPE, "encrypted_content": seals.wrap(seal)})


class CompactingEncoder:
    """A stream encoder that tells a client one compaction item, when the answer is complete, and nothing else."""

    __slots__ = ("_encoder", "_failed", "_parts", "_seals")

    def __init__(self, encoder: StreamEncoder, seals: SealBox) -> None:
        self._encoder = encoder
        self._seals = seals
        self._parts: list[Part] = []
        self._failed = False

    def emit(self, event: Event) -> bytes:
        match event:
            case _ if self._failed:
                return b""
            case Opened() | Delta():
                return b""
            case Closed():
                self._parts.append(event.part)
                return b""
            case Finished():
                try:
                    item = _item(tuple(self._parts), self._seals)
                except WireError as error:
                    self._failed = True
                    return self._encoder.emit(Failed(failure=error.failure))
                told = self._encoder.emit(Opened(index=0, part=item)) + self._encoder.emit(
                    Closed(index=0, part=item)
                )
                return told + self._encoder.emit(event)
            case _:
                return self._encoder.emit(event)
