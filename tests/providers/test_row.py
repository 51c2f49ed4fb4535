import pytest

from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.providers.row import caps_with, provider_from

ACME = """
name = "acme"
base_url = "https://api.acme.example/v1"

[speaks.openai_chat]
wire = "loose"
path_prefix = "/compat"
headers = { X-Acme = "1" }

[speaks.openai_chat.caps]
thinking = "none"
stop_max = 1
image_mimes = []

[speaks.anthropic]
sign_in = "x-api-key"
"""


def test_a_row_becomes_a_provider():
    acme = provider_from(ACME, "acme.toml")
    assert (acme.name, acme.vendor, acme.base_url) == ("acme", "acme", "https://api.acme.example/v1")
    chat, anthropic = acme.speaks
    assert (chat.dialect, chat.wire, chat.path_prefix, chat.sign_in) == (
        "openai_chat",
        "loose",
        "/compat",
        "bearer",
    )
    assert chat.headers == ((b"x-acme", b"1"),)
    assert (chat.caps.thinking, chat.caps.stop_max, chat.caps.image_mimes) == ("none", 1, ())
    assert chat.caps.temperature_max == CAPS_DEFAULT.temperature_max
    assert (anthropic.dialect, anthropic.sign_in, anthropic.caps) == ("anthropic", "x-api-key", CAPS_DEFAULT)


WRONG = [
    ("name = ", r"acme\.toml: Invalid value"),
    ("name = 'a'", r"acme\.toml: Object missing required field `speaks`"),
    ("name = 'a'\nspeaks = {}", r"acme\.toml: `speaks` names no dialect"),
    ("name = 'a'\nbase = 'x'\n[speaks.anthropic]", r"acme\.toml: Object contains unknown field `base`"),
    (
        "name = 'a'\n[speaks.anthropic]\nsign_in = 'magic'",
        r"acme\.toml: Invalid enum value 'magic' - at `\$\.speaks",
    ),
    ("name = 'a'\n[speaks.x.caps]\nstop_mx = 1", r"acme\.toml: speaks\.x\.caps: Caps has no `stop_mx`"),
    (
        "name = 'a'\n[speaks.x.caps]\nstop_max = 'one'",
        r"speaks\.x\.caps: Expected `int`, got `str` - at `\$\.stop_max`",
    ),
    ("name = 'a'\n[speaks.x.caps]\nthinking = 'hard'", r"speaks\.x\.caps: Invalid enum value 'hard'"),
]


@pytest.mark.parametrize(("text", "complaint"), WRONG)
def test_a_wrong_row_is_told_its_name_and_reason(text: str, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        provider_from(text, "acme.toml")


def test_caps_change_only_where_they_are_told():
    caps = caps_with(CAPS_DEFAULT, {"efforts": ["low"], "output_max": 5})
    assert (caps.efforts, caps.output_max) == (("low",), 5)
    assert caps_with(CAPS_DEFAULT, {}) == CAPS_DEFAULT
