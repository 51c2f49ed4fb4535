"""How late the loop runs: the difference between when a timer was due and when it was called.

A loop that a long computation holds serves nobody, and no single request shows it. A sample every SAMPLE_S costs 10 µs
a second; the largest lag since the last reading is what `/metrics` shows, so a peak between two scrapes is not lost.
"""

from asyncio import AbstractEventLoop, TimerHandle

SAMPLE_S = 0.05
"""A block of 5 ms, our own limit for one computation, is seen one time in ten; one of 50 ms always."""


class LoopLag:
    """Samples from `start()` to `stop()`. `worst_s()` reads the largest lag and begins anew."""

    __slots__ = ("_due_s", "_handle", "_loop", "_worst_s")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._worst_s = 0.0
        self._due_s = 0.0
        self._handle: TimerHandle | None = None

    def start(self) -> None:
        self._due_s = self._loop.time() + SAMPLE_S
        self._handle = self._loop.call_at(self._due_s, self._sample)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def worst_s(self) -> float:
        worst, self._worst_s = self._worst_s, 0.0
        return worst

    def _sample(self) -> None:
        self._worst_s = max(self._worst_s, self._loop.time() - self._due_s)
        self.start()
