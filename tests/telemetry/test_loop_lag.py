"""The sampler on a loop whose clock the test moves."""

import asyncio
from collections.abc import Callable

from allgate.telemetry.loop_lag import SAMPLE_S, LoopLag


class MovedLoop:
    """The three calls of a loop that the sampler makes. A timer is called when the test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when_s: float, callback: Callable[[], None]) -> "MovedLoop":
        self.timers.append((when_s, callback))
        return self

    def cancel(self) -> None:
        self.timers.clear()

    def call_late(self, by_s: float) -> None:
        due_s, callback = self.timers.pop()
        self.now_s = due_s + by_s
        callback()


def test_the_largest_lag_is_kept_until_it_is_read():
    loop = MovedLoop()
    lag = LoopLag(loop)  # pyright: ignore[reportArgumentType] -- the part of a loop that is used
    lag.start()
    for by_s in (0.0, 0.5, 0.25):
        loop.call_late(by_s)
    assert lag.worst_s() == 0.5
    assert lag.worst_s() == 0.0


def test_a_sample_is_due_at_equal_distances():
    loop = MovedLoop()
    LoopLag(loop).start()  # pyright: ignore[reportArgumentType] -- as above
    assert loop.timers[0][0] == 100 + SAMPLE_S
    loop.call_late(0.5)
    assert loop.timers[0][0] == 100 + SAMPLE_S + 0.5 + SAMPLE_S


async def test_a_real_loop_is_sampled_until_it_stops():
    loop = asyncio.get_running_loop()
    lag = LoopLag(loop)
    lag.start()
    lag.stop()
    lag.stop()
    assert lag.worst_s() == 0
