from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.money import AMOUNT_NANO_USD_MAX, round_half_up, usd, usd_text


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("0", 0),
        ("10", 10_000_000_000),
        ("0.000000001", 1),
        ("-2.5", -2_500_000_000),
        ("1e-9", 1),
        ("9223372036.854775807", AMOUNT_NANO_USD_MAX),
    ],
)
def test_decimal_text_becomes_nano_usd(text: str, nano: int) -> None:
    assert usd(text) == nano


@pytest.mark.parametrize(
    "text", ["", "ten", "NaN", "Infinity", "0.0000000001", "9223372036.854775808", "1e30"]
)
def test_an_amount_that_is_not_exact_or_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        usd(text)


@pytest.mark.parametrize(
    ("exact", "nano"),
    [(Fraction(1, 2), 1), (Fraction(49, 100), 0), (Fraction(3, 2), 2), (Fraction(5, 2), 3), (Fraction(7), 7)],
)
def test_a_half_is_rounded_up(exact: Fraction, nano: int) -> None:
    assert round_half_up(exact) == nano


def test_a_negative_amount_is_never_rounded() -> None:
    with pytest.raises(ValueError):
        round_half_up(Fraction(-1, 2))


@given(st.integers(-AMOUNT_NANO_USD_MAX, AMOUNT_NANO_USD_MAX))
def test_text_of_an_amount_reads_back_as_the_same_amount(nano: int) -> None:
    assert usd(usd_text(nano)) == nano


def test_text_has_neither_exponent_nor_trailing_zeros() -> None:
    assert [usd_text(n) for n in (0, 1, 1_500_000, -1_000_000_000)] == ["0", "0.000000001", "0.0015", "-1"]
