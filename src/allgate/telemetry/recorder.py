"""The recorder of the request path: counts a finished request and hands its row to whoever keeps the request log."""

from collections import Counter
from collections.abc import Callable

from allgate.billing.output_sizes import OutputSizes
from allgate.core.errors import Failure
from allgate.gateway.ports import LogRow
from allgate.telemetry.metrics import Metrics

Keep = Callable[[LogRow], None]
"""Takes a row without waiting and without failing (`storage.request_log.RequestLog.append`)."""


class RequestRecorder:
    """`gateway.ports.Recorder`. `keep` None: metrics only. `sizes` None: nobody wants to know how long answers are."""

    __slots__ = ("_keep", "_refused", "metrics", "sizes")

    def __init__(self, metrics: Metrics, keep: Keep | None) -> None:
        self.metrics = metrics
        self.sizes: OutputSizes | None = None
        self._keep = keep
        self._refused: Counter[tuple[str, str, str]] = Counter()
        metrics.gauge(
            "allgate_requests_refused_total", "counter", "Requests that were never admitted.", self._refusals
        )

    def record(self, row: LogRow, *, kept: bool = False) -> None:
        self.metrics.observe(row)
        if self.sizes is not None and row.outcome == "ok" and row.usage.output_tokens is not None:
            self.sizes.observe(row.model, row.usage.output_tokens)
        if self._keep is not None and not kept:
            self._keep(row)

    def refused(self, dialect: str, operation: str, failure: Failure) -> None:
        self._refused[dialect, operation, failure.kind] += 1

    def _refusals(self) -> list[tuple[dict[str, str], float]]:
        return [
            ({"dialect": dialect, "operation": operation, "kind": kind}, count)
            for (dialect, operation, kind), count in self._refused.items()
        ]
