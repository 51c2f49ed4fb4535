"""Processes of a benchmark: built, started on a core, watched through `/proc`, and ended.

The gateway has core 0 for itself; mock, load and this driver share core 1, so that what they do is not taken for what it
does. A machine with one core cannot tell them apart, and is refused.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "bench/out"
NATIVE = ROOT / "bench/native"
GATEWAY_CORE, LOAD_CORE = 0, 1
READY_S_MAX = 20  # a gateway is ready in under one second; one that is not in twenty never will be
STOP_S_MAX = 10
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


class Program:
    """One running process on one core; `with` ends it."""

    def __init__(
        self, command: Sequence[str | Path], core: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = Path(command[0]).name
        self.log = OUT / f"{self.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | dict(environment or {}),
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_us(self) -> int:
        """User and system time so far, of the process and its children, in steps of the kernel's tick (10 ms)."""
        return sum(_ticks(pid) for pid in _family(self.process.pid)) * TICK_US

    def rss_kb(self) -> int:
        return sum(_rss_kb(pid) for pid in _family(self.process.pid))

    def wait_until(self, ready: Callable[[], bool], seconds_max: float = READY_S_MAX) -> float:
        """Seconds until `ready` says so, asked every 2 ms. Raises: RuntimeError: it ended, or never was."""
        started = time.monotonic()
        while time.monotonic() - started < seconds_max and self.process.poll() is None:
            if ready():
                return time.monotonic() - started
            time.sleep(0.002)
        raise RuntimeError(f"{self.name} did not become ready; it said:\n{self.log.read_text()[-2000:]}")


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # utime and stime, fields 14 and 15 of proc(5)


def _rss_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    return True


def build() -> None:
    """Compile the mock and the load client into bench/out, unless they are newer than their sources."""
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("bench: needs two cores, one for the gateway and one for everything else")
    OUT.mkdir(exist_ok=True)
    for log in OUT.glob("*.log"):
        log.unlink()
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if not compiler:
        raise SystemExit("bench: needs a C compiler; install one or name it in CC")
    for name in ("mock", "load"):
        sources = [NATIVE / f"{name}.c", NATIVE / "net.h"]
        program = OUT / name
        if not program.exists() or program.stat().st_mtime < max(file.stat().st_mtime for file in sources):
            subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", program, sources[0]], check=True)
