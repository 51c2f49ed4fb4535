"""`python -m bench`: run the table, print it, keep it.

Each round starts nginx and the gateway anew and takes every row in turn: first the mock directly, then nginx, then the
gateway, so that whatever else the machine is doing meets all three alike. A row that the gateway does not answer is
skipped, loudly, and the run fails in the end.
"""

import argparse
import sys
from contextlib import ExitStack
from typing import get_args

from bench import litellm, nginx
from bench.measure import WARM_UP, measure, run_load
from bench.programs import build
from bench.report import Run, commit, keep, machine, markdown, record
from bench.scenarios import Scenario, Table, table
from bench.targets import Target, gateway, mocks, plain_origins

SECONDS = {"direct": 0.7, "nginx": 1.5, "litellm": 2.5, "allgate": 2.5}
PACED_SECONDS = {
    "direct": 1.0,
    "nginx": 1.0,
    "allgate": 3.0,
}  # a stream takes 2.5 s and is not cut: one, one, two


def main() -> int:
    options = parse()
    rows = [row for row in table(options.table) if options.only in row.name]
    if not rows:
        raise SystemExit(f"bench: no row's name has {options.only!r} in it")
    build()
    print(f"bench: {len(rows)} rows, {options.rounds} rounds, commit {commit()}, {machine()}", flush=True)
    run = Run({row: {} for row in rows}, {}, {})
    binary, peer = nginx.binary(), litellm.binary()
    nginx.write_certificates()
    with ExitStack() as stack:
        direct = stack.enter_context(mocks({row.route for row in rows}))
        origins = plain_origins(direct)
        if binary:
            origins |= stack.enter_context(nginx.tls_origins(binary, direct))
        run.skipped.update({row: "needs nginx for TLS" for row in rows if row.route not in origins})
        for number in range(1, options.rounds + 1):
            print(f"bench: round {number}", flush=True)
            with ExitStack() as round_stack:
                targets = [direct]
                targets += [round_stack.enter_context(nginx.bare_proxy(binary, origins))] if binary else []
                targets += [round_stack.enter_context(litellm.proxy(peer, origins))] if peer else []
                if not options.without_gateway:
                    target = gateway(origins, durability=options.durability)
                    targets.append(round_stack.enter_context(target))
                one_round(run, rows, targets)
    print(markdown(run))
    print(f"\nkept in {keep(run, options.rounds)}")
    if options.record:
        record(run, options.rounds)
    return bool(run.skipped)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The gateway's speed, beside nginx.")
    parser.add_argument(
        "--table", choices=get_args(Table), default="promised", help="default: every row that has a goal"
    )
    parser.add_argument("--rounds", type=int, default=5, help="the table shows the median (default: 5)")
    parser.add_argument("--record", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows with this in their name")
    parser.add_argument(
        "--durability",
        choices=("strict", "relaxed"),
        default="strict",
        help="the ledger's; see docs/settings.md",
    )
    parser.add_argument(
        "--without-gateway", action="store_true", help="only nginx, to try the tools themselves"
    )
    return parser.parse_args()


def one_round(run: Run, rows: list[Scenario], targets: list[Target]) -> None:
    for target in targets[1:]:
        run.ready_s.setdefault(target.name, []).append(target.ready_s or 0)
    for row in rows:
        if row not in run.skipped:
            one_row(run, row, targets)


def one_row(run: Run, row: Scenario, targets: list[Target]) -> None:
    try:
        for target in targets:
            if target.name == "litellm" and not litellm.answers_to(row):
                continue
            if row.answer != "paced":
                run_load(row, target, WARM_UP)
            seconds = (PACED_SECONDS if row.answer == "paced" else SECONDS)[target.name]
            sample = measure(row, target, seconds)
            run.samples[row].setdefault(target.name, []).append(sample)
    except RuntimeError as error:
        run.skipped[row] = str(error)
        print(f"bench: SKIPPED {error}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
