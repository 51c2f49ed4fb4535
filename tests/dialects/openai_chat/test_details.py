"""`reasoning_details`: the slot for reasoning that must come back unchanged."""

import pytest

from allgate.dialects.openai_chat.details import (
    Details,
    client_seal,
    details_of_seal,
    is_ours,
    sealed_detail,
    text_of_details,
)
from allgate.dialects.seals import SealBox
from allgate.operations.chat.parts import Seal
from dialects.openai_chat.exchange import BOX

SEAL = Seal(origin="anthropic", scope="a", form="signature", value="sig")


def test_fragments_of_one_entry_are_put_together_and_come_back_whole():
    details = Details()
    details.take([{"type": "reasoning.text", "text": "h", "index": 0, "format": "f", "signature": None}])
    details.take(
        [
            {"type": "reasoning.text", "text": "m", "index": 0},
            {"type": "reasoning.encrypted", "data": "x", "index": 1},
        ]
    )
    details.take([{"type": "reasoning.text", "signature": "s", "index": 0}])
    seal = details.seal("openrouter", "o")
    assert seal is not None
    assert details_of_seal(seal) == [
        {"type": "reasoning.text", "text": "hm", "index": 0, "format": "f", "signature": "s"},
        {"type": "reasoning.encrypted", "data": "x", "index": 1},
    ]
    assert details.seal("openrouter", "o") is None


def test_what_can_be_read_is_read():
    assert text_of_details([{"text": "a"}, {"summary": "b"}, {"data": "x"}, {"text": 7}]) == "ab"


@pytest.mark.parametrize("text", ["", "hm"])
@pytest.mark.parametrize("next_part", [False, True])
def test_a_seal_comes_back_out_of_its_envelope(text, next_part):
    entry = sealed_detail(SEAL, text, 3, BOX, next_part=next_part)
    assert is_ours(entry)
    assert (entry["index"], entry["format"]) == (3, "anthropic-claude-v1")
    assert client_seal(entry, BOX) == (SEAL, next_part)


def test_an_envelope_of_another_account_is_dropped():
    entry = sealed_detail(SEAL, "hm", 0, BOX)
    assert client_seal(entry, SealBox((b"k" * 32,), "account-2")) == (None, False)


@pytest.mark.parametrize(
    ("entry", "origin", "form"),
    [
        ({"signature": "s", "format": "anthropic-claude-v1"}, "anthropic", "signature"),
        ({"data": "s", "format": "anthropic-claude-v1"}, "anthropic", "redacted"),
        ({"data": "s", "format": "openai-responses-v1"}, "openai", "encrypted"),
    ],
)
def test_a_native_seal_is_what_its_format_declares(entry, origin, form):
    seal, _ = client_seal(entry, BOX)
    assert seal == Seal(origin=origin, scope="client-declared", form=form, value="s")


def test_a_seal_of_an_undeclared_format_is_nobody_s():
    assert client_seal({"signature": "s", "format": "unknown"}, BOX) == (None, False)
    assert client_seal({}, BOX) == (None, False)
    assert details_of_seal(SEAL) == []
