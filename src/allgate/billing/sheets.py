"""Price sheets: what each unit of one model costs, as exact decimals in USD.

A sheet is a dated row. Beside its own prices it may have variants: other prices above a number of input tokens, for a
service tier (flex, priority, batch), or for both at once. Which of them a request gets:

- A variant applies if its tier is the one that the provider says it served, and if the request has more input tokens than
  `above_input_tokens`. It then holds for the whole request, not for the tokens above (so do the vendors).
- Each unit is priced by the most special variant that applies and prices it: tier and length, then tier, then length,
  then the sheet itself. A tier that the sheet does not know has the sheet's own prices.

A group may have a ratio: an exact factor on all of it. A price's reference, which transfers and log lines keep, names the
sheet and the ratio: `m@1a2b3c4d`, or `m@1a2b3c4d*0.8`. With the usage of the line it gives the charge again, for ever.

No price for something that was asked for is an error at admission, never a default: `PriceMissing` names the unit.
"""

from decimal import Decimal

from allgate.core.errors import AllgateError
from allgate.core.usage import Usage
from allgate.core.value import Value

TOKENS_PER_PRICE = 1_000_000
CHARACTERS_PER_PRICE = 1_000_000
MILLISECONDS_PER_PRICE = 1_000

UNCHANGED = Decimal(1)
"""The ratio of whoever is in no group."""


class PriceMissing(AllgateError):
    """The sheet has no price for a unit that is asked for. Refuse at admission; never charge zero by accident."""


class Prices(Value, frozen=True, kw_only=True):
    """One price per unit beside input and output. None: the unit has no price of its own.

    A class of tokens without its own price is charged as what it is part of: cached input as input, reasoning as output.
    """

    cache_read: Decimal | None = None  # USD per million tokens, this and the next eight
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    input_image: Decimal | None = None
    input_video: Decimal | None = None
    output_audio: Decimal | None = None
    output_image: Decimal | None = None
    call: Decimal | None = None  # USD per request
    second: Decimal | None = None  # USD per second of audio or video
    character: Decimal | None = None  # USD per million characters
    web_search: Decimal | None = None  # USD per hosted call, this and the next three
    web_fetch: Decimal | None = None
    code_execution: Decimal | None = None
    file_search: Decimal | None = None


UNITS = ("input", "output", *Prices.__struct_fields__)
HOSTED_UNITS = ("web_search", "web_fetch", "code_execution", "file_search")
"""Also the words of these features of a request; the counts in `Usage` end in `_calls`."""


class PriceVariant(Prices, frozen=True, kw_only=True):
    """Prices that replace the sheet's where they apply. `tier` None: every tier; `above_input_tokens` 0: every length."""

    input: Decimal | None = None
    output: Decimal | None = None
    tier: str | None = None
    above_input_tokens: int = 0


class ImagePrice(Value, frozen=True, kw_only=True):
    """USD for one picture. `size` (such as 1024x1024) and `quality` None: any."""

    price: Decimal
    size: str | None = None
    quality: str | None = None


class PriceSheet(Prices, frozen=True, kw_only=True):
    """What one model costs."""

    id: str
    input: Decimal
    output: Decimal
    images: tuple[ImagePrice, ...] = ()
    variants: tuple[PriceVariant, ...] = ()
    source: str = ""
    valid_from: str = ""


def variants_of(sheet: PriceSheet) -> tuple[PriceVariant, ...]:
    """The variants, the most special last: what a later one prices wins."""
    return tuple(sorted(sheet.variants, key=lambda one: (one.tier is not None, one.above_input_tokens)))


def applies(variant: PriceVariant, usage: Usage) -> bool:
    """The variant's prices are those of a request that used this."""
    long_enough = not variant.above_input_tokens or (usage.input_tokens or 0) > variant.above_input_tokens
    return long_enough and (variant.tier is None or variant.tier == usage.service_tier)


def price_ref(sheet_id: str, ratio: Decimal = UNCHANGED) -> str:
    """What a transfer keeps: `m@1a2b3c4d` or `m@1a2b3c4d*0.8`.

    >>> price_ref("m@1a2b3c4d", Decimal("0.80"))
    'm@1a2b3c4d*0.8'
    """
    return sheet_id if ratio == UNCHANGED else f"{sheet_id}*{decimal_text(ratio)}"


def read_price_ref(ref: str) -> tuple[str, Decimal]:
    """Sheet and ratio. The name before the last @ may hold anything.

    >>> read_price_ref("a*b@1a2b3c4d*0.8")
    ('a*b@1a2b3c4d', Decimal('0.8'))
    """
    name, at, rest = ref.rpartition("@")
    digits, star, ratio = rest.partition("*")
    return f"{name}{at}{digits}", Decimal(ratio) if star else UNCHANGED


def decimal_text(number: Decimal) -> str:
    """Without an exponent and without trailing zeros.

    >>> decimal_text(Decimal("1.50")), decimal_text(Decimal("1E+3"))
    ('1.5', '1000')
    """
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
