"""Random bytes of the operating system, drawn in blocks: a system call for every request would cost more than the id."""

from os import urandom

BLOCK_BYTES = 4_096


class BufferedDice:
    """Call it with a count, get that many unpredictable bytes."""

    __slots__ = ("_block", "_used")

    def __init__(self) -> None:
        self._block = b""
        self._used = 0

    def __call__(self, count: int) -> bytes:
        if self._used + count > len(self._block):
            self._block, self._used = urandom(max(BLOCK_BYTES, count)), 0
        self._used += count
        return self._block[self._used - count : self._used]
