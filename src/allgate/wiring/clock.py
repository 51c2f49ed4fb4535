"""The clocks of the operating system, behind the port."""

from time import monotonic, time


class SystemClock:
    """`core.clock.Clock`."""

    __slots__ = ()

    now_s = staticmethod(time)  # no frame of ours in between: a request asks eight times
    monotonic_s = staticmethod(monotonic)
