"""The families of the package, and what is refused in a file of families."""

from importlib.resources import files

import pytest

from allgate.catalogue.family import Family, families_from, family_table
from allgate.catalogue.rule import Rule

FOLDER = files("allgate.catalogue") / "families"
FILES = {one.name: one.read_text("utf-8") for one in FOLDER.iterdir() if one.name.endswith(".toml")}

OF_SEED_000 = (
    "Gemini-3.5-Flash", "Gemini-3.1-Flash", "Gemini-3.1-Pro",
    "Claude-Fable-5", "Claude-Opus-4.8", "Claude-Opus-4.7", "Claude-Opus-4.6", "Claude-Sonnet-4.6",
    "GPT-5.5", "GPT-5.5-High", "GPT-5.4", "GPT-5.4-Pro", "GPT-5.4-Mini", "GPT-5.4-Nano",
    "Grok-4.1-Fast", "Grok-4.1-Fast-Reasoning",
)  # fmt: skip
OF_SEEDS_001_TO_004 = (
    "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "claude-sonnet-4-5-20250929", "gpt-5.1", "nano-banana",
    "gpt-4o", "gpt-4o-mini", "claude-3-5-sonnet-20241022", "o1-preview",
    "gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4o-2024-08-06", "gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "o3-pro",
    "o3-deep-research-2025-06-26", "claude-3-7-sonnet-20250219", "claude-3-7-sonnet-20250219-thinking",
    "gemini-2.5-pro", "gemini-2.5-pro-preview-05-06", "gemini-2.5-flash-image", "gemini-2.5-flash-image-preview",
    "nano-banana-hd", "nano-banana-2", "gpt-image-1", "dall-e-2", "flux-kontext-pro", "flux-kontext-max",
    "doubao-seedance-1-0-pro-250528", "doubao-seaweed-241128",
)  # fmt: skip


def packaged() -> dict[str, Family]:
    return family_table(one for name, text in sorted(FILES.items()) for one in families_from(text, name))


def every_public_name() -> set[str]:
    return {
        name + suffix
        for family in packaged().values()
        for name in (family.public, *family.aliases)
        for suffix in ("", *family.profile.suffixes)
    }


def test_every_model_of_the_documents_is_there() -> None:
    assert (len(OF_SEED_000), len(OF_SEEDS_001_TO_004)) == (16, 30)
    assert every_public_name() >= {*OF_SEED_000, *OF_SEEDS_001_TO_004}


def test_no_name_with_a_suffix_is_another_familys() -> None:
    names = [
        name + suffix
        for family in packaged().values()
        for name in (family.public, *family.aliases)
        for suffix in ("", *family.profile.suffixes)
    ]
    assert len(names) == len(set(names))


def test_every_family_says_where_it_is_from_and_what_it_is_called_upstream() -> None:
    for family in packaged().values():
        assert family.owned_by
        assert family.profile.summary, family.name
        assert family.profile.abilities is not None
        assert family.model_at("any"), family.name
        assert family.profile.family == family.name
    assert all("# SOURCE: " in text for text in FILES.values())


def test_a_provider_has_its_own_name_of_a_model() -> None:
    opus = packaged()["claude-opus-4-7"]
    assert opus.model_at("openrouter") == "anthropic/claude-opus-4.7"
    assert opus.model_at("anthropic") == opus.model_at("simulator") == "claude-opus-4-7"


FILE = """\
owned_by = "acme"

[defaults]
thinking = "effort"
caps.openai_chat = { stop_max = 2 }

[[defaults.rules]]
clear = ["seed"]
why = "none"

[[families]]
name = "one"
public = "One"

[[families.rules]]
clear = ["top_k"]
why = "none"

[[families]]
name = "two"
public = "Two"
like = "one"
thinking = "none"
caps.openai_chat = { n_max = 1 }
"""


def test_a_family_has_what_the_defaults_and_its_base_say() -> None:
    one, two = families_from(FILE, "f.toml")
    rules = (
        Rule(action="clear", settings=("seed",), why="none"),
        Rule(action="clear", settings=("top_k",), why="none"),
    )
    assert (one.rules, two.rules) == (rules, rules)
    assert (one.profile.thinking, two.profile.thinking) == ("effort", "none")
    assert two.caps == {"openai_chat": {"stop_max": 2, "n_max": 1}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('owned_by = "acme"', "owned_by = acme", r"f\.toml: .*line 1"),
        ('thinking = "none"', 'thinking = "never"', r"f\.toml:23: families\[1\]\.thinking: Invalid enum"),
        ('thinking = "none"', 'thinkin = "none"', r"f\.toml:19: families\[1\]: .*unknown field `thinkin`"),
        ('public = "Two"', "public = 2", r"f\.toml:21: families\[1\]\.public: Expected `str`"),
        ('name = "two"', 'name = "one"', r"f\.toml:20: families\[1\]\.name: there are two"),
        ('like = "one"', 'like = "three"', r"f\.toml:22: families\[1\]\.like: there is no family 'three'"),
        ('["top_k"]', '["topk"]', r"f\.toml:15: families\[0\]\.rules\[0\]: .*'topk'"),
        ('clear = ["seed"]', "", r"f\.toml:7: defaults\.rules\[0\]: a rule has one of"),
        ("n_max", "n_most", r"f\.toml:24: families\[1\]\.caps\.openai_chat\.n_most: Caps has no"),
        ('thinking = "none"', 'thinking = "none"\nsuffixes = ["-low"]', r"f\.toml:19: families\[1\]: suffixes"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_member_and_reason(old: str, new: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        families_from(FILE.replace(old, new), "f.toml")


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (FILE.replace("One", "1").replace("Two", "2"), "two families are named 'one'"),
        (FILE.replace('"one"', '"1"').replace('"two"', '"2"'), "both claim the name 'One'"),
    ],
)
def test_a_name_belongs_to_one_family(second: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        family_table((*families_from(FILE, "a.toml"), *families_from(second, "b.toml")))
