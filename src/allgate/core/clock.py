"""The clock port. Pure floors get times as arguments; what needs a clock asks for this."""

from typing import Protocol


class Clock(Protocol):
    """Two clocks: wall time for records, monotonic time for durations and deadlines."""

    def now_s(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some fixed point; never goes back."""
        ...
