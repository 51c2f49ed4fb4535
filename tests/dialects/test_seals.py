import base64

from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.seals import ENVELOPE_PREFIX, SealBox, is_envelope
from allgate.operations.chat.parts import Seal

KEY, OLD_KEY = b"k" * 32, b"o" * 32
BOX = SealBox((KEY,), "account-1")
SEALS = st.builds(
    Seal,
    origin=st.sampled_from(["anthropic", "openai", "gemini", "é"]),
    scope=st.text(max_size=9),
    form=st.sampled_from(["signature", "encrypted", "redacted", "thought"]),
    value=st.text(st.characters(codec="utf-8"), max_size=200),
)


@given(SEALS, st.booleans())
def test_a_seal_comes_back_out_of_its_envelope(seal: Seal, next_part: bool) -> None:
    text = BOX.wrap(seal, next_part=next_part)
    opened = BOX.unwrap(text)
    assert opened is not None
    assert (opened.seal, opened.next_part) == (seal, next_part)
    assert text.startswith(ENVELOPE_PREFIX)
    assert base64.b64decode(text, validate=True)  # legal wherever base64 is demanded


@given(SEALS, st.integers(0, 10_000), st.sampled_from("AZaz09+/"))
def test_an_altered_envelope_is_nothing(seal: Seal, position: int, letter: str) -> None:
    text = BOX.wrap(seal)
    position %= len(text)
    altered = text[:position] + letter + text[position + 1 :]
    opened = BOX.unwrap(altered)
    assert opened is None or base64.b64decode(altered) == base64.b64decode(text)


def test_an_envelope_of_another_account_or_key_is_nothing() -> None:
    text = BOX.wrap(Seal(origin="gemini", scope="s", form="thought", value="v"))
    assert SealBox((KEY,), "account-2").unwrap(text) is None
    assert SealBox((OLD_KEY,), "account-1").unwrap(text) is None


def test_an_envelope_outlives_a_rotation_of_the_key() -> None:
    text = SealBox((OLD_KEY,), "a").wrap(Seal(origin="openai", scope="s", form="encrypted", value="v"))
    assert SealBox((KEY, OLD_KEY), "a").unwrap(text) is not None


@given(st.text(max_size=60))
def test_any_text_is_opened_or_nothing(text: str) -> None:
    assert BOX.unwrap(text) is None
    assert BOX.unwrap(ENVELOPE_PREFIX + text) is None


def test_native_secrets_are_not_envelopes() -> None:
    assert not is_envelope("EqQBCgIYAhIM")
