"""What was not carried, named. Nothing is dropped in silence.

Notes leave in the response header `x-allgate-notes` and are counted in metrics. They name fields and rules, never
the client's content.
"""

from collections.abc import Iterable
from typing import Literal

from allgate.core.value import Value

NOTES_HEADER_CHARACTERS_MAX = 2_000
"""Clients and proxies reject header blocks over 8 KB; a quarter of that is ours. The rest of a long list is counted."""


class Note(Value, frozen=True, kw_only=True):
    """`path` is the field in the client's words; `reason` is short and names the rule ("not supported by anthropic")."""

    kind: Literal["dropped", "converted", "clamped", "added", "repaired"]
    path: str
    reason: str = ""


def dropped(path: str, reason: str) -> Note:
    return Note(kind="dropped", path=path, reason=reason)


def converted(path: str, reason: str) -> Note:
    return Note(kind="converted", path=path, reason=reason)


def clamped(path: str, reason: str) -> Note:
    return Note(kind="clamped", path=path, reason=reason)


def added(path: str, reason: str) -> Note:
    return Note(kind="added", path=path, reason=reason)


def repaired(path: str, reason: str) -> Note:
    return Note(kind="repaired", path=path, reason=reason)


def notes_header(notes: Iterable[Note]) -> str:
    """One line for `x-allgate-notes`, without repeats; what does not fit is counted at the end.

    >>> notes_header([dropped("seed", "anthropic has none")])
    'dropped seed (anthropic has none)'
    """
    texts = list(
        dict.fromkeys(f"{n.kind} {n.path} ({n.reason})" if n.reason else f"{n.kind} {n.path}" for n in notes)
    )
    line, shown = "", 0
    for text in texts:
        longer = f"{line}; {text}" if line else text
        if len(longer) > NOTES_HEADER_CHARACTERS_MAX:
            break
        line, shown = longer, shown + 1
    hidden = len(texts) - shown
    return f"{line}; and {hidden} more" if hidden else line
