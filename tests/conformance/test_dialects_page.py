from pathlib import Path

from page import page
from said import SAID

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dialects.md"


def test_the_page_says_what_the_encoders_do() -> None:
    assert PAGE.read_text() == page(), (
        "write it again: .venv/bin/python tests/conformance/page.py > docs/dialects.md"
    )


def test_every_row_is_another_request() -> None:
    assert len(SAID) >= 45
    assert len({title for title, _ in SAID}) == len(SAID)
