"""`python -m bench.soak`: 100,000 requests with aborts and faults, after a warm-up, and whether memory grows.

Requests are unary and streamed in turn, in batches; in each, one of 20 is aborted by its client at the first byte, and
one of 20 meets a fault of the mock: a reset, a 500, an answer cut in half. After every batch the gateway's memory is
read. The first 75,000 are warm-up: pools, caches and the allocator find their size.
Through the readings of the 100,000 that follow a straight line is laid; its slope is the verdict.
"""

import argparse
import statistics
import sys

from bench.measure import run_load
from bench.programs import build
from bench.scenarios import Scenario
from bench.targets import Target, gateway, mocks, plain_origins

BATCH = 5_000
WARM_UP = 75_000  # measured: the allocator stops asking for more after about 65,000
SLOPE_MB_MAX = (
    1.0  # per 100,000 requests: at 10 a second, 9 MB a day; growth a weekly restart would not notice
)
ONE_IN = 20  # 5 % aborts, 5 % faults
KINDS = (
    Scenario("openai_chat", "openai_chat", "unary", 32),
    Scenario("openai_chat", "openai_chat", "burst", 32),
)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak", description="Does the gateway's memory grow?"
    )
    parser.add_argument("--requests", type=int, default=100_000, help="after the warm-up")
    requests = WARM_UP + parser.parse_args().requests
    build()

    with (
        mocks([kind.route for kind in KINDS], fault_every=ONE_IN) as direct,
        gateway(plain_origins(direct)) as target,
    ):
        readings = soak(target, requests)
    slope_mb = slope_per_100_000(readings)
    print(f"slope after warm-up: {slope_mb:+.2f} MB per 100,000 requests (at most {SLOPE_MB_MAX})")
    return slope_mb > SLOPE_MB_MAX


def soak(target: Target, requests: int) -> list[tuple[int, float]]:
    """Send them; returns the memory in MB after each batch, by requests sent so far."""
    assert target.program
    readings: list[tuple[int, float]] = []
    for sent in range(BATCH, requests + 1, BATCH):
        kind = KINDS[len(readings) % len(KINDS)]
        load = run_load(kind, target, ["-n", str(BATCH), "-s", "600", "-a", str(ONE_IN)], faults=True)
        readings.append((sent, target.program.rss_kb() / 1000))
        outcomes = ", ".join(f"{load[name]} {name}" for name in ("completed", "refused", "broken", "aborted"))
        print(f"{sent:>9,} requests: RSS {readings[-1][1]:.1f} MB; {kind.answer}: {outcomes}", flush=True)
        if load["unfinished"]:
            raise SystemExit(f"soak: {load['unfinished']} requests never ended")
    return readings


def slope_per_100_000(readings: list[tuple[int, float]]) -> float:
    """The slope of the least-squares line through the readings after the warm-up, in MB per 100,000 requests."""
    settled = [reading for reading in readings if reading[0] >= WARM_UP]
    if len(settled) < 3:
        raise SystemExit(f"soak: too few requests for a slope; send at least {2 * BATCH:,}")
    requests, mb = zip(*settled, strict=True)
    return statistics.linear_regression(requests, mb).slope * 100_000


if __name__ == "__main__":
    sys.exit(main())
