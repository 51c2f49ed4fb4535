"""Tokens counted by us, where a provider did not report them. Always marked `estimated`."""

from allgate.billing.prices import charge_for
from allgate.billing.sheets import PriceSheet
from allgate.core.money import NanoUsd
from allgate.core.usage import Usage
from allgate.core.value import changed

BYTES_PER_TOKEN = 4
"""English text under the common BPE vocabularies is 4.0–4.5 bytes a token; rounding up favours nobody by more than one."""


def estimated_tokens(text_bytes: int) -> int:
    """Tokens of that many UTF-8 bytes, rounded up."""
    return -(-text_bytes // BYTES_PER_TOKEN)


def completed(reported: Usage | None, *, input_bytes: int, output_text: str) -> Usage:
    """`reported` with its missing totals counted by us and marked so; unchanged where the provider gave both."""
    usage = reported or Usage()
    if usage.input_tokens is not None and usage.output_tokens is not None:
        return usage
    output_bytes = len(output_text.encode("utf-8", "replace"))
    return changed(
        usage,
        input_tokens=usage.input_tokens if usage.input_tokens is not None else estimated_tokens(input_bytes),
        output_tokens=usage.output_tokens
        if usage.output_tokens is not None
        else estimated_tokens(output_bytes),
        estimated=True,
    )


def unanswered_cost(sheet: PriceSheet, input_bytes: int) -> NanoUsd:
    """What a request may have cost the house if its provider never answered: the input that was sent, at the sheet's own
    price. What the provider bills, and whether it does, is not ours to know."""
    return charge_for(Usage(input_tokens=estimated_tokens(input_bytes)), sheet).amount_nano_usd
