"""The command line: in a process of its own, as a user runs it, where something serves; else called, which is faster."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, NamedTuple

from allgate.cli.main import main

ALLGATE = Path(sys.executable).with_name("allgate")
DEADLINE_S = 45
READY = re.compile(r"http://[\d.]+:\d+")

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("ALLGATE_")}


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def called(*arguments: object) -> Said:
    """Call a command to its end, in this process."""
    out, err = StringIO(), StringIO()
    before, sys.argv = sys.argv, ["allgate", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = before
    return Said(code, out.getvalue(), err.getvalue())


def process(*arguments: object, **environment: str) -> Said:
    """Run a command to its end, in a process."""
    run = subprocess.run(
        [ALLGATE, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env=ENVIRONMENT | environment,
        check=False,
    )
    return Said(run.returncode, run.stdout, run.stderr)


class Running:
    """A command that serves. `said` is what it printed until it was ready."""

    def __init__(self, process: subprocess.Popen[str], url: str, said: str) -> None:
        self.process, self.url, self.said = process, url, said

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


@contextmanager
def serving(*arguments: object, cwd: Path | None = None, **environment: str) -> Generator[Running]:
    """Start a command and wait until it prints where it listens; killed at the end, if it is still there."""
    with (
        TemporaryFile("w+") as complaints,
        subprocess.Popen(
            [ALLGATE, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            cwd=cwd,
            env=ENVIRONMENT | environment,
        ) as process,
    ):
        watchdog = Timer(DEADLINE_S, process.kill)
        watchdog.start()
        assert process.stdout is not None
        said = ""
        try:
            while not (found := READY.search(said)):
                line = process.stdout.readline()
                assert line, _ended(process, said, complaints)
                said += line
            yield Running(process, found[0], said)
        finally:
            watchdog.cancel()
            process.kill()


def _ended(process: subprocess.Popen[str], said: str, complaints: IO[str]) -> str:
    code = process.wait(DEADLINE_S)
    complaints.seek(0)
    return f"it ended ({code}) after saying {said!r} and complaining:\n{complaints.read()}"
