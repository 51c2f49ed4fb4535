"""The normal form of a conversation: what every request decoder ends with and every encoder may rely on.

A decoder hands over its turns in the client's own order and grouping; `normal_form` moves what the seven rules of
`allgate.operations.chat` move. A decoder may leave to it:

- tool results anywhere after their call, in turns of any role (each dialect groups them differently);
- calls and results without an id (""): ids are derived from content, results matched by name, then by position;
- data URLs as `Url`: they become `Inline`.

What it does not do: merge user turns, touch seals, or look at anything that only one dialect knows. A turn's `extra`
follows its parts; where a hoisted or dropped turn has one that can follow nothing, a note says so.

The work is one walk over the turns. Each assistant turn becomes a `_Step`, which collects the answers to its calls; all
else stays where it was. Warts: a result that comes after another assistant turn is moved back behind the turn that
called (rule 2 leaves no choice), and a repeated call id belongs to its latest unanswered call.
"""

from collections.abc import Iterable

from allgate.core.ids import call_id_from
from allgate.core.value import changed
from allgate.operations.chat.data_url import inline_of
from allgate.operations.chat.notes import Note, dropped, repaired
from allgate.operations.chat.parts import Extra, Media, Part, Text, ToolCall, ToolResult, Url
from allgate.operations.chat.request import Role, Turn

NO_RESULT = "[no result recorded]"
"""What a model is told about a call of its own that history holds no result for."""

Normal = tuple[tuple[Text, ...], tuple[Turn, ...], tuple[Note, ...]]


def normal_form(system: Iterable[Text], turns: Iterable[Turn]) -> Normal:
    """(system, turns, notes) in normal form. Raises: WireError: a data URL that is none.

    >>> _, turns, _ = normal_form((), [Turn(role="assistant", parts=(Text(text="a"),))] * 2)
    >>> len(turns), len(turns[0].parts)
    (1, 2)
    """
    notes: list[Note] = []
    filled = _without_emptiness(turns, notes)
    hoisted, rest = _leading_system(filled, notes)
    spoken = tuple([text for text in system if text.text or text.seals]) if system else ()
    return (*spoken, *hoisted), _regrouped(rest, notes), tuple(notes)


_Numbered = tuple[int, Turn]


def _without_emptiness(turns: Iterable[Turn], notes: list[Note]) -> list[_Numbered]:
    """Rules 5 and 6, with each turn's place in the client's order."""
    turns = tuple(turns)
    kept: list[_Numbered] = []
    for index, turn in enumerate(turns):
        filled = turn
        for part in turn.parts:
            if type(part) is not Text or not part.text:  # a text with words needs neither rule
                filled = _filled(turn)
                break
        if filled.parts or (turn.role == "user" and _only_one_speaks(turns)):
            kept.append((index, filled))
        elif turn.extra:
            notes.append(dropped(f"turns[{index}]", "a turn without content"))
    return kept


def _filled(turn: Turn) -> Turn:
    parts = tuple([_inlined(part) for part in turn.parts if not _is_empty(part)])
    return turn if parts == turn.parts else changed(turn, parts=parts)


def _only_one_speaks(turns: tuple[Turn, ...]) -> bool:
    return sum(turn.role in ("user", "tool") or _has_results(turn) for turn in turns) == 1


def _has_results(turn: Turn) -> bool:
    return any(isinstance(part, ToolResult) for part in turn.parts)


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text) and not part.text and not part.seals


def _inlined(part: Part) -> Part:
    if isinstance(part, Media) and isinstance(part.source, Url) and part.source.url[:5].lower() == "data:":
        return changed(part, source=inline_of(part.source.url, part.source.mime))
    if isinstance(part, ToolResult) and part.parts:
        inner = tuple(_inlined(piece) for piece in part.parts if not _is_empty(piece))
        return part if inner == part.parts else changed(part, parts=inner)
    return part


