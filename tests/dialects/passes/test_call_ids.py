import re

from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.dialects.passes.call_ids import fitting_call_id

ANTHROPIC = r"[A-Za-z0-9_-]+"


def test_an_id_that_fits_stays_as_it_is():
    assert fitting_call_id("toolu_01A09q90qw90lq917835lq9", ANTHROPIC, 64) == "toolu_01A09q90qw90lq917835lq9"


def test_an_id_with_letters_outside_the_alphabet_is_replaced():
    assert fitting_call_id("functions.read:0", ANTHROPIC, 64).startswith("call_")


def test_an_id_longer_than_the_target_allows_is_replaced():
    """Regression 87: an id with a signature inside went to OpenAI, which allows 64 characters."""
    assert len(fitting_call_id("call_" + "s" * 900, r".+", 64)) == 29


def test_no_id_at_all_is_replaced():
    assert re.fullmatch(ANTHROPIC, fitting_call_id("", ANTHROPIC, 64))


@settings(deadline=None)
@given(st.text(), st.text())
def test_call_and_result_get_the_same_fitting_id_and_different_calls_different_ones(one: str, other: str):
    fitted = fitting_call_id(one, ANTHROPIC, 64)
    assert re.fullmatch(ANTHROPIC, fitted)
    assert len(fitted) <= 64
    assert fitting_call_id(one, ANTHROPIC, 64) == fitted
    assert fitting_call_id(fitted, ANTHROPIC, 64) == fitted
    assert one == other or fitting_call_id(other, ANTHROPIC, 64) != fitted
