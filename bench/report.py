"""What is said about a run: medians of the rounds, as a Markdown table to read and as JSON to keep."""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bench.measure import Sample
from bench.programs import OUT, ROOT
from bench.scenarios import KB, MB, Scenario

Samples = dict[Scenario, dict[str, list[Sample]]]
"""By scenario and the name of the target, one sample per round."""

HEADER = (
    "what", "connections", "prompt", "µs CPU per", "goal", "allgate", "nginx", "per second", "nginx", "added p50 ms", "nginx",
    "added p99 ms", "nginx", "first byte p50 ms", "loop lag max ms", "RSS MB",
)  # fmt: skip

PEER_HEADER = (
    "connections", "prompt", "µs CPU per request", "per second", "added p50 ms", "added p99 ms", "RSS MB",
)  # fmt: skip


class Run(NamedTuple):
    """All that was measured. `ready_s` by target; `skipped` by scenario, with the reason."""

    samples: Samples
    ready_s: dict[str, list[float]]
    skipped: dict[Scenario, str]


def median(samples: list[Sample]) -> Sample:
    """Each figure's own median over the rounds; the loop lag is the largest, as one late turn is one too many."""
    columns = [[figure for figure in column if figure is not None] for column in zip(*samples, strict=True)]
    middle = Sample(*(statistics.median(column) if column else None for column in columns))  # pyright: ignore[reportArgumentType] a figure is None in all rounds or in none
    lags = [sample.loop_lag_ms for sample in samples if sample.loop_lag_ms is not None]
    return middle._replace(loop_lag_ms=max(lags, default=None))


def markdown(run: Run) -> str:
    lines = [_row(HEADER), _row(["---"] * len(HEADER))]
    lines += [_row(_cells(scenario, targets)) for scenario, targets in run.samples.items() if targets]
    lines += _peer_lines(run)
    for name, times in run.ready_s.items():
        lines += [
            "",
            f"{name}: start to ready {statistics.median(times) * 1000:.0f} ms (median of {len(times)})",
        ]
    lines += ["", *(f"SKIPPED: {_what(scenario)}: {reason}" for scenario, reason in run.skipped.items())]
    return "\n".join(lines).rstrip()


def _peer_lines(run: Run) -> list[str]:
    """LiteLLM's own table, where it was measured: it is asked a few of the rows."""
    asked = {scenario: targets for scenario, targets in run.samples.items() if "litellm" in targets}
    if not asked:
        return []
    lines = ["", _row(("LiteLLM in the same run", *PEER_HEADER)), _row(["---"] * (len(PEER_HEADER) + 1))]
    for scenario, targets in asked.items():
        theirs, direct = median(targets["litellm"]), median(targets["direct"])
        figures = (
            _shown(theirs.cpu_us, 0),
            _shown(theirs.per_second, 0),
            _shown((theirs.p50_us - direct.p50_us) / 1000, 2),
            _shown((theirs.p99_us - direct.p99_us) / 1000, 2),
            _shown(theirs.rss_mb, 0),
        )
        lines.append(_row([scenario.name, str(scenario.connections), _prompt(scenario), *figures]))
    return lines


def _prompt(scenario: Scenario) -> str:
    size = scenario.prompt_bytes
    return f"{size // MB} MB" if size >= MB else f"{size // KB} KB"


def _cells(scenario: Scenario, targets: dict[str, list[Sample]]) -> list[str]:
    direct, ours, theirs = (
        median(targets[name]) if name in targets else None for name in ("direct", "allgate", "nginx")
    )
    pair = (ours, theirs)
    return [
        scenario.name,
        str(scenario.connections),
        _prompt(scenario),
        scenario.unit,
        _shown(scenario.goal_us, 0),
        *(_shown(sample and sample.cpu_us, 1) for sample in pair),
        *(_shown(sample and sample.per_second, 0) for sample in pair),
        *(_shown(sample and direct and (sample.p50_us - direct.p50_us) / 1000, 2) for sample in pair),
        *(_shown(sample and direct and (sample.p99_us - direct.p99_us) / 1000, 2) for sample in pair),
        _shown(ours and ours.first_byte_p50_us / 1000, 2),
        _shown(ours and ours.loop_lag_ms, 1),
        _shown(ours and ours.rss_mb, 0),
    ]


def _what(scenario: Scenario) -> str:
    return f"{scenario.name}, {scenario.connections} connections, {scenario.prompt_bytes} bytes"


def _shown(figure: float | None, digits: int) -> str:
    return "–" if figure is None else f"{figure:,.{digits}f}"


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def keep(run: Run, rounds: int) -> Path:
    """Write every sample to bench/out, with what is needed to measure it again; returns the file."""
    started = datetime.datetime.now(datetime.UTC)
    record = {
        "commit": commit(),
        "command": " ".join(["python -m bench", *sys.argv[1:]]),
        "finished_at": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "rounds": rounds,
        "ready_s": run.ready_s,
        "rows": [
            scenario._asdict()
            | {
                "name": scenario.name,
                "samples": {name: [s._asdict() for s in all] for name, all in targets.items()},
            }
            for scenario, targets in run.samples.items()
        ],
        "skipped": {_what(scenario): reason for scenario, reason in run.skipped.items()},
    }
    file = OUT / f"{started:%Y%m%dT%H%M%SZ}-{record['commit']}.json"
    file.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return file


def record(run: Run, rounds: int) -> None:
    """Put the table into docs/performance.md, between its two marks."""
    page = ROOT / "docs/performance.md"
    before, begin, rest = page.read_text().partition("<!-- bench:begin -->\n")
    _, end, after = rest.partition("<!-- bench:end -->")
    assert begin, "docs/performance.md has lost its first mark"
    assert end, "docs/performance.md has lost its second mark"
    day = datetime.datetime.now(datetime.UTC).date()
    head = f"Commit {commit()}, {day}, {rounds} rounds, {machine()}."
    page.write_text(f"{before}{begin}{head}\n\n{markdown(run)}\n{end}{after}")


def commit() -> str:
    """The commit that was measured, marked if the tree differs from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def machine() -> str:
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    model = models[0].partition(": ")[2] if models else platform.machine()
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"
