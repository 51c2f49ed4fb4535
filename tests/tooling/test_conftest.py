"""The hook that runs async tests is checked by running small suites under it, in a pytest of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"


def run_suite(folder: Path, test: str) -> str:
    for name in ("conftest.py", "postgres.py"):
        (folder / name).write_text((CONFTEST.parent / name).read_text())
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "test_it.py").write_text("import asyncio\n\n" + test)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs", str(folder)]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    ).stdout


def test_an_async_test_runs_on_uvloop(tmp_path):
    test = (
        "async def test_loop(tmp_path):\n    assert 'uvloop' in type(asyncio.get_running_loop()).__module__\n"
    )
    assert "1 passed" in run_suite(tmp_path, test)


def test_an_async_test_can_fail(tmp_path):
    assert "1 failed" in run_suite(
        tmp_path, "async def test_no():\n    assert not await asyncio.sleep(0, True)\n"
    )


def test_a_task_left_over_fails_its_test(tmp_path):
    test = "async def test_leak():\n    global leak\n    leak = asyncio.create_task(asyncio.sleep(999))\n"
    assert "tasks outlive the test" in run_suite(tmp_path, test)


def test_a_task_that_was_cancelled_is_not_left_over(tmp_path):
    test = "async def test_ok():\n    asyncio.create_task(asyncio.sleep(999)).cancel()\n"
    assert "1 passed" in run_suite(tmp_path, test)


@pytest.mark.parametrize("fixture", ["shared", "recordings"])
def test_absent_material_skips_loudly(tmp_path, monkeypatch, fixture):
    monkeypatch.setenv("ALLGATE_SHARED", str(tmp_path / "nowhere"))
    output = run_suite(tmp_path, f"def test_it({fixture}):\n    assert 0\n")
    assert "1 skipped" in output
    assert "ABSENT" in output
