"""One scenario against one target, once: the load client runs, and the process in between is read before and after."""

import json
import subprocess
from typing import NamedTuple

from bench.programs import LOAD_CORE, OUT
from bench.scenarios import Scenario
from bench.targets import KEY, Target
from bench.wire import request

WARM_UP = ["-n", "300"]  # requests per row before the first sample: pools are open, caches filled
LOAD_S_MAX = (
    620  # the longest load is a batch of the soak, which may take 600 s and waits 20 for what is under way
)


class Sample(NamedTuple):
    """What one run showed. Times of a unary row are of whole answers, of a stream row of each chunk's way."""

    cpu_us: float | None  # per request or per chunk; of nobody, if the mock was asked directly
    per_second: float
    p50_us: float
    p99_us: float
    first_byte_p50_us: float
    loop_lag_ms: float | None
    rss_mb: float | None


def measure(scenario: Scenario, target: Target, seconds: float) -> Sample:
    """Raises: RuntimeError: not every request was answered as it should be."""
    program = target.program
    target.loop_lag_s_max()  # reading it starts it anew
    cpu_before = program.cpu_us() if program else 0
    load = run_load(scenario, target, ["-s", str(seconds)])
    cpu_us = program.cpu_us() - cpu_before if program else 0
    lag_s = target.loop_lag_s_max()
    if load["refused"] or load["broken"] or load["unfinished"] or not load["completed"]:
        raise RuntimeError(f"{scenario.name} against {target.name}: {load}")
    units = load["completed"] if scenario.unit == "request" else load["chunks"]
    times = "total" if scenario.unit == "request" else "chunk"
    return Sample(
        cpu_us=cpu_us / units if program else None,
        per_second=units / load["seconds"],
        p50_us=load[f"{times}_p50_us"],
        p99_us=load[f"{times}_p99_us"],
        first_byte_p50_us=load["first_byte_p50_us"],
        loop_lag_ms=None if lag_s is None else lag_s * 1000,
        rss_mb=program.rss_kb() / 1000 if program else None,
    )


def run_load(
    scenario: Scenario, target: Target, options: list[str], *, faults: bool = False
) -> dict[str, float]:
    """Run the load client to its end; returns the figures it prints (native/load.c).

    Unless `faults` are to be expected, the first answer that is not a 200 is shown.
    """
    path, body = request(scenario)
    file = OUT / "request.json"
    file.write_bytes(body)
    address = [str(target.ports[scenario.route]), path, str(scenario.connections), str(file)]
    command = [
        "taskset",
        "-c",
        str(LOAD_CORE),
        str(OUT / "load"),
        *options,
        *address,
        f"Authorization: Bearer {KEY}",
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_S_MAX, check=False)
    if run.returncode:
        raise RuntimeError(f"{scenario.name} against {target.name}: {run.stderr.strip()}")
    if not faults:
        print(run.stderr, end="", flush=True)
    return json.loads(run.stdout)
