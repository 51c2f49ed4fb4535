"""A request without its thinking history and without any seal: the last resort where a provider rejects one.

Signatures bind a thought to a model, an organisation and a conversation; after a failover, or when an account was changed,
they are worthless and some providers then refuse the whole request. What the model said and called is kept.
"""

from allgate.core.value import changed
from allgate.operations.chat.notes import dropped
from allgate.operations.chat.parts import Part, Thinking
from allgate.operations.chat.request import ChatRequest, Turn


def unsealed(request: ChatRequest) -> ChatRequest:
    """The request without thinking parts and seals, and a note that says so."""
    turns = tuple(turn for turn in map(_unsealed_turn, request.turns) if turn.parts)
    note = dropped("thinking history", "the provider refused its signature")
    return changed(request, turns=turns, notes=(*request.notes, note))


def _unsealed_turn(turn: Turn) -> Turn:
    parts: list[Part] = [changed(part, seals=()) for part in turn.parts if not isinstance(part, Thinking)]
    return changed(turn, parts=tuple(parts))
