"""A request that runs: what was asked, its money, and the one place where its end is written down."""

from functools import partial

from allgate.billing.estimate import unanswered_cost
from allgate.core.clock import Clock
from allgate.core.value import changed
from allgate.dialects.contract import ChatDialect, Head
from allgate.gateway.admission import Call, Permitted
from allgate.gateway.durable import Durable
from allgate.gateway.ports import LogRow, Recorder, Unanswered
from allgate.gateway.settle import NOT_SETTLED, Outcome, Reservation
from allgate.identity.caller import user_agent
from allgate.operations.chat.notes import Note, notes_header
from allgate.routing.plan import Candidate


class Admitted:
    """Lives as long as the request. `attempts`, `notes` and `first_byte_s` are facts for its log row."""

    __slots__ = (
        "_clock",
        "_recorder",
        "_row",
        "allowed",
        "attempts",
        "call",
        "first_byte_s",
        "notes",
        "reservation",
    )

    def __init__(
        self, call: Call, allowed: Permitted, reservation: Reservation, recorder: Recorder, clock: Clock
    ) -> None:
        self.call = call
        self.allowed = allowed
        self.reservation = reservation
        self.notes: tuple[Note, ...] = ()
        self.attempts = 0
        self.first_byte_s: float | None = None
        self._row: LogRow | None = None
        self._recorder = recorder
        self._clock = clock

    @property
    def head(self) -> Head:
        return self.allowed.head

    @property
    def dialect(self) -> ChatDialect:
        return self.call.dialect

    def elapsed_s(self) -> float:
        return self._clock.monotonic_s() - self.call.started_monotonic_s

    def content_left(self) -> None:
        """The first content is on its way to the client."""
        if self.first_byte_s is None:
            self.first_byte_s = self.elapsed_s()

    def unanswered(self, candidate: Candidate) -> None:
        """An attempt was sent, and the provider may bill it although nothing came back. The client pays nothing for it."""
        call, allowed = self.call, self.allowed
        sheet = allowed.pricing.sheet
        self._recorder.unanswered(
            Unanswered(
                request_id=call.request_id,
                attempt=self.attempts,
                at_ms=int((call.started_s + self.elapsed_s()) * 1000),
                key_id=allowed.caller.key_id,
                upstream=candidate.deployment.upstream.name,
                price_id=sheet.id,
                amount_nano_usd=unanswered_cost(sheet, allowed.head.input_bytes),
            )
        )

    def conclude(self, outcome: Outcome, candidate: Candidate | None, status: int = 200) -> Durable:
        """Decide the money and write the line that goes with it; both exactly once, whoever calls first."""
        if self._row is not None:
            return self.reservation.conclude(outcome)
        durable = self.reservation.conclude(outcome, partial(self._written, outcome, candidate, status))
        durable.add_done_callback(self._record)
        return durable

    def _record(self, durable: Durable) -> None:
        """The money is decided for good: a charge that could not be written is none, and its row says so."""
        row = self._row
        assert row is not None  # made when the money was decided
        if durable.exception() is None:
            self._recorder.record(row, kept=self.reservation.posted)
        else:
            self._recorder.record(_not_settled(row), kept=False)

    def _written(self, outcome: Outcome, candidate: Candidate | None, status: int) -> LogRow:
        row = self._row = self._line(outcome, candidate, status)
        return row

    def _line(self, outcome: Outcome, candidate: Candidate | None, status: int) -> LogRow:
        call, allowed, reservation = self.call, self.allowed, self.reservation
        failure = outcome.failure
        return LogRow(
            request_id=call.request_id,
            started_ms=int(call.started_s * 1000),
            account_id=allowed.caller.account_id,
            key_id=allowed.caller.key_id,
            dialect=call.dialect.name,
            operation=call.operation,
            model=allowed.model.name,
            upstream=candidate.deployment.upstream.name if candidate else "",
            upstream_model=candidate.deployment.model if candidate else "",
            upstream_dialect=candidate.speaks.dialect if candidate else "",
            passthrough=candidate.passthrough if candidate else False,
            stream=allowed.head.stream,
            status=status,
            outcome=outcome.kind,
            attempts=self.attempts,
            duration_ms=int(self.elapsed_s() * 1000),
            first_byte_ms=None if self.first_byte_s is None else int(self.first_byte_s * 1000),
            usage=reservation.usage,
            charged_nano_usd=reservation.charged_nano_usd,
            hold_nano_usd=reservation.hold.amount_nano_usd,
            price_id=reservation.pricing.id,
            error=f"{failure.kind}: {failure.message}" if failure else "",
            notes=notes_header(self.notes) if self.notes else "",
            user_agent=user_agent(call.wire.headers),
        )


def _not_settled(row: LogRow) -> LogRow:
    return changed(
        row,
        status=NOT_SETTLED.status,
        outcome="failed",
        charged_nano_usd=0,
        error=f"{NOT_SETTLED.kind}: {NOT_SETTLED.message}",
    )
