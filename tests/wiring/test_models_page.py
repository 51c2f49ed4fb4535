"""docs/models.md says what the families say, and its example is one that can be served."""

import re
from pathlib import Path

from allgate.catalogue.settings import SETTINGS
from allgate.wiring.declared import declared_document
from allgate.wiring.models import packaged_families
from allgate.wiring.models_page import models_page
from allgate.wiring.settings_file import load
from wiring.served import served

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_families_say():
    again = "run `python -m allgate.wiring.models_page > docs/models.md`"
    assert (ROOT / "docs/models.md").read_text() == models_page(), again


def test_every_family_and_every_setting_stands_on_the_page():
    page = models_page()
    assert all(f"| `{name}` | `{family.public}` |" in page for name, family in packaged_families().items())
    assert all(f"`{name}`" in page for name in SETTINGS)


def test_the_example_can_be_served(tmp_path: Path):
    (example,) = re.findall(r"```toml\n(.*?)```", models_page(), re.DOTALL)
    (tmp_path / "a.toml").write_text(example)
    declared = load(tmp_path / "a.toml", {}).declared
    assert declared is not None
    document = declared_document(declared, tmp_path, {"ANTHROPIC_API_KEY": "sk-x"})
    found = served(document).catalogue.names
    assert found["opus"].profile.limits.output_tokens == 32_000
    assert found["opus-low"].rules[2:] == found["opus"].rules
