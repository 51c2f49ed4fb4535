"""The configuration in memory, swapped whole: a reader sees the old snapshot or the new one, never a mixture."""

import time
from collections.abc import Callable
from decimal import Decimal

from allgate.billing.output_sizes import Expected, OutputSizes
from allgate.billing.pricing import Pricing
from allgate.billing.sheets import UNCHANGED, price_ref
from allgate.core.errors import ErrorKind, Failure, Refused
from allgate.identity.caller import Caller
from allgate.routing.catalogue import Catalogue
from allgate.wiring.registry import Snapshot

BELIEVED_S = 60.0
"""How long keys are believed while the database is gone (ruling 22): one that was disabled meanwhile works no longer."""

NO_RATIOS: dict[str, Decimal] = {}


class LiveDirectory:
    """`gateway.ports.Directory`. One assignment swaps it; a request that began with the old catalogue keeps it.

    Sheets that are gone from the rows stay known here until the process ends: a request under way is charged by the
    sheet it was admitted with. A group's prices are compiled when they are first asked for. `sizes` is what was seen of
    answers; `on_expecting` is called when a swap brings groups that hold what is expected.
    """

    __slots__ = ("_pricings", "_snapshot", "on_expecting", "sizes")

    def __init__(self, snapshot: Snapshot) -> None:
        self.sizes = OutputSizes()
        self.on_expecting: Callable[[], None] | None = None
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

    def expected_output(self, group: str, model: str) -> Expected | None:
        """What to hold for each answer of this model; None: the group holds the worst case."""
        return self.sizes.expected(model) if group in self._snapshot.expecting else None

    @property
    def expecting(self) -> bool:
        """Some group holds what is expected."""
        return bool(self._snapshot.expecting)

    def swap(self, snapshot: Snapshot) -> None:
        self._pricings = self._pricings | _compiled(snapshot)
        self._snapshot = snapshot
        if snapshot.expecting and self.on_expecting is not None:
            self.on_expecting()


class SharedDirectory(LiveDirectory):
    """The directory of a node of many, whose database can be gone while it serves.

    Then a key that it does not know may have been made a moment ago, so it is no reason for a 401; and those that it
    knows are believed for BELIEVED_S. `find` and `lose` say what became of each look at the database.
    """

    __slots__ = ("_clock", "_gone", "_seen_s")

    def __init__(self, snapshot: Snapshot, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(snapshot)
        self._clock = clock
        self._gone = False
        self._seen_s = clock()

    def caller(self, key_hash: str) -> Caller | None:
        """Raises: Refused(OVERLOADED): the database would have to be asked, and is gone."""
        known = self._snapshot.callers.get(key_hash)
        if self._gone and (known is None or self._clock() - self._seen_s > BELIEVED_S):
            raise _unreachable()
        return known

    def find(self) -> bool:
        """The database answers. True: it was gone before."""
        was_gone, self._gone, self._seen_s = self._gone, False, self._clock()
        return was_gone

    def lose(self) -> bool:
        """It does not. True: it did before."""
        was_gone, self._gone = self._gone, True
        return not was_gone


def _unreachable() -> Refused:
    return Refused(
        Failure(
            kind=ErrorKind.OVERLOADED,
            message="The gateway cannot check this API key at the moment. Please try again.",
            code="database_unreachable",
            retry_after_s=1.0,
        )
    )


def _compiled(snapshot: Snapshot) -> dict[str, Pricing]:
    return {price_id: Pricing(sheet) for price_id, sheet in snapshot.sheets.items()}
