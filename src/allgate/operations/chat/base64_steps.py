"""Is this base64? Asked in steps, because a picture may hold 20 MB and the loop must not wait for all of it."""

from collections.abc import Iterator

STEP_CHARACTERS = 64 * 1024
"""A step takes 60 µs."""

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def base64_steps(text: str) -> Iterator[bool]:
    """Its length first, then step by step: is it padded standard base64? Only the last step may end in padding.

    >>> all(base64_steps("iVA=")), all(base64_steps("iV=O"))
    (True, False)
    """
    yield len(text) % 4 == 0
    for start in range(0, len(text), STEP_CHARACTERS):
        piece = text[start : start + STEP_CHARACTERS]
        if start + STEP_CHARACTERS >= len(text):
            piece = piece.removesuffix("=").removesuffix("=")
        yield piece.isascii() and not piece.encode("ascii").translate(None, _LETTERS)
