"""A price sheet compiled for the hot path: the same exact arithmetic in whole numbers.

`charge_for` works with fractions and shows its lines; it is the reference, and what a receipt prints. It takes 30 µs.
A `Pricing` brings all prices of a sheet to one denominator once, so that a charge is a few integer products and one
division that rounds half up: the same nano-USD in under 2 µs. A property test holds the two together.
"""

from decimal import Decimal
from fractions import Fraction
from math import lcm

from allgate.billing.prices import TOKENS_PER_PRICE, PriceMissing, PriceSheet
from allgate.core.errors import ErrorKind, Failure
from allgate.core.money import NANO_PER_USD, NanoUsd, checked
from allgate.core.usage import Usage

# (field of Usage, field of PriceSheet), in the order in which classes are taken out of the totals
_INPUT_CLASSES = (
    ("cache_read_tokens", "cache_read"),
    ("cache_write_5m_tokens", "cache_write_5m"),
    ("cache_write_1h_tokens", "cache_write_1h"),
    ("cache_write_tokens", "cache_write_5m"),
    ("input_audio_tokens", "input_audio"),
    ("input_image_tokens", "input_image"),
)
_OUTPUT_CLASSES = (
    ("reasoning_tokens", "reasoning"),
    ("output_audio_tokens", "output_audio"),
    ("output_image_tokens", "output_image"),
)


class Pricing:
    """The compiled sheet. Rates are whole numbers of nano-USD / `_unit`."""

    __slots__ = (
        "_call", "_input", "_input_classes", "_input_max", "_output", "_output_classes", "_output_max", "_unit",
        "_web_search", "sheet",
    )  # fmt: skip

    def __init__(self, sheet: PriceSheet) -> None:
        self.sheet = sheet
        per_token = {name: _nano(getattr(sheet, name), TOKENS_PER_PRICE) for name in _token_prices(sheet)}
        per_call = {
            name: _nano(price, 1)
            for name in ("call", "web_search")
            if (price := getattr(sheet, name)) is not None
        }
        self._unit = lcm(*(rate.denominator for rate in (*per_token.values(), *per_call.values())))
        whole = {name: int(rate * self._unit) for name, rate in (per_token | per_call).items()}
        self._input, self._output = whole["input"], whole["output"]
        self._input_classes = tuple((field, whole[name]) for field, name in _INPUT_CLASSES if name in whole)
        self._output_classes = tuple((field, whole[name]) for field, name in _OUTPUT_CLASSES if name in whole)
        self._input_max = max(self._input, *(rate for _, rate in self._input_classes), 0)
        self._output_max = max(self._output, *(rate for _, rate in self._output_classes), 0)
        self._call = whole.get("call", 0)
        self._web_search = whole.get("web_search")

    def charge(self, usage: Usage) -> NanoUsd:
        """What `usage` costs. Raises: PriceMissing: a web search without a price."""
        rest = usage.input_tokens or 0
        total = self._call
        for field, rate in self._input_classes:
            quantity = getattr(usage, field)
            if quantity:
                quantity = min(quantity, rest)
                rest -= quantity
                total += quantity * rate
        total += rest * self._input
        rest = usage.output_tokens or 0
        for field, rate in self._output_classes:
            quantity = getattr(usage, field)
            if quantity:
                quantity = min(quantity, rest)
                rest -= quantity
                total += quantity * rate
        total += rest * self._output
        if usage.web_search_calls:
            total += usage.web_search_calls * self._search_rate()
        return self._rounded(total)

    def worst_case(self, input_bytes: int, output_tokens_max: int, answers: int) -> NanoUsd:
        """The most a request can cost: a token is at least one byte, and output is bounded by what is sent upstream."""
        return self._rounded(
            self._call + input_bytes * self._input_max + output_tokens_max * answers * self._output_max
        )

    def _rounded(self, total: int) -> NanoUsd:
        return checked((2 * total + self._unit) // (2 * self._unit))

    def _search_rate(self) -> int:
        if self._web_search is None:
            message = f"price sheet {self.sheet.id} has no price for web_search"
            raise PriceMissing(Failure(kind=ErrorKind.INTERNAL, message=message))
        return self._web_search


def _token_prices(sheet: PriceSheet) -> tuple[str, ...]:
    names = ("input", "output", *(name for _, name in (*_INPUT_CLASSES, *_OUTPUT_CLASSES)))
    return tuple(dict.fromkeys(name for name in names if getattr(sheet, name) is not None))


def _nano(price: Decimal, per: int) -> Fraction:
    return Fraction(price) * NANO_PER_USD / per
