"""The clocks of the operating system, behind the port."""

from time import monotonic, time


class SystemClock:
    """`core.clock.Clock`."""

    __slots__ = ()

    def now_s(self) -> float:
        return time()

    def monotonic_s(self) -> float:
        return monotonic()
