"""Rules kept on the bytes of a body: only the members change."""

import pytest

from allgate.catalogue.ruled import Edit
from allgate.catalogue.spans import is_by_span, spanned
from allgate.wire.json import decode

BODY = b'{ "model": "m",  "temperature": 1.50, "messages": [{"content": "\\"temperature\\" {}", "temperature": 9}], "top_p":1 }'


def fields(*names: str) -> frozenset[str]:
    return frozenset(("model", "messages", *names))


def test_a_member_is_taken_out_and_every_other_byte_stays() -> None:
    found = spanned(
        BODY,
        (Edit(setting="temperature"), Edit(setting="top_p")),
        "openai_chat",
        fields("temperature", "top_p"),
    )
    assert found == BODY.replace(b'  "temperature": 1.50,', b"").replace(b', "top_p":1 ', b"")


def test_a_member_is_set_where_it_stands_or_at_the_beginning() -> None:
    assert spanned(
        BODY, (Edit(setting="temperature", value=1),), "openai_chat", fields("temperature", "top_p")
    ) == BODY.replace(b"1.50", b"1")
    assert spanned(BODY, (Edit(setting="seed", value=7),), "openai_chat", fields()) == BODY.replace(
        b"{", b'{"seed":7,', 1
    )
    assert spanned(b"{ }", (Edit(setting="seed", value=7),), "openai_chat", frozenset()) == b'{"seed":7 }'


def test_a_name_inside_the_conversation_is_not_the_member() -> None:
    body = b'{"messages": [{"seed": 1}]}'
    found = spanned(body, (Edit(setting="seed", value=7),), "openai_chat", fields())
    assert decode(found) == {"seed": 7, "messages": [{"seed": 1}]}


def test_a_member_is_renamed() -> None:
    edit = Edit(setting="max_tokens", value=5, name="extra.max_new_tokens")
    assert (
        spanned(b'{"max_tokens": 5}', (edit,), "openai_chat", fields("max_tokens"))
        == b'{"max_new_tokens": 5}'
    )


def test_two_spellings_of_one_setting_become_one() -> None:
    body = b'{"max_tokens": 5, "max_completion_tokens": 6}'
    assert (
        spanned(
            body,
            (Edit(setting="max_tokens", value=4),),
            "openai_chat",
            fields("max_tokens", "max_completion_tokens"),
        )
        == b'{"max_tokens": 4}'
    )
    body = b'{"safety_settings": [], "contents": []}'
    found = spanned(
        body, (Edit(setting="safety_settings", value=[{"a": 1}]),), "gemini", fields("safetySettings")
    )
    assert decode(found) == {"safety_settings": [{"a": 1}], "contents": []}


@pytest.mark.parametrize(
    ("setting", "dialect", "members", "by_span"),
    [
        ("temperature", "openai_chat", ("temperature",), True),
        ("temperature", "anthropic", ("temperature",), True),
        ("temperature", "openai_responses", ("temperature",), True),
        ("temperature", "gemini", ("generationConfig.temperature",), False),
        ("safety_settings", "gemini", ("safetySettings",), True),
        ("reasoning_effort", "openai_chat", ("reasoning_effort",), True),
        ("reasoning_effort", "openai_chat", (), True),
        ("reasoning_effort", "openai_chat", ("reasoning_effort", "extra_body"), False),  # said twice
        ("reasoning_effort", "openai_responses", ("reasoning",), False),
        ("thinking", "anthropic", ("thinking",), False),
        ("thinking_budget", "anthropic", ("thinking",), False),
        ("system", "openai_chat", (), False),
        ("extra.enable_search", "openai_chat", ("enable_search",), True),
    ],
)  # fmt: skip
def test_only_a_member_of_its_own_is_edited_by_span(
    setting: str, dialect: str, members: tuple[str, ...], by_span: bool
) -> None:
    assert is_by_span((Edit(setting=setting),), dialect, fields(*members)) is by_span
