"""Tool call ids that fit a target, without any state.

An upstream only checks that the ids inside one request agree, and a client only checks that the id it sends back is
the one it was given. So an id that breaks the target's rule is replaced by a hash of itself, and the same function is
applied to the call and to its result alike: no map back is needed, also after a restart or on another node.
"""

import re
from functools import lru_cache

from allgate.core.ids import call_id_from

_PATTERNS_REMEMBERED = 16  # one per dialect and vendor habit; there are four


def fitting_call_id(call_id: str, pattern: str, characters_max: int) -> str:
    """`call_id` itself where `pattern` matches all of it and it is short enough, else `call_` and 24 characters.

    `pattern` and `characters_max` are the target's rule and must admit that replacement (29 letters, digits, `_`).

    >>> fitting_call_id("toolu_01", r"[A-Za-z0-9_-]+", 64)
    'toolu_01'
    >>> fitting_call_id("a b", r"[A-Za-z0-9_-]+", 64)
    'call_kkg5rybrqg3au3nye72utw7d'
    """
    if len(call_id) <= characters_max and _compiled(pattern).fullmatch(call_id):
        return call_id
    return call_id_from(call_id)


def exact_call_id(call_id: str, characters: int) -> str:
    """`call_id` itself where it is exactly so many letters and digits, else so many of its hash (at most 24).

    >>> exact_call_id("toolu_01", 9), exact_call_id("D681PevKs", 9)
    ('463vkq6h4', 'D681PevKs')
    """
    if len(call_id) == characters and call_id.isascii() and call_id.isalnum():
        return call_id
    return call_id_from(call_id).removeprefix("call_")[:characters]


@lru_cache(_PATTERNS_REMEMBERED)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
