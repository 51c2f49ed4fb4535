"""docs/regressions.md names, for each mistake of others, the tests that keep us from it: they must exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "regressions.md"
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(
        node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )


def test_all_ninety_four_are_there() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 95))


@pytest.mark.parametrize(("number", "held_by"), [(number, held) for number, _, held in ROWS])
def test_the_tests_that_hold_it_exist(number: str, held_by: str) -> None:
    named = re.findall(r"`([\w/]+)::(\w+)`", held_by)
    assert named, f"nothing holds {number}"
    for place, function in named:
        path = TESTS / place
        assert f"test_{function}" in functions(path.with_name(f"test_{path.name}.py")), f"{place}::{function}"
