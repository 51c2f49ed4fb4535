"""`python -m bench`: run the table, print it, keep it.

Each round starts nginx and the gateway anew and takes every row in turn: first the mock directly, then nginx, then the
gateway, so that whatever else the machine is doing meets all three alike. A row that the gateway does not answer is
skipped, loudly, and the run fails in the end.
"""

import argparse
import sys
from contextlib import ExitStack

from bench.measure import measure, run_load
from bench.programs import build
from bench.report import Run, commit, keep, machine, markdown
from bench.scenarios import SCENARIOS, Scenario
from bench.targets import Target, bare_proxy, gateway, mocks

SECONDS = {"direct": 0.7, "nginx": 1.5, "allgate": 2.5}
PACED_SECONDS = 3.0  # a stream takes 2.5 s: each connection has two, the second of which ends in its own time
WARM_UP = ["-n", "300"]  # requests per row before the first sample: pools are open, caches filled


def main() -> int:
    options = parse()
    rows = [row for row in SCENARIOS if (row.short or not options.short) and options.only in row.name]
    if not rows:
        raise SystemExit(f"bench: no row's name has {options.only!r} in it")
    build()
    print(f"bench: {len(rows)} rows, {options.rounds} rounds, commit {commit()}, {machine()}", flush=True)
    run = Run({row: {} for row in rows}, {}, {})
    with mocks({row.route for row in rows}) as direct:
        for number in range(1, options.rounds + 1):
            print(f"bench: round {number}", flush=True)
            one_round(run, rows, direct, with_gateway=not options.without_gateway)
    print(markdown(run))
    print(f"\nkept in {keep(run, options.rounds)}")
    return bool(run.skipped)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The gateway's speed, beside nginx.")
    parser.add_argument("--short", action="store_true", help="only the rows of the short table")
    parser.add_argument("--rounds", type=int, default=5, help="the table shows the median (default: 5)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows with this in their name")
    parser.add_argument(
        "--without-gateway", action="store_true", help="only nginx, to try the tools themselves"
    )
    return parser.parse_args()


def one_round(run: Run, rows: list[Scenario], direct: Target, *, with_gateway: bool) -> None:
    with ExitStack() as stack:
        started = [stack.enter_context(bare_proxy(direct.ports))]
        started += [stack.enter_context(gateway(direct.ports))] if with_gateway else []
        targets = [direct, *(target for target in started if target)]
        for target in targets[1:]:
            run.ready_s.setdefault(target.name, []).append(target.ready_s or 0)
        for row in rows:
            if row not in run.skipped:
                one_row(run, row, targets)


def one_row(run: Run, row: Scenario, targets: list[Target]) -> None:
    try:
        for target in targets:
            if row.answer != "paced":
                run_load(row, target, WARM_UP)
            seconds = PACED_SECONDS if row.answer == "paced" else SECONDS[target.name]
            run.samples[row].setdefault(target.name, []).append(measure(row, target, seconds))
    except RuntimeError as error:
        run.skipped[row] = str(error)
        print(f"bench: SKIPPED {error}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
