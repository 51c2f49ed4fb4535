"""The configuration in memory, swapped whole: a reader sees the old snapshot or the new one, never a mixture."""

from allgate.billing.prices import PriceSheet
from allgate.identity.caller import Caller
from allgate.routing.catalogue import Catalogue
from allgate.wiring.registry import Snapshot


class LiveDirectory:
    """`gateway.ports.Directory`. One assignment swaps it; a request that began with the old catalogue keeps it.

    Sheets that are gone from the rows stay known here until the process ends: a request under way is charged by the
    sheet it was admitted with.
    """

    __slots__ = ("_sheets", "_snapshot")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._sheets = dict(snapshot.sheets)

    @property
    def catalogue(self) -> Catalogue:
        return self._snapshot.catalogue

    def caller(self, key_hash: str) -> Caller | None:
        return self._snapshot.callers.get(key_hash)

    def price(self, price_id: str) -> PriceSheet | None:
        return self._sheets.get(price_id)

    def swap(self, snapshot: Snapshot) -> None:
        self._sheets = self._sheets | snapshot.sheets
        self._snapshot = snapshot
