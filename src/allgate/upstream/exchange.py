"""What the caller holds while its request is under way, and when that has taken too long.

An exchange lets go of its connection at its end, so a late `close()` cannot hurt the next one on the same socket.
"""

from enum import Enum
from typing import Protocol, final

from allgate.core.errors import AttemptFailed
from allgate.gateway.ports import ReplySink
from allgate.upstream.failures import Cause, unknown
from allgate.upstream.message import Deadlines


class Step(Enum):
    """What the exchange waits for."""

    SENDING = "sending"  # the peer, to take more of a long request
    WAITING = "waiting"  # the head of the reply
    READING = "reading"  # the next piece of the reply


_WAITING = Step.WAITING  # a global is found in half the time


class Line(Protocol):
    """The connection under an exchange."""

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def hang_up(self) -> None: ...


@final
class Exchange:
    """One request and its reply on one connection. Times are the pool's clock, in seconds."""

    __slots__ = ("deadlines", "heard_s", "line", "paused", "sent_s", "sink", "started_s", "step")

    def __init__(
        self, line: Line, sink: ReplySink, deadlines: Deadlines, started_s: float, sent_s: float
    ) -> None:
        self.line: Line | None = line  # None: over
        self.sink = sink
        self.deadlines = deadlines
        self.started_s = started_s  # when the caller asked for it
        self.sent_s = sent_s  # when the last piece of the request left
        self.heard_s = sent_s  # when the last piece of the reply came, or the caller took up reading again
        self.step = _WAITING
        self.paused = False

    def pause_reading(self) -> None:
        """Read no more from the socket for now; what was read already (256 KB at most) still arrives."""
        if self.line is not None and not self.paused:
            self.paused = True
            self.line.pause_reading()

    def resume_reading(self) -> None:
        """Read again. Harmless if not paused, or over."""
        if self.line is not None and self.paused:
            self.paused = False
            self.line.resume_reading()

    def close(self) -> None:
        """Abort: the socket is closed at once and the sink hears nothing more. Harmless after the end."""
        if self.line is not None:
            self.line.hang_up()

    def due_s(self) -> float:
        """When the nearest deadline passes, as things stand. While the caller pauses, only the total counts."""
        limits = self.deadlines
        total_s = self.started_s + limits.total_s
        match self.step:
            case Step.SENDING:
                return min(total_s, self.sent_s + limits.idle_s)
            case Step.WAITING:
                return min(total_s, self.sent_s + limits.first_byte_s)
            case Step.READING:
                return total_s if self.paused else min(total_s, self.heard_s + limits.idle_s)

    def deadline_passed(self, now_s: float, origin: str) -> AttemptFailed:
        """Which deadline has passed, how long it was, and what was being waited for."""
        limits = self.deadlines
        if now_s >= self.started_s + limits.total_s:
            return unknown(
                Cause.TOTAL_DEADLINE,
                f"{origin} did not finish within {limits.total_s:g} s (total deadline), {self.step.value}",
            )
        match self.step:
            case Step.SENDING:
                return unknown(
                    Cause.IDLE_DEADLINE,
                    f"{origin} took no more of the request for {limits.idle_s:g} s (idle deadline)",
                )
            case Step.WAITING:
                return unknown(
                    Cause.FIRST_BYTE_DEADLINE,
                    f"{origin} did not begin to answer within {limits.first_byte_s:g} s (first-byte deadline)",
                )
            case Step.READING:
                return unknown(
                    Cause.IDLE_DEADLINE,
                    f"{origin} sent nothing for {limits.idle_s:g} s inside its reply (idle deadline)",
                )
