"""Imported prices: which sheets change, and what is too strange to be believed.

A price list that others keep is right nearly always, and wrong in ways that cost a month's revenue. So:

- A price that falls to zero is refused. Whoever knows it to be true writes the sheet himself.
- A price that changes by more than a factor of FACTOR_MAX, a hosted call that loses its price, and a new sheet that asks
  nothing for input and output, need the operator's word for it (`sure`).
- A sheet that a file manages is left alone, with a remark.

What is compared is what would be charged: a class of tokens without a price of its own is charged as what it is part of.
"""

from collections.abc import Iterator
from decimal import Decimal

from allgate.admin.apply import Plan, changes_between
from allgate.admin.price_rows import PriceRow, SheetRow, VariantRow
from allgate.admin.records import Document, Kept
from allgate.admin.rows import ConfigError
from allgate.billing.sheets import HOSTED_UNITS, UNITS
from allgate.core.value import changed

FACTOR_MAX = Decimal(2)
"""Vendors halve a price now and then; a misplaced digit is a factor of ten."""

_PART_OF_OUTPUT = ("reasoning", "output_audio", "output_image")
_WHOLE_PIECES = ("call", "second", "character", *HOSTED_UNITS)


def plan_import(current: Document, sheets: tuple[SheetRow, ...], *, sure: bool) -> Plan:
    """The document with these sheets, managed by the console.

    Raises: ConfigError: a price falls to zero; or something needs the operator's word, and `sure` is not given.
    """
    after, remarks, doubts = dict(current.sheets), list[str](), list[str]()
    for sheet in sheets:
        kept = current.sheets.get(sheet.name)
        if kept is not None and kept.managed_by == "file":
            remarks.append(f"prices.{sheet.name} is managed by a file, and left alone")
            continue
        if kept is not None and not kept.disabled and changed(kept.record, source=sheet.source) == sheet:
            continue
        before = None if kept is None else kept.record
        doubts += _doubts(before, sheet)
        after[sheet.name] = Kept(record=sheet, managed_by="console")
    if doubts and not sure:
        raise ConfigError("", "", f"nothing was imported; --yes if this is true: {'; '.join(doubts)}")
    document = changed(current, sheets=after)
    return Plan(changes=changes_between(current, document), document=document, remarks=tuple(remarks))


def _doubts(before: SheetRow | None, after: SheetRow) -> Iterator[str]:
    """What is strange. Raises: ConfigError: what is not believed at all."""
    if before is None:
        if not any(Decimal(price) for price in (after.input, after.output)) and after.call is None:
            yield f"{after.name} is new and free"
        return
    cases = dict.fromkeys((*_cases(before), *_cases(after)))
    for tier, above in cases:
        place = "".join((f" at {tier}" if tier else "", f" above {above} tokens" if above else ""))
        old, new = _prices_at(before, tier, above), _prices_at(after, tier, above)
        for unit in UNITS:
            yield from _doubt(f"{after.name}: {unit}{place}", old.get(unit), new.get(unit))


def _doubt(what: str, old: Decimal | None, new: Decimal | None) -> Iterator[str]:
    if old is None or old == new:
        return
    if new is None:
        yield f"{what} was {old} and has no price any more"
    elif not new:
        raise ConfigError(
            "",
            "",
            f"nothing was imported: {what} falls from {old} to 0; if it is true, write that sheet yourself",
        )
    elif not old or not 1 / FACTOR_MAX <= new / old <= FACTOR_MAX:
        yield f"{what} goes from {old} to {new}"


def _cases(sheet: SheetRow) -> list[tuple[str | None, int]]:
    return [(None, 0), *((one.tier, one.above_input_tokens) for one in sheet.variants)]


def _prices_at(sheet: SheetRow, tier: str | None, above: int) -> dict[str, Decimal]:
    """What each unit costs in this case."""
    said: dict[str, Decimal] = {}
    variants = [one for one in sheet.variants if one.tier in (None, tier) and one.above_input_tokens <= above]
    variants.sort(key=lambda one: (one.tier is not None, one.above_input_tokens))
    rows: list[PriceRow | VariantRow] = [sheet, *variants]
    for row in rows:
        texts: dict[str, str | None] = {unit: getattr(row, unit) for unit in UNITS}
        said |= {unit: Decimal(text) for unit, text in texts.items() if text is not None}
    for unit in UNITS:
        if unit not in said and unit not in _WHOLE_PIECES:
            said[unit] = said["output" if unit in _PART_OF_OUTPUT else "input"]
    return said