def _leading_system(turns: list[_Numbered], notes: list[Note]) -> tuple[list[Text], list[_Numbered]]:
    """Rule 1: the texts of the leading run, and the turns after it. A turn with more than text ends the run."""
    texts: list[Text] = []
    for place, (index, turn) in enumerate(turns):
        if turn.role not in ("system", "developer"):
            return texts, turns[place:]
        own = [part for part in turn.parts if isinstance(part, Text)]
        if len(own) != len(turn.parts):
            return texts, turns[place:]
        if turn.id is not None and own[0].id is None:
            own[0] = changed(own[0], id=turn.id)
        if turn.name is not None or turn.extra:
            notes.append(dropped(f"turns[{index}]", "members of a leading system turn beside its text"))
        texts += own
    return texts, []


def _regrouped(turns: list[_Numbered], notes: list[Note]) -> tuple[Turn, ...]:
    """Rules 2, 3, 4 and 7, which are about the assistant and its tools: a walk where there are any."""
    for _, turn in turns:
        if turn.role in ("assistant", "tool") or ToolResult in map(type, turn.parts):
            walk = _Walk(notes)
            for place, each in turns:
                walk.take(place, each)
            return walk.turns()
    return tuple([turn for _, turn in turns])


class _Step:
    """An assistant turn while its answers are being collected. `answers` stands in call order."""

    __slots__ = ("answers", "extra", "turn")

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.answers: list[ToolResult | None] = [None] * len(_calls(turn))
        self.extra: Extra = {}

    def absorb(self, later: Turn) -> None:
        """Rule 3: take a following assistant turn's parts into this one."""
        self.turn = changed(
            self.turn,
            parts=self.turn.parts + later.parts,
            id=self.turn.id or later.id,
            phase=self.turn.phase or later.phase,
            name=self.turn.name or later.name,
            extra=self.turn.extra | later.extra,
        )
        self.answers += [None] * len(_calls(later))

    def accepts(self, later: Turn) -> bool:
        """True where rule 3 merges: nothing came between, and no member of one contradicts the other's."""
        mine = self.turn
        return (
            not any(self.answers)
            and (mine.id is None or later.id is None or mine.id == later.id)
            and (mine.phase is None or later.phase is None or mine.phase == later.phase)
            and (mine.name is None or later.name is None or mine.name == later.name)
            and all(later.extra[key] == mine.extra[key] for key in mine.extra.keys() & later.extra.keys())
        )


_Slot = tuple[_Step, int]


