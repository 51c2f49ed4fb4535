"""contents → turns, before normal form.

Roles: `model` is the assistant; `user`, `function` and none at all are the user. A function response may stand in any of
them; normal form moves it behind its call. Neighbouring contents of the model are one turn, because chat sessions send back
every chunk of a stream as a content of its own. Within such a turn:

- The two parts of a hosted call become one.
- Pieces of one text or one thought, which a client that recorded a stream sends apart, are put together again, unless
  one of them is signed: a signature belongs to exactly its part.
- A seal of another vendor's thought goes back to that thought (`signatures`).
"""

from collections.abc import Iterable

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.gemini.hosted import answered, answers
from allgate.dialects.gemini.members import many_at, members_of
from allgate.dialects.gemini.parts_decode import Sealing, part_of
from allgate.dialects.gemini.signatures import belongs_to_thought
from allgate.dialects.seals import OURS
from allgate.operations.chat.fold import joined as joined_extra
from allgate.operations.chat.parts import Hosted, Part, Text, Thinking
from allgate.operations.chat.request import Role, Turn
from allgate.wire.json import Json, optional_text

_ROLES: dict[str, Role] = {
    "": "user",
    "user": "user",
    "function": "tool",
    "model": "assistant",
    "system": "system",
}
_KNOWN = frozenset({"role", "parts"})


def turns_of(raw: Json, sealing: Sealing) -> tuple[Turn, ...]:
    """The turns of contents, as the client grouped them. Raises: WireError."""
    turns: list[Turn] = []
    for place, content in enumerate(many_at(raw, "contents")):
        turn = _turn(content, f"contents[{place}]", sealing)
        if turns and turn.role == turns[-1].role == "assistant":
            both = turns.pop()
            turn = changed(both, parts=both.parts + turn.parts, extra=joined_extra(both.extra, turn.extra))
        turns.append(turn)
    for place, turn in enumerate(turns):
        if turn.role == "assistant" and (len(turn.parts) != 1 or turn.parts[0].seals):
            turns[place] = changed(turn, parts=tuple(_joined(turn.parts)))
    return tuple(turns)


def _turn(raw: Json, path: str, sealing: Sealing) -> Turn:
    content = members_of(raw, path)
    word = optional_text(content, "role", f"{path}.role") or ""
    role = _ROLES.get(word)
    if role is None:
        raise wire_error("Please use a valid role: user, model.", param=f"{path}.role")
    given: list[Json] = content.get("parts") or []
    if type(given) is not list:
        given = many_at(given, f"{path}.parts")
    parts = [part_of(part, f"{path}.parts[{place}]", sealing) for place, part in enumerate(given)]
    if content.keys() <= _KNOWN:
        return Turn(role=role, parts=tuple(parts))
    rest = {key: value for key, value in content.items() if key not in _KNOWN}
    return Turn(role=role, parts=tuple(parts), extra={"gemini": rest})


def _joined(parts: Iterable[Part]) -> list[Part]:
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, Hosted) and part.result is not None and _answered_in(joined, part):
            continue
        last = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(last, Text) and _plain(part) and _plain(last):
            joined[-1] = changed(last, text=last.text + part.text)
        elif isinstance(part, Thinking) and isinstance(last, Thinking) and _plain(part) and _plain(last):
            joined[-1] = thought(last.text + part.text, last)
        elif _carries(part):
            _return_seal(joined, part)
        else:
            joined.append(part)
    return joined


def _answered_in(joined: list[Part], answer: Hosted) -> bool:
    """Give the result to the call that waits for it, if there is one."""
    for place, part in enumerate(joined):
        if isinstance(part, Hosted) and answers(part, answer):
            joined[place] = answered(part, answer)
            return True
    return False


def _carries(part: Part) -> bool:
    """True for a part whose slot holds the seal of a thought before it."""
    whole_thought = isinstance(part, Thinking) and bool(part.text)
    return not whole_thought and any(belongs_to_thought(seal) for seal in part.seals)


def _plain(part: Text | Thinking) -> bool:
    return not part.seals and not part.extra


def thought(text: str, like: Thinking) -> Thinking:
    """A thought with this text and all else of `like`."""
    return changed(like, text=text, segments=(text,) if text else ())


def _return_seal(joined: list[Part], carrier: Part) -> None:
    """Put a thought's seals on the thought before their carrier; on an unreadable one where there is none."""
    seals = tuple(seal for seal in carrier.seals if belongs_to_thought(seal))
    kept = tuple(seal for seal in carrier.seals if not belongs_to_thought(seal))
    last = joined[-1] if joined else None
    if seals[0].origin == OURS:
        if not isinstance(last, Thinking):
            joined.append(Thinking(text=seals[0].value))
    elif isinstance(last, Thinking) and not last.seals:
        joined[-1] = changed(last, seals=seals)
    else:
        joined.append(Thinking(form="hidden", seals=seals))
    if kept or not (isinstance(carrier, (Text, Thinking)) and not carrier.text):
        joined.append(changed(carrier, seals=kept))


def system_of(raw: Json, sealing: Sealing) -> tuple[tuple[Text, ...], bool]:
    """The texts of systemInstruction, whatever its role, and whether it held anything else. Raises: WireError."""
    if raw is None:
        return (), False
    if isinstance(raw, str):
        return (Text(text=raw),), False
    parts = many_at(members_of(raw, "systemInstruction").get("parts") or [], "systemInstruction.parts")
    texts: list[Text] = []
    lost = False
    for place, one in enumerate(parts):
        part = part_of(one, f"systemInstruction.parts[{place}]", sealing)
        if not isinstance(part, (Text, Thinking)):
            lost = True
        elif part.text:
            texts.append(Text(text=part.text))
    return tuple(texts), lost
