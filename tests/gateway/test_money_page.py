"""docs/money.md names the tests that prove it, and every settlement test stands there."""

import re
import tomllib
from pathlib import Path

import msgspec

from allgate.admin.rows import Declaration
from allgate.wiring.price_sheets import price_sheet

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/money.md").read_text()
NAMED = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)


def named_in(file: str) -> set[str]:
    return set(
        re.findall(r"^(?:async )?def (test_\w+)", (ROOT / "tests/gateway" / file).read_text(), re.MULTILINE)
    )


def test_every_proof_that_the_page_names_is_there():
    assert len(NAMED) >= 27
    assert [(file, name) for file, name in NAMED if name not in named_in(file)] == []


def test_every_settlement_test_proves_a_rule_of_the_page():
    for file in ("test_settlement.py", "test_budgets.py", "test_expected_holds.py", "test_unanswered.py"):
        assert named_in(file) - {name for _, name in NAMED} == set()


def test_every_rule_has_a_proof_or_says_that_it_does_not_exist():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "how it ends" not in line]
    unproven = [row for row in rows if "::" not in row and "there " not in row and "proof in" not in row]
    assert unproven == []


def test_the_example_is_a_configuration():
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    declared = msgspec.convert(tomllib.loads(example[1]), Declaration)
    assert len(price_sheet(declared.prices[0]).variants) == 2
    assert declared.groups[0].budget is not None
