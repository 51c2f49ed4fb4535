"""`python -m bench.sampled OUTPUT COMMAND...`: run the `allgate` command in this process and sample where its time goes.

Every millisecond of CPU time, or as often as the kernel's tick allows, the interpreter's stack is noted at the next
bytecode: time inside C code is counted for the Python function that called it. SIGUSR1 begins the counts anew, so that
starting up is left out. They are written when the command ends.
"""

import atexit
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

INTERVAL_S = 0.001

own: Counter[str] = Counter()
"""Samples in which the function was at the top of the stack."""
within: Counter[str] = Counter()
"""Samples in which it was anywhere on it."""


def sample(_signal: int, frame: FrameType | None) -> None:
    names: list[str] = []
    while frame:
        code = frame.f_code
        names.append(
            f"{code.co_qualname}  ({'/'.join(Path(code.co_filename).parts[-3:])}:{code.co_firstlineno})"
        )
        frame = frame.f_back
    own.update(names[:1])
    within.update(set(names))


def begin_anew(_signal: int, _frame: FrameType | None) -> None:
    own.clear()
    within.clear()


def write(output: Path) -> None:
    total = max(own.total(), 1)
    lines = [f"{total} samples", "", "  own  within  function"]
    lines += [
        f"{count / total:5.1%}  {within[name] / total:6.1%}  {name}" for name, count in own.most_common(60)
    ]
    lines += ["", "within, without much of its own", ""]
    lines += [
        f"{own[name] / total:5.1%}  {count / total:6.1%}  {name}" for name, count in within.most_common(60)
    ]
    output.write_text("\n".join(lines) + "\n")


def main() -> None:
    from allgate.cli.main import main as allgate

    output = Path(sys.argv.pop(1))
    atexit.register(write, output)
    signal.signal(signal.SIGPROF, sample)
    signal.signal(signal.SIGUSR1, begin_anew)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    allgate()


if __name__ == "__main__":
    main()
