"""The recorder of the request path: counts a finished request and hands its row to whoever keeps the request log."""

from collections.abc import Callable

from allgate.gateway.ports import LogRow
from allgate.telemetry.metrics import Metrics

Keep = Callable[[LogRow], None]
"""Takes a row without waiting and without failing (`storage.request_log.RequestLog.append`)."""


class RequestRecorder:
    """`gateway.ports.Recorder`. `keep` None: metrics only."""

    __slots__ = ("_keep", "metrics")

    def __init__(self, metrics: Metrics, keep: Keep | None) -> None:
        self.metrics = metrics
        self._keep = keep

    def record(self, row: LogRow) -> None:
        self.metrics.observe(row)
        if self._keep is not None:
            self._keep(row)