class _Walk:
    """The rules of `_regrouped`, turn by turn."""

    __slots__ = ("_answered", "_entries", "_notes", "_waiting")

    def __init__(self, notes: list[Note]) -> None:
        self._entries: list[_Step | Turn] = []
        self._notes = notes
        self._waiting: dict[str, list[_Slot]] = {}
        self._answered: dict[str, _Slot] = {}

    def take(self, index: int, turn: Turn) -> None:
        results = tuple(part for part in turn.parts if isinstance(part, ToolResult))
        if turn.role == "assistant" and results:
            own = tuple(part for part in turn.parts if not isinstance(part, ToolResult))
            if own:
                self._assistant(_with_ids(index, changed(turn, parts=own)))
            self._results(index, Turn(role="tool", parts=results))
        elif turn.role == "assistant":
            self._assistant(_with_ids(index, turn))
        elif turn.role == "tool" or results:
            self._results(index, turn)
        else:
            self._entries.append(turn)

    def _assistant(self, turn: Turn) -> None:
        last = self._entries[-1] if self._entries else None
        if isinstance(last, _Step) and last.accepts(turn):
            step, first = last, len(last.answers)
            step.absorb(turn)
        else:
            step, first = _Step(turn), 0
            self._entries.append(step)
        for place, call in enumerate(_calls(turn), first):
            self._waiting.setdefault(call.call_id, []).append((step, place))

    def _results(self, index: int, turn: Turn) -> None:
        """Give the results to their steps; what else the turn holds stays at its place."""
        rest: list[Part] = []
        role: Role = "user" if turn.role == "tool" else turn.role
        step: _Step | None = None
        for place, part in enumerate(turn.parts):
            if not isinstance(part, ToolResult):
                rest.append(part)
            elif slot := self._slot_of(part, index):
                step = slot[0]
                step.answers[slot[1]] = _completed(part, _calls(step.turn)[slot[1]])
            else:
                rest += _as_user_parts(part)
                role = "user"
                self._notes.append(repaired(f"turns[{index}].parts[{place}]", "a tool result without a call"))
        if rest:
            self._entries.append(changed(turn, role=role, parts=tuple(rest)))
        elif step is not None and turn.extra:
            step.extra = step.extra | turn.extra

    def _slot_of(self, result: ToolResult, index: int) -> _Slot | None:
        if not result.call_id:
            return self._slot_by_name(result.name)
        if waiting := self._waiting.get(result.call_id):
            latest = waiting[-1][0]
            slot = next(slot for slot in waiting if slot[0] is latest)
            waiting.remove(slot)
            self._answered[result.call_id] = slot
            return slot
        if slot := self._answered.get(result.call_id):
            self._notes.append(repaired(f"turns[{index}]", "a second result for one call: the last is kept"))
            return slot
        return None

    def _slot_by_name(self, name: str | None) -> _Slot | None:
        """The first unanswered call of that name; of any name where none has it."""
        step = next((entry for entry in reversed(self._entries) if isinstance(entry, _Step)), None)
        if step is None:
            return None
        calls = _calls(step.turn)
        free = [place for place, answer in enumerate(step.answers) if answer is None]
        named = [place for place in free if calls[place].name == name]
        for place in named or free:
            self._waiting[calls[place].call_id].remove((step, place))
            return step, place
        return None

    def turns(self) -> tuple[Turn, ...]:
        """The turns, with each step's answers behind it."""
        found: list[Turn] = []
        for place, entry in enumerate(self._entries):
            if isinstance(entry, Turn):
                found.append(entry)
                continue
            found.append(entry.turn)
            answered_later = any(entry.answers) or place + 1 < len(self._entries)
            if entry.answers and answered_later:
                found.append(self._tool_turn(entry))
        return tuple(found)

    def _tool_turn(self, step: _Step) -> Turn:
        results: list[ToolResult] = []
        for call, answer in zip(_calls(step.turn), step.answers, strict=True):
            if answer is None:
                self._notes.append(repaired("tool calls", "a call without a result"))
                answer = _completed(
                    ToolResult(call_id="", parts=(Text(text=NO_RESULT),), is_error=True), call
                )
            results.append(answer)
        return Turn(role="tool", parts=tuple(results), extra=step.extra)


def _calls(turn: Turn) -> list[ToolCall]:
    return [part for part in turn.parts if isinstance(part, ToolCall)]


def _with_ids(index: int, turn: Turn) -> Turn:
    """Rule 4: the same history gives the same ids on every retry."""
    if all(part.call_id for part in turn.parts if isinstance(part, ToolCall)):
        return turn
    parts = tuple(
        changed(part, call_id=call_id_from(str(index), str(place), part.name, part.input))
        if isinstance(part, ToolCall) and not part.call_id
        else part
        for place, part in enumerate(turn.parts)
    )
    return changed(turn, parts=parts)


def _completed(result: ToolResult, call: ToolCall) -> ToolResult:
    """The result with what its source left out and its call knows."""
    return changed(
        result,
        call_id=call.call_id,
        name=result.name or call.name,
        input_kind=call.input_kind,
        builtin=result.builtin or call.builtin,
    )


def _as_user_parts(result: ToolResult) -> list[Part]:
    """Rule 7 for a result whose call is not in the history."""
    label = f"[tool result {result.call_id or result.name or 'without id'}]"
    texts = [part for part in result.parts if isinstance(part, Text)]
    others: list[Part] = [part for part in result.parts if not isinstance(part, Text)]
    text = "\n".join((label, *(text.text for text in texts)))
    return [Text(text=text, cache=result.cache), *others]
