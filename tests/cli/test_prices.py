"""`allgate prices`, on the price list as it is in the package."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices.data import providers
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

from allgate.cli import price_source
from allgate.cli.price_source import NAMES, sourced
from cli.program import called

CONFIG = """
[[upstreams]]
name = "o"
provider = "openai"
credentials = ["sk-x"]
[[models]]
name = "GPT"
deployments = [{ upstream = "o", model = "gpt-4.1" }]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "allgate.toml"
    path.write_text(CONFIG)
    assert called("apply", "--file", path).code == 0
    return path


def prices(config: Path, *words: object):
    return called("prices", *words, "--config", config)


def test_import_prints_a_diff_and_a_model_can_have_the_sheet(config: Path):
    dry = prices(config, "import", "--dry-run")
    assert "+ sheets openai/gpt-4.1: created" in dry.out
    assert "1 row changed, not applied (--dry-run)" in dry.out
    done = prices(config, "import")
    assert "    input: 2\n" in done.out
    assert 'note: the model GPT has no price; give it this one: price = "openai/gpt-4.1"' in done.err
    assert prices(config, "import").out == "nothing to change (revision 2)\n"
    config.write_text(CONFIG + 'price = "openai/gpt-4.1"\n')
    assert called("apply", "--file", config).code == 0
    assert "openai/gpt-4.1  in $2  out $8  1 model  console" in prices(config, "list").out


def test_show_says_every_price_and_since_when(config: Path):
    prices(config, "import", "--models", "anthropic/claude-sonnet-4-6,gemini/gemini-2.5-pro")
    shown = prices(config, "show", "gemini/gemini-2.5-pro").out
    assert "input: 1.25\n" in shown
    assert "source: genai-prices " in shown
    assert "above_input_tokens 200000" in shown
    assert "since 20" in shown
    assert "gemini/gemini-2.5-pro@" in shown
    assert "cache_write_1h: 6\n" in prices(config, "show", "anthropic/claude-sonnet-4-6").out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("import", "--models", "gpt-4.1"), "must be PROVIDER/MODEL"),
        (("show", "nothing"), "there is no price sheet 'nothing'"),
    ],
)
def test_what_makes_no_sense_is_told(config: Path, words: tuple[str, ...], complaint: str):
    said = prices(config, *words)
    assert (said.code, complaint in said.err) == (2, True)


def test_a_model_that_is_not_listed_is_told_and_changes_nothing(config: Path):
    said = prices(config, "import", "--models", "openai/no-such-model")
    assert "genai-prices has no such model" in said.err
    assert said.out == "nothing to change (revision 1)\n"


def test_a_listed_price_that_falls_to_zero_is_refused(config: Path, monkeypatch: pytest.MonkeyPatch):
    assert prices(config, "import").code == 0
    free = ModelPrice(input_mtok=Decimal(0), output_mtok=Decimal(8))
    monkeypatch.setattr(ModelInfo, "get_prices", lambda *_: free)
    said = prices(config, "import", "--yes")
    assert (said.code, "input falls from 2 to 0" in said.err) == (2, True)
    assert "in $2" in prices(config, "list").out


def test_a_price_that_doubles_twice_needs_a_word(config: Path, monkeypatch: pytest.MonkeyPatch):
    assert prices(config, "import").code == 0
    dear = ModelPrice(
        input_mtok=Decimal(8), cache_read_mtok=Decimal("0.5"), output_mtok=Decimal(8),
        web_searches_kcount=Decimal(10), storage_searches_kcount=Decimal("2.5"),
    )  # fmt: skip
    monkeypatch.setattr(ModelInfo, "get_prices", lambda *_: dear)
    assert "openai/gpt-4.1: input goes from 2 to 8" in prices(config, "import").err
    assert prices(config, "import", "--yes").code == 0
    assert "in $8" in prices(config, "list").out


def test_dates_choose_the_prices(monkeypatch: pytest.MonkeyPatch):
    old, new = (ModelPrice(input_mtok=Decimal(price), output_mtok=Decimal(1)) for price in (5, 3))
    dated = [
        ConditionalPrice(prices=old),
        ConditionalPrice(constraint=StartDateConstraint(date(2026, 6, 1)), prices=new),
    ]
    listed = next(one for one in providers if one.id == "openai")
    model = listed.find_model("gpt-4.1")
    assert model is not None
    monkeypatch.setattr(model, "prices", dated)
    monkeypatch.setattr(model, "price_variants", None)
    for day, price in ((date(2026, 5, 31), "5"), (date(2026, 6, 1), "3")):
        sheet = sourced("openai", "gpt-4.1", datetime(day.year, day.month, day.day, tzinfo=UTC)).sheet
        assert sheet is not None
        assert sheet.input == price


def test_every_listed_model_of_a_provider_of_ours_becomes_a_sheet_or_says_why_not():
    today = datetime(2026, 11, 21, tzinfo=UTC)
    ours = {
        NAMES.get(name, name): name
        for name in ("openai", "anthropic", "gemini", "xai", "deepseek", "mistral", "groq")
    }
    sheets, silent = 0, []
    for provider in providers:
        for model in provider.models if provider.id in ours else ():
            found = sourced(ours[provider.id], model.id, today)
            sheets += found.sheet is not None
            if found.sheet is None and not found.remarks:
                silent.append(model.id)
    assert silent == []
    assert sheets >= 150


def test_prices_per_thousand_and_per_hour_are_exact_or_left_out():
    assert price_source._text(Decimal(10), 1000) == "0.01"
    assert price_source._text(Decimal("0.36"), 3600) == "0.0001"
    assert price_source._text(Decimal("0.111"), 3600) is None
    tiered = TieredPrices(base=Decimal(1), tiers=[])
    assert price_source._lengths(ModelPrice(input_mtok=tiered), None, "x", []) == {(None, 0): {"input": "1"}}
