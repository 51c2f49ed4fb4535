"""Price sheets, and the one place where quantities meet prices.

A sheet is a dated row: what each unit of one model costs, as exact decimals in USD. A charge is computed with exact
fractions and rounded once, half up. Totals are inclusive (see `core.usage`), so classes with a price of their own are
taken out of the total first: cached input leaves `input`, reasoning and audio output leave `output`, only where the
sheet prices them apart.

No price for something that was used is an error, never a default: `PriceMissing` names the unit.
"""

from decimal import Decimal
from fractions import Fraction

from allgate.core.errors import AllgateError, ErrorKind, Failure
from allgate.core.money import NANO_PER_USD, NanoUsd, round_half_up
from allgate.core.usage import Usage
from allgate.core.value import Value

TOKENS_PER_PRICE = 1_000_000


class PriceMissing(AllgateError):
    """The sheet has no price for a unit that was used. Refuse at admission; never charge zero by accident."""


class PriceSheet(Value, frozen=True, kw_only=True):
    """What one model costs. Token prices are USD per million tokens; None means the class has no price of its own.

    A class without its own price is charged as what it is part of: cached input as input, reasoning as output.
    """

    id: str
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    input_image: Decimal | None = None
    output_audio: Decimal | None = None
    output_image: Decimal | None = None
    call: Decimal | None = None  # USD per request
    web_search: Decimal | None = None  # USD per search
    source: str = ""
    valid_from: str = ""


class ChargeLine(Value, frozen=True, kw_only=True):
    """One line of a receipt's arithmetic: quantity × unit price (nano-USD per unit, exact)."""

    unit: str
    quantity: int
    price_usd: str
    per: int


class Charge(Value, frozen=True, kw_only=True):
    """What a request costs, by which sheet. `lines` (on receipts) recompute to the amount with one rounding."""

    amount_nano_usd: NanoUsd
    sheet_id: str
    lines: tuple[ChargeLine, ...] = ()


def charge_for(usage: Usage, sheet: PriceSheet) -> Charge:
    """The exact charge of this usage. Raises: PriceMissing: a hosted call was used that the sheet does not price."""
    lines = tuple(line for line in _lines(usage, sheet) if line.quantity)
    exact = sum((_exact_nano(line) for line in lines), Fraction(0))
    return Charge(amount_nano_usd=round_half_up(exact), sheet_id=sheet.id, lines=lines)


def _exact_nano(line: ChargeLine) -> Fraction:
    return Fraction(Decimal(line.price_usd)) * NANO_PER_USD * line.quantity / line.per


def _lines(usage: Usage, sheet: PriceSheet) -> list[ChargeLine]:
    lines: list[ChargeLine] = []
    rest_in, rest_out = usage.input_tokens or 0, usage.output_tokens or 0
    for unit, quantity, price in (
        ("cache_read", usage.cache_read_tokens, sheet.cache_read),
        ("cache_write_5m", usage.cache_write_5m_tokens, sheet.cache_write_5m),
        ("cache_write_1h", usage.cache_write_1h_tokens, sheet.cache_write_1h),
        ("cache_write", usage.cache_write_tokens, sheet.cache_write_5m),
        ("input_audio", usage.input_audio_tokens, sheet.input_audio),
        ("input_image", usage.input_image_tokens, sheet.input_image),
    ):
        if quantity and price is not None:
            quantity = min(quantity, rest_in)
            rest_in -= quantity
            lines.append(_token_line(unit, quantity, price))
    for unit, quantity, price in (
        ("reasoning", usage.reasoning_tokens, sheet.reasoning),
        ("output_audio", usage.output_audio_tokens, sheet.output_audio),
        ("output_image", usage.output_image_tokens, sheet.output_image),
    ):
        if quantity and price is not None:
            quantity = min(quantity, rest_out)
            rest_out -= quantity
            lines.append(_token_line(unit, quantity, price))
    lines.append(_token_line("input", rest_in, sheet.input))
    lines.append(_token_line("output", rest_out, sheet.output))
    return lines + _call_lines(usage, sheet)


def _call_lines(usage: Usage, sheet: PriceSheet) -> list[ChargeLine]:
    lines: list[ChargeLine] = []
    if sheet.call is not None:
        lines.append(ChargeLine(unit="call", quantity=1, price_usd=str(sheet.call), per=1))
    if usage.web_search_calls:
        if sheet.web_search is None:
            raise PriceMissing(
                Failure(
                    kind=ErrorKind.INTERNAL, message=f"price sheet {sheet.id} has no price for web_search"
                )
            )
        lines.append(
            ChargeLine(
                unit="web_search", quantity=usage.web_search_calls, price_usd=str(sheet.web_search), per=1
            )
        )
    return lines


def _token_line(unit: str, quantity: int, price: Decimal) -> ChargeLine:
    return ChargeLine(unit=unit, quantity=quantity, price_usd=str(price), per=TOKENS_PER_PRICE)
