"""The configuration in memory, swapped whole: a reader sees the old snapshot or the new one, never a mixture."""

from decimal import Decimal

from allgate.billing.pricing import Pricing
from allgate.billing.sheets import UNCHANGED, price_ref
from allgate.identity.caller import Caller
from allgate.routing.catalogue import Catalogue
from allgate.wiring.registry import Snapshot

NO_RATIOS: dict[str, Decimal] = {}


class LiveDirectory:
    """`gateway.ports.Directory`. One assignment swaps it; a request that began with the old catalogue keeps it.

    Sheets that are gone from the rows stay known here until the process ends: a request under way is charged by the
    sheet it was admitted with. A group's prices are compiled when they are first asked for.
    """

    __slots__ = ("_pricings", "_snapshot")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._pricings = _compiled(snapshot)

    @property
    def catalogue(self) -> Catalogue:
        return self._snapshot.catalogue

    def caller(self, key_hash: str) -> Caller | None:
        return self._snapshot.callers.get(key_hash)

    def price(self, price_id: str) -> Pricing | None:
        return self._pricings.get(price_id)

    def group_price(self, group: str, model: str, pricing: Pricing) -> Pricing:
        """The same prices at the group's ratio for this model."""
        ratio = self._snapshot.ratios.get(group, NO_RATIOS).get(model, UNCHANGED)
        if ratio == UNCHANGED:
            return pricing
        ref = price_ref(pricing.sheet.id, ratio)
        compiled = self._pricings.get(ref)
        if compiled is None:
            compiled = self._pricings[ref] = Pricing(pricing.sheet, ratio)
        return compiled

    def swap(self, snapshot: Snapshot) -> None:
        self._pricings = self._pricings | _compiled(snapshot)
        self._snapshot = snapshot


def _compiled(snapshot: Snapshot) -> dict[str, Pricing]:
    return {price_id: Pricing(sheet) for price_id, sheet in snapshot.sheets.items()}
