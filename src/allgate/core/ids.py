"""Identifiers: made from a time and dice that come in as arguments, or derived from content.

`make_id` gives time-ordered ids (48 bits of milliseconds, 80 of dice, as 32 hex digits), so that rows sort by arrival.
`call_id_from` gives the same id for the same content in every process and on every retry:
no state is needed to map a tool call to its result.
"""

from base64 import b32encode
from hashlib import blake2b

DICE_BYTES = 10


def make_id(prefix: str, time_ms: int, dice: bytes) -> str:
    """`<prefix>_` and 32 hex digits. `dice` is 10 random bytes. Raises: ValueError: wrong length of dice.

    >>> make_id("req", 0, bytes(10))
    'req_00000000000000000000000000000000'
    """
    if len(dice) != DICE_BYTES:
        raise ValueError(f"{DICE_BYTES} bytes of dice are needed, got {len(dice)}")
    return f"{prefix}_{time_ms:012x}{dice.hex()}"


def time_ms_of(made: str) -> int:
    """When `make_id` made this. Raises: ValueError: it did not.

    >>> time_ms_of(make_id("req", 1_700_000_000_000, bytes(10)))
    1700000000000
    """
    _, underscore, digits = made.rpartition("_")
    if not underscore or len(digits) != 12 + 2 * DICE_BYTES:
        raise ValueError(f"not an id with a time in it: {made!r}")
    return int(digits[:12], 16)


def call_id_from(*content: str) -> str:
    """`call_` and 24 characters that depend on `content` alone. For providers that give tool calls no id."""
    digest = blake2b("\x00".join(content).encode("utf-8", "surrogatepass"), digest_size=15).digest()
    return "call_" + b32encode(digest).decode("ascii").lower()
