from pathlib import Path

import msgspec
import pytest

from allgate.wiring import settings_page
from allgate.wiring.settings import Section

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_code_says():
    again = "run `python -m allgate.wiring.settings_page > docs/settings.md`"
    assert (ROOT / "docs/settings.md").read_text() == settings_page.settings_page(), again


def test_a_setting_without_a_sentence_fails(monkeypatch: pytest.MonkeyPatch):
    silent = msgspec.defstruct("Silent", [("listen", str, "")], bases=(Section,), kw_only=True, frozen=True)
    monkeypatch.setattr(settings_page, "ROWS", (("silent", silent),))
    with pytest.raises(ValueError, match=r"Silent\.listen has no description"):
        settings_page.settings_page()
