"""The rows of prices and groups: what things cost, for whom, and how much may be spent.

All prices and amounts are decimal strings in USD, which become exact numbers in `billing`; a TOML float is refused,
because 0.1 is not a tenth.
"""

from typing import Annotated, Literal

from msgspec import Meta

from allgate.core.value import Value

NAME_CHARACTERS_MAX = 200
"""Longest names seen at vendors (OpenRouter's, Hugging Face paths) stay below 120."""

Name = Annotated[
    str, Meta(min_length=1, max_length=NAME_CHARACTERS_MAX, description="What it is called; unique.")
]
Said = Meta
"""A field's sentence in docs/settings.md."""


class UnitPrices(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One price per unit beside input and output, in decimal strings: USD per million tokens, or per piece."""

    cache_read: Annotated[str | None, Said(description="Input read from a cache. Default: as input.")] = None
    cache_write_5m: Annotated[
        str | None, Said(description="Input written to a cache for 5 minutes. Default: as input.")
    ] = None
    cache_write_1h: Annotated[str | None, Said(description="The same for an hour. Default: as input.")] = None
    reasoning: Annotated[str | None, Said(description="Thinking. Default: as output.")] = None
    input_audio: Annotated[str | None, Said(description="Audio in. Default: as input.")] = None
    input_image: Annotated[str | None, Said(description="Pictures in. Default: as input.")] = None
    input_video: Annotated[str | None, Said(description="Video in. Default: as input.")] = None
    output_audio: Annotated[str | None, Said(description="Audio out. Default: as output.")] = None
    output_image: Annotated[str | None, Said(description="Pictures out. Default: as output.")] = None
    call: Annotated[str | None, Said(description="USD per request, beside its tokens.")] = None
    second: Annotated[str | None, Said(description="USD per second of audio or video.")] = None
    character: Annotated[str | None, Said(description="USD per million characters.")] = None
    web_search: Annotated[
        str | None, Said(description="USD per search. Without it, a request that asks for one is refused.")
    ] = None
    web_fetch: Annotated[str | None, Said(description='USD per page fetched. The same; `"0"`: free.')] = None
    code_execution: Annotated[str | None, Said(description="USD per run of hosted code. The same.")] = None
    file_search: Annotated[str | None, Said(description="USD per search in hosted files. The same.")] = None


class VariantRow(UnitPrices, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Other prices in some cases: a member of `models.price.variants`. Its prices are those members of `models.price` that
    differ; both conditions may be given."""

    input: Annotated[str | None, Said(description="Input tokens.")] = None
    output: Annotated[str | None, Said(description="Output tokens.")] = None
    tier: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Said(description="If the provider served this tier: `flex`, `priority`, `batch`."),
    ] = None
    above_input_tokens: Annotated[
        int, Said(ge=0, description="If the request has more input tokens than this, for all of its tokens.")
    ] = 0


class ImagePriceRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a picture costs: a member of `models.price.images`."""

    price: Annotated[str, Said(description="USD per picture.")]
    size: Annotated[str | None, Said(description="Such as `1024x1024`. Default: any.")] = None
    quality: Annotated[str | None, Said(description="Such as `high`. Default: any.")] = None


class PriceRow(UnitPrices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model costs, in decimal strings: USD per million tokens, or per piece."""

    input: Annotated[str, Said(description="Input tokens.")]
    output: Annotated[str, Said(description="Output tokens.")]
    images: Annotated[tuple[ImagePriceRow, ...], Said(description="Pictures made, by size and quality.")] = ()
    variants: Annotated[
        tuple[VariantRow, ...], Said(description="Other prices for long prompts and service tiers.")
    ] = ()
    source: Annotated[str, Said(description="Where the prices are from; shown, not used.")] = ""


class SheetRow(PriceRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price sheet with a name of its own, for several models; the other members are those of `models.price`."""

    name: Name


class BudgetRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that may be spent, in decimal strings of USD. Days and months are UTC, those of a request's admission."""

    total: Annotated[str | None, Said(description="In all.")] = None
    daily: Annotated[str | None, Said(description="In a day.")] = None
    monthly: Annotated[str | None, Said(description="In a calendar month.")] = None


class GroupRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Accounts that have prices, a budget or a way of holding in common."""

    name: Name
    ratio: Annotated[
        str, Said(description='Exact factor on every price: `"0.8"` is 20 % less. Receipts show it.')
    ] = "1"
    model_ratios: Annotated[
        dict[str, str],
        Said(description='Other factors for some models: `{ "Claude-Sonnet-4.6" = "1.1" }`.'),
    ] = {}
    budget: Annotated[
        BudgetRow | None, Said(description="The most that its accounts may spend together.")
    ] = None
    hold: Annotated[
        Literal["worst", "expected"],
        Said(
            description="What a request sets aside for output before it runs: the most that it can be, or what 99 of 100 "
            "answers of the model stay below (docs/money.md)."
        ),
    ] = "worst"
