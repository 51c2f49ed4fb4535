"""The table, and what every entry of it must be, whoever adds it."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

import allgate.providers as package
from allgate.core.secret import Secret
from allgate.operations.chat.features import HOSTED_FEATURES
from allgate.providers import PROVIDERS, provider_table
from allgate.providers.provider import Provider, Speaks, sign_in_headers
from allgate.providers.row import provider_from

ROWS = sorted((Path(package.__file__).parent / "rows").glob("*.toml"))
ALL = [*PROVIDERS, *(provider_from(row.read_text(), row.name) for row in ROWS)]
SPEAKS = [(provider, entry) for provider in ALL for entry in provider.speaks]

DIALECTS = {"openai_chat", "openai_responses", "anthropic", "gemini"}
HOSTED_ELSEWHERE = {"shell", "tool_search", "google_maps"}


def named(case: object) -> str | None:
    return case.name if isinstance(case, Provider) else case.dialect if isinstance(case, Speaks) else None


def test_a_name_stands_in_the_table_once():
    assert len(provider_table(ALL[len(PROVIDERS) :])) == len(ALL)
    with pytest.raises(ValueError, match="two providers are named 'openai'"):
        provider_table([PROVIDERS[0]])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.stem)
def test_a_row_has_the_name_of_its_file_and_says_where_it_is_from(row: Path):
    assert provider_from(row.read_text(), row.name).name == row.stem
    assert row.read_text().startswith("# SOURCE: ")


@pytest.mark.parametrize("provider", ALL, ids=named)
def test_a_base_url_is_one_that_paths_can_be_joined_to(provider: Provider):
    if provider.base_url is not None:
        parts = urlsplit(provider.base_url)
        assert parts.scheme == "https" or parts.hostname == "127.0.0.1"
        assert not provider.base_url.endswith("/")
        assert not parts.query


@pytest.mark.parametrize(("provider", "entry"), SPEAKS, ids=named)
def test_what_is_spoken_is_a_dialect_once_with_caps_that_make_sense(provider: Provider, entry: Speaks):
    caps = entry.caps
    assert entry.dialect in DIALECTS | {"openai_completions"}
    assert [one.dialect for one in provider.speaks].count(entry.dialect) == 1
    assert provider.in_dialect(entry.dialect) is entry
    assert set(caps.hosted) <= HOSTED_FEATURES | HOSTED_ELSEWHERE
    assert (caps.web_search_style != "none") <= ("web_search" in caps.hosted)
    assert caps.budget_min <= caps.budget_max
    assert caps.n_max >= 1
    assert caps.stop_max >= 0
    assert caps.tools or not (caps.forced_tools or caps.parallel_tools_switch or caps.strict_tools)
    assert caps.thinking != "effort" or caps.efforts
    assert not entry.path_prefix or (
        entry.path_prefix.startswith("/") and not entry.path_prefix.endswith("/")
    )


def test_the_simulator_is_as_able_as_the_vendors_it_stands_in_for():
    simulator = provider_table([])["simulator"]
    assert {entry.dialect for entry in simulator.speaks} == DIALECTS
    vendors = {
        "openai_chat": "openai",
        "openai_responses": "openai",
        "anthropic": "anthropic",
        "gemini": "gemini",
    }
    for entry in simulator.speaks:
        vendor = provider_table([])[vendors[entry.dialect]].in_dialect(entry.dialect)
        assert vendor is not None
        assert (entry.caps, entry.sign_in) == (vendor.caps, vendor.sign_in)


def test_chat_at_openai_runs_no_search_and_responses_does():
    openai = provider_table([])["openai"]
    chat, responses = openai.speaks
    assert "web_search" not in chat.caps.hosted
    assert "web_search" in responses.caps.hosted


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ("bearer", ((b"authorization", b"Bearer k"),)),
        ("x-api-key", ((b"x-api-key", b"k"),)),
        ("x-goog-api-key", ((b"x-goog-api-key", b"k"),)),
        ("none", ()),
    ],
)
def test_signing_in_takes_each_vendors_form(form, headers):
    assert sign_in_headers(form, Secret("k")) == headers
