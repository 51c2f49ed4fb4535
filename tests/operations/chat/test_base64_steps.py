import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.operations.chat.base64_steps import STEP_CHARACTERS, base64_steps


@given(st.binary(max_size=200))
def test_what_is_encoded_is_base64(raw: bytes) -> None:
    assert all(base64_steps(base64.b64encode(raw).decode()))


@pytest.mark.parametrize(
    "text", ["a", "ab", "abc", "ab=c", "a===", "====", "ab==abcd", "ab-_", "ab\n=", "äbcd", "ab =", "%3D="]
)
def test_what_is_none_is_told(text: str) -> None:
    assert not all(base64_steps(text))


def test_a_fault_is_found_wherever_it_stands_and_in_small_steps() -> None:
    good = "A" * (3 * STEP_CHARACTERS)
    assert list(base64_steps(good)) == [True] * 4
    for place in (0, STEP_CHARACTERS - 1, STEP_CHARACTERS, len(good) - 3):
        assert not all(base64_steps(good[:place] + "!" + good[place + 1 :]))
    assert not all(base64_steps("A" * (STEP_CHARACTERS - 1) + "=" + good)), "padding only at the end"
