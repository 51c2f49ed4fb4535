"""All metrics of a process: counted on the hot path, read by `/metrics`.

Names follow OpenTelemetry's gen_ai conventions where they have one (dots become underscores, the unit is appended as
Prometheus wants it); the rest begins `allgate_`. Labels come from the catalogue, never from a client's text: only
admitted requests come here.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from allgate.core.money import NANO_PER_USD
from allgate.gateway.ports import LogRow
from allgate.telemetry.exposition import CONTENT_TYPE as CONTENT_TYPE
from allgate.telemetry.exposition import head, histogram_lines, label_text, sample
from allgate.telemetry.series import LABELS, REQUEST_LABELS, Histogram, Key, Series

SERIES_MAX = 2_000
"""Models times upstreams that are counted apart, at 4 KB each. Beyond it both labels read "(other)"."""

OTHER = "(other)"

UNCOUNTED_MAX = 256
"""Finished requests that wait to be counted: counting so many in a row takes a third of what it takes one by one, between
all else that a request runs through, and 0.3 ms."""

Gauge: TypeAlias = Callable[[], Iterable[tuple[dict[str, str], float]]]
"""What a part of the gateway shows when asked: (labels, value) pairs."""

# name, sentence, what a value is divided by, (further labels, where it is)
HISTOGRAMS: tuple[tuple[str, str, int, tuple[tuple[str, Callable[[Series], Histogram]], ...]], ...] = (
    (
        "gen_ai_server_request_duration_seconds",
        "Whole requests.",
        1_000,
        (("", lambda one: one.duration_ms),),
    ),
    (
        "gen_ai_server_time_to_first_token_seconds",
        "Until an answer's first byte.",
        1_000,
        (("", lambda one: one.first_byte_ms),),
    ),
    (
        "gen_ai_client_token_usage",
        "Tokens per request.",
        1,
        (
            (',gen_ai_token_type="input"', lambda one: one.input_tokens),
            (',gen_ai_token_type="output"', lambda one: one.output_tokens),
        ),
    ),
)

COUNTERS: tuple[tuple[str, str, Callable[[Series], float]], ...] = (
    ("allgate_charged_usd_total", "Charged, in USD.", lambda one: one.charged_nano_usd / NANO_PER_USD),
    ("allgate_usage_estimated_total", "Requests whose usage was counted by us.", lambda one: one.estimated),
    ("allgate_retries_total", "Attempts beyond a request's first.", lambda one: one.retries),
    ("allgate_notes_total", "Fields that were not carried as they came, and said so.", lambda one: one.notes),
)


class Metrics:
    """`observe` on the hot path, `render` for `/metrics`, `gauge` for what other parts know."""

    def __init__(self) -> None:
        self._series: dict[Key, Series] = {}
        self._uncounted: list[LogRow] = []
        self._gauges: dict[str, tuple[str, str, Gauge]] = {}

    def observe(self, row: LogRow) -> None:
        """Count one finished request, with those that follow it or when somebody asks."""
        self._uncounted.append(row)
        if len(self._uncounted) >= UNCOUNTED_MAX:
            self._count()

    def gauge(self, name: str, kind: str, text: str, read: Gauge) -> None:
        """Have `/metrics` show what `read` returns. `kind`: gauge | counter. Raises: ValueError: the name is taken."""
        if name in self._gauges:
            raise ValueError(f"two metrics are named {name}")
        self._gauges[name] = (kind, text, read)

    def render(self) -> bytes:
        """The Prometheus text of everything."""
        return self.collect()()

    def collect(self) -> Callable[[], bytes]:
        """What makes that text, of the counts as they are now: call it in another thread. Making it takes 50 µs per
        series, copying the counts 4."""
        self._count()
        every = [series.copy() for series in self._series.values()]
        gauges = [(name, kind, text, list(read())) for name, (kind, text, read) in self._gauges.items()]
        return lambda: ("\n".join((*_lines(every), *_gauge_lines(gauges))) + "\n").encode("utf-8")

    def _count(self) -> None:
        for row in self._uncounted:
            key = (row.operation, row.model, row.upstream)
            series = self._series.get(key) or self._opened(key)
            series.observe(row)
        self._uncounted.clear()

    def _opened(self, key: Key) -> Series:
        if len(self._series) >= SERIES_MAX:
            key = (key[0], OTHER, OTHER)
            if found := self._series.get(key):
                return found
        series = self._series[key] = Series(label_text(zip(LABELS, key, strict=True)))
        return series


def _lines(every: list[Series]) -> Iterator[str]:
    yield head("allgate_requests_total", "counter", "Requests that were admitted, by how they ended.")
    for series in every:
        for kind, count in series.requests.items():
            labels = label_text(zip(REQUEST_LABELS, kind, strict=True))
            yield sample("allgate_requests_total", f"{series.labels},{labels}", count)
    for name, text, unit, members in HISTOGRAMS:
        yield head(name, "histogram", text)
        for series in every:
            for label, read in members:
                yield from histogram_lines(name, series.labels + label, read(series), unit)
    for name, text, read in COUNTERS:
        yield head(name, "counter", text)
        yield from (sample(name, series.labels, read(series)) for series in every if read(series))


def _gauge_lines(gauges: list[tuple[str, str, str, list[tuple[dict[str, str], float]]]]) -> Iterator[str]:
    for name, kind, text, values in gauges:
        yield head(name, kind, text)
        yield from (sample(name, label_text(labels.items()), value) for labels, value in values)
