"""The recorder of the request path: counts a finished request and hands its row to whoever keeps the request log."""

from collections import Counter
from collections.abc import Callable

from allgate.billing.output_sizes import OutputSizes
from allgate.core.errors import Failure
from allgate.gateway.ports import LogRow, Unanswered
from allgate.telemetry.metrics import Metrics

Keep = Callable[[LogRow], None]
"""Takes a row without waiting and without failing (`storage.write_behind.WriteBehind.append`)."""

Book = Callable[[Unanswered], None]
"""The same for a cost of the house."""


class RequestRecorder:
    """`gateway.ports.Recorder`. `keep`, `book` None: metrics only. `sizes` None: nobody wants to know how long answers are."""

    __slots__ = ("_book", "_keep", "_refused", "_unanswered", "metrics", "sizes")

    def __init__(self, metrics: Metrics, keep: Keep | None, book: Book | None = None) -> None:
        self.metrics = metrics
        self.sizes: OutputSizes | None = None
        self._keep = keep
        self._book = book
        self._unanswered: Counter[str] = Counter()
        self._refused: Counter[tuple[str, str, str]] = Counter()
        metrics.gauge(
            "allgate_requests_refused_total", "counter", "Requests that were never admitted.", self._refusals
        )
        metrics.gauge(
            "allgate_attempts_unanswered_total",
            "counter",
            "Attempts that were sent and never answered.",
            lambda: [({"upstream": upstream}, count) for upstream, count in self._unanswered.items()],
        )

    def record(self, row: LogRow, *, kept: bool = False) -> None:
        self.metrics.observe(row)
        if self.sizes is not None and row.outcome == "ok" and row.usage.output_tokens is not None:
            self.sizes.observe(row.model, row.usage.output_tokens)
        if self._keep is not None and not kept:
            self._keep(row)

    def refused(self, dialect: str, operation: str, failure: Failure) -> None:
        self._refused[dialect, operation, failure.kind] += 1

    def unanswered(self, cost: Unanswered) -> None:
        self._unanswered[cost.upstream] += 1
        if self._book is not None:
            self._book(cost)

    def _refusals(self) -> list[tuple[dict[str, str], float]]:
        return [
            ({"dialect": dialect, "operation": operation, "kind": kind}, count)
            for (dialect, operation, kind), count in self._refused.items()
        ]
