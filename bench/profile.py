"""`python -m bench.profile TEXT`: where the gateway's time goes in the first row whose name has TEXT in it."""

import argparse
import signal
import sys

from bench import programs
from bench.measure import WARM_UP, run_load
from bench.scenarios import SCENARIOS
from bench.targets import gateway, mocks, plain_origins


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("text", nargs="?", default="")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    row = next(row for row in SCENARIOS if options.text in row.name and row.way != "tls")
    row = row._replace(connections=options.connections)
    programs.build()
    output = programs.OUT / "profile.txt"
    sampled = [sys.executable, "-m", "bench.sampled", output]
    with mocks([row.route]) as direct, gateway(plain_origins(direct), sampled) as target:
        assert target.program
        run_load(row, target, WARM_UP)
        target.program.process.send_signal(signal.SIGUSR1)
        load = run_load(row, target, ["-s", str(options.seconds)])
    print(f"{row.name}, {row.connections} connections: {load}\n\n{output.read_text()}")


if __name__ == "__main__":
    main()
