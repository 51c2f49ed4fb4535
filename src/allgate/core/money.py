"""Money is an integer number of nano-USD (1 USD = 1,000,000,000) that fits in a signed 64-bit column.

Prices are exact decimals and meet quantities only in `billing`; the one rounding of a request (half up) is
`round_half_up`. No float ever touches money, and an amount outside int64 is an error, never a wrap.
"""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    NanoUsd = NewType("NanoUsd", int)
else:  # a NewType is called in Python, which costs three times as much, and a charge calls it six times
    NanoUsd = int

NANO_PER_USD = 1_000_000_000
AMOUNT_NANO_USD_MAX = 2**63 - 1


def usd(text: str) -> NanoUsd:
    """Nano-USD of a decimal string such as "10" or "0.000000001".

    Raises: ValueError: not a finite decimal, finer than a nano-USD, or outside int64.

    >>> usd("0.5")
    500000000
    """
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"not an amount in USD: {text!r}") from error
    if not value.is_finite():
        raise ValueError(f"not a finite amount in USD: {text!r}")
    nano = Fraction(value) * NANO_PER_USD
    if nano.denominator != 1:
        raise ValueError(f"finer than a nano-USD: {text!r}")
    return checked(nano.numerator)


def checked(amount: int) -> NanoUsd:
    """`amount` as NanoUsd. Raises: ValueError: outside int64."""
    if not -AMOUNT_NANO_USD_MAX <= amount <= AMOUNT_NANO_USD_MAX:
        raise ValueError(f"amount outside int64: {amount}")
    return NanoUsd(amount)


def round_half_up(exact: Fraction) -> NanoUsd:
    """The nearest nano-USD of a non-negative exact amount; a half goes up. The only rounding of a request."""
    if exact < 0:
        raise ValueError(f"negative amount: {exact}")
    return checked((2 * exact.numerator + exact.denominator) // (2 * exact.denominator))


def usd_text(amount_nano_usd: int) -> str:
    """Decimal USD without an exponent, at least one digit, no trailing zeros: 1500000 → "0.0015"."""
    sign = "-" if amount_nano_usd < 0 else ""
    whole, nano = divmod(abs(amount_nano_usd), NANO_PER_USD)
    fraction = f".{nano:09d}".rstrip("0").rstrip(".")
    return f"{sign}{whole}{fraction}"
