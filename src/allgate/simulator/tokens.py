"""Token counts by a rule of the simulator's own, so that a test can compute them again.

A token is up to four characters that are not white space, with the white space before them; white space at the end of
a text is one token more. The tokens of a text joined give the text, which is also how an answer is cut into stream
pieces and to `max_tokens`. No vendor counts this way, and that is the point: a gateway that reports its own estimate
instead of what the upstream said is found out at once.

A message costs `MESSAGE_TOKENS` more, a picture, file or sound `MEDIA_TOKENS`, a tool what its compact JSON costs.
"""

import re
from itertools import pairwise

MESSAGE_TOKENS = 3
"""What a message costs beside its text: the figure OpenAI's cookbook gives for its chat models."""

ARGUMENT_PIECES_MAX = 64
"""Fragments of one call's arguments in a stream: more would make tests slow and prove nothing new."""

MEDIA_TOKENS = 258
"""What a picture, file or sound costs: Gemini's figure for a small picture."""

_TOKEN = re.compile(r"\s*\S{1,4}|\s+\Z")


def split(text: str) -> list[str]:
    """The tokens of `text`; joined they are `text` again.

    >>> split("Hello big world ")
    ['Hell', 'o', ' big', ' worl', 'd', ' ']
    """
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens `text` has."""
    return len(_TOKEN.findall(text))


def pieces(text: str, number: int) -> list[str]:
    """`text` in at most `number` pieces of whole tokens, as even as can be; [] for an empty text."""
    tokens = split(text)
    number = min(number, len(tokens))
    bounds = [index * len(tokens) // number for index in range(number + 1)] if number else []
    return ["".join(tokens[start:end]) for start, end in pairwise(bounds)]


def text_deltas(text: str, number: int | None) -> list[str]:
    """`text` as a stream says it: in `number` pieces, or token by token where the scene names no number."""
    return split(text) if number is None else pieces(text, number)


def argument_deltas(arguments: str) -> list[str]:
    """The arguments of a call as a stream says them."""
    return pieces(arguments, ARGUMENT_PIECES_MAX)
