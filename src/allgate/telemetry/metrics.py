"""Metrics: plain integers on the hot path, turned into Prometheus text only when somebody asks.

prometheus_client's histogram takes 3-5 µs for an observation with labels (a lock per child, a walk over the buckets);
a request has four of them and a budget of 2 µs, so each distinct set of labels has one `Series` here, found by one
dictionary look-up, whose lists are bisected. Everything runs on the loop's thread: no locks.

Names follow OpenTelemetry's gen_ai conventions where they have one (dots become underscores, the unit is appended as
Prometheus wants it); the rest begins `allgate_`. Labels come from the catalogue, never from a client's text: only
admitted requests come here.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from allgate.core.money import NANO_PER_USD
from allgate.gateway.ports import LogRow

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SERIES_MAX = 2_000
"""Distinct label sets. 200 models on 3 upstreams in 3 dialects, twice; 2 KB each. Above it, `model` reads "(other)"."""

DURATION_BOUNDS_MS = (
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    60_000,
    120_000,
    300_000,
)
FIRST_BYTE_BOUNDS_MS = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
TOKEN_BOUNDS = (1, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576)

Gauge: TypeAlias = Callable[[], Iterable[tuple[dict[str, str], float]]]
"""What a part of the gateway shows when asked: (labels, value) pairs."""


class Histogram:
    """Counts per bucket and a sum. The last count is of what is above every bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[int, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0

    def observe(self, value: int) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Series:
    """What is counted for one set of labels."""

    __slots__ = (
        "charged_nano_usd",
        "duration_ms",
        "estimated",
        "first_byte_ms",
        "input_tokens",
        "notes",
        "output_tokens",
        "retries",
    )

    def __init__(self) -> None:
        self.duration_ms = Histogram(DURATION_BOUNDS_MS)
        self.first_byte_ms = Histogram(FIRST_BYTE_BOUNDS_MS)
        self.input_tokens = Histogram(TOKEN_BOUNDS)
        self.output_tokens = Histogram(TOKEN_BOUNDS)
        self.charged_nano_usd = 0
        self.estimated = 0
        self.retries = 0
        self.notes = 0


LABELS = (
    "gen_ai_operation_name",
    "gen_ai_request_model",
    "dialect",
    "upstream",
    "upstream_dialect",
    "outcome",
)
Key: TypeAlias = tuple[str, str, str, str, str, str]

# name, sentence, what a value is divided by, (further labels, where it is)
HISTOGRAMS: tuple[
    tuple[str, str, int, tuple[tuple[dict[str, str], Callable[[Series], Histogram]], ...]], ...
] = (
    (
        "gen_ai_server_request_duration_seconds",
        "Whole requests.",
        1_000,
        (({}, lambda one: one.duration_ms),),
    ),
    (
        "gen_ai_server_time_to_first_token_seconds",
        "Until an answer's first byte.",
        1_000,
        (({}, lambda one: one.first_byte_ms),),
    ),
    (
        "gen_ai_client_token_usage",
        "Tokens per request.",
        1,
        (
            ({"gen_ai_token_type": "input"}, lambda one: one.input_tokens),
            ({"gen_ai_token_type": "output"}, lambda one: one.output_tokens),
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
    """All counters of a process. `observe` on the hot path, `render` for `/metrics`, `gauge` for what others know."""

    def __init__(self) -> None:
        self._series: dict[Key, Series] = {}
        self._gauges: dict[str, tuple[str, str, Gauge]] = {}

    def observe(self, row: LogRow) -> None:
        """Count one finished request."""
        key = (row.operation, row.model, row.dialect, row.upstream, row.upstream_dialect, row.outcome)
        series = self._series.get(key) or self._opened(key)
        series.duration_ms.observe(row.duration_ms)
        if row.first_byte_ms is not None:
            series.first_byte_ms.observe(row.first_byte_ms)
        usage = row.usage
        if usage.input_tokens is not None:
            series.input_tokens.observe(usage.input_tokens)
        if usage.output_tokens is not None:
            series.output_tokens.observe(usage.output_tokens)
        if usage.estimated:
            series.estimated += 1
        series.charged_nano_usd += row.charged_nano_usd
        if row.attempts > 1:
            series.retries += row.attempts - 1
        if row.notes:
            series.notes += row.notes.count("; ") + 1

    def gauge(self, name: str, kind: str, text: str, read: Gauge) -> None:
        """Have `/metrics` show what `read` returns. `kind`: gauge | counter. Raises: ValueError: the name is taken."""
        if name in self._gauges:
            raise ValueError(f"two metrics are named {name}")
        self._gauges[name] = (kind, text, read)

    def render(self) -> bytes:
        """The Prometheus text of everything, labels in a fixed order."""
        lines = [line for family in self._families() for line in family]
        return ("\n".join(lines) + "\n").encode("utf-8")

    def _opened(self, key: Key) -> Series:
        if len(self._series) >= SERIES_MAX:
            key = (key[0], "(other)", key[2], "(other)", key[4], key[5])
            if found := self._series.get(key):
                return found
        series = self._series[key] = Series()
        return series

    def _families(self) -> Iterator[list[str]]:
        for name, text, unit, members in HISTOGRAMS:
            yield _head(name, "histogram", text) + [
                line
                for key, series in self._series.items()
                for label, read in members
                for line in _buckets(name, _named(key) | label, read(series), unit)
            ]
        for name, text, read in COUNTERS:
            yield _head(name, "counter", text) + [
                f"{name}{_labels(_named(key))} {_number(read(series))}"
                for key, series in self._series.items()
                if read(series)
            ]
        for name, (kind, text, read) in self._gauges.items():
            yield _head(name, kind, text) + [
                f"{name}{_labels(labels)} {_number(value)}" for labels, value in read()
            ]


def _named(key: Key) -> dict[str, str]:
    return dict(zip(LABELS, key, strict=True))


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _buckets(name: str, labels: dict[str, str], histogram: Histogram, unit: int) -> list[str]:
    """Cumulative buckets, sum and count; nothing for a histogram that saw nothing. Values are divided by `unit`."""
    lines: list[str] = []
    seen = 0
    bounds = [*(_number(bound / unit) for bound in histogram.bounds), "+Inf"]
    for bound, count in zip(bounds, histogram.counts, strict=True):
        seen += count
        lines.append(f"{name}_bucket{_labels(labels | {'le': bound})} {seen}")
    lines += [
        f"{name}_sum{_labels(labels)} {_number(histogram.total / unit)}",
        f"{name}_count{_labels(labels)} {seen}",
    ]
    return lines if seen else []


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
