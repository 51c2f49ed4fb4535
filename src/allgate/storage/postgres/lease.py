"""What one node of many may spend: its leases and the holds against them, in memory, as a pure state machine.

A lease is a slice of an account's money that the database has set aside for this node. Here it is three numbers, and the
database's number for it is never below their sum, so what is decided here can always be paid:

    free       may be held by the next request
    held       set aside for open requests
    unwritten  charged, on its way to the database

A hold rests on a lease, or is durable (a row in the database), or has lost its ground: its node was taken for dead and swept.
A charge that its lease covers is decided here at once. The database decides the rest under its locks: charges beyond the
lease, of durable holds, and of holds without ground (docs/decisions/0040).
"""

from collections import deque
from collections.abc import Iterable

from allgate.billing.book import RESOLVED_MAX
from allgate.billing.ledger import Hold, Receipt, Settlement, used_before, voided
from allgate.core.money import AMOUNT_NANO_USD_MAX, NanoUsd


class Lease:
    """The money of one account that this node has. `slice_nano_usd` is how much came last; `used` since it was last asked."""

    __slots__ = ("account_id", "free", "held", "lost", "slice_nano_usd", "unwritten", "used")

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.free = 0
        self.held = 0
        self.unwritten = 0
        self.slice_nano_usd = 0
        self.used = False
        self.lost = False

    @property
    def needed(self) -> int:
        """What the database must go on setting aside if nothing new is held."""
        return self.held + self.unwritten

    @property
    def running_low(self) -> bool:
        """Half of the last slice is gone: time to ask for the next one, before a request has to wait for it."""
        return 2 * self.free < self.slice_nano_usd


class Backing:
    """What an ended hold rests on: `lease` (None: none) has put `reserved` into `unwritten` for its charge. `durable`: the
    hold has a row of its own."""

    __slots__ = ("_decided", "_reserved", "durable", "lease")

    def __init__(self, lease: Lease | None, reserved: int, *, decided: bool, durable: bool = False) -> None:
        self.lease = lease
        self.durable = durable
        self._reserved = reserved
        self._decided = decided

    @property
    def reserved(self) -> int:
        """Nothing, once the lease is lost."""
        return 0 if self.lease is None or self.lease.lost else self._reserved

    @property
    def covers(self) -> bool:
        """The lease pays the whole charge: nobody else has to decide about it."""
        return self._decided and self.lease is not None and not self.lease.lost

    def settle(self, paid: int) -> None:
        """The lease has paid that much; what it had reserved beyond is free again."""
        if self.lease is not None:
            self.lease.unwritten -= self._reserved
            self.lease.free += self._reserved - paid


NOTHING = Backing(None, 0, decided=False)
"""Of a charge of an earlier life, or of a hold whose node was swept."""


class Purse:
    """See the module's text. Amounts are nano-USD. One loop owns it.

    It remembers ended requests as `billing.book.Book` does: a repeated settlement or a reused id is harmless.
    """

    __slots__ = ("_ended", "_ended_max", "_leases", "_open", "_order")

    def __init__(self, *, ended_max: int = RESOLVED_MAX) -> None:
        self._leases: dict[str, Lease] = {}
        self._open: dict[str, tuple[Hold, Lease | None]] = {}
        self._ended: dict[str, Receipt] = {}
        self._order: deque[str] = deque()
        self._ended_max = ended_max

    def check(self, hold: Hold) -> None:
        """Raises: Refused(CONFLICT): this id was held before; ValueError: the amount is negative or outside int64."""
        if not 0 <= hold.amount_nano_usd <= AMOUNT_NANO_USD_MAX:
            raise ValueError(f"a hold of {hold.amount_nano_usd} nano-USD")
        if hold.request_id in self._open or hold.request_id in self._ended:
            raise used_before(hold.request_id)

    def take(self, hold: Hold) -> Lease | None:
        """Set the amount aside from the account's lease; None: too little is free."""
        lease = self._leases.get(hold.account_id)
        if lease is None or lease.free < hold.amount_nano_usd:
            return None
        lease.free -= hold.amount_nano_usd
        lease.held += hold.amount_nano_usd
        lease.used = True
        self._open[hold.request_id] = (hold, lease)
        return lease

    def take_durably(self, hold: Hold) -> None:
        """The database has set the amount aside, in a row of its own."""
        self._open[hold.request_id] = (hold, None)

    def end(self, settlement: Settlement) -> tuple[Receipt, Backing | None]:
        """End a hold: its receipt if the whole charge is collected, and what that rests on (None: nothing has to be done).

        Raises: KeyError: not open.
        """
        request_id = settlement.hold.request_id
        hold, lease = self._open.pop(request_id)
        charge = settlement.charge
        if charge is None:
            receipt, backing = voided(request_id), _void(hold, lease)
        else:
            charged = charge.amount_nano_usd
            receipt = receipt_of(hold, charged, charged)
            backing = self._reserve(hold, lease, charged)
        self._remember(receipt)
        return receipt, backing

    def is_open(self, request_id: str) -> bool:
        """The request has a hold that has not ended."""
        return request_id in self._open

    def ended(self, request_id: str) -> Receipt:
        """How it ended. Raises: KeyError: it has not, or too long ago."""
        return self._ended[request_id]

    def written(self, backing: Backing, receipt: Receipt, paid: int) -> None:
        """The database has it: the lease paid that much, and what was reserved beyond is free again."""
        backing.settle(paid)
        if receipt.request_id in self._ended:
            self._ended[receipt.request_id] = receipt

    def grant(self, account_id: str, amount: int) -> None:
        """A slice has come."""
        lease = self._leases.get(account_id)
        if lease is None:
            lease = self._leases[account_id] = Lease(account_id)
        lease.free += amount
        lease.slice_nano_usd = amount

    def let_go(self, account_id: str) -> int:
        """Nothing is free any more, so that it can be given back; what is still needed."""
        lease = self._leases.get(account_id)
        if lease is None:
            return 0
        lease.free = 0
        return lease.needed

    def kept(self, account_id: str) -> int:
        """All that this node counts on of the account's lease."""
        lease = self._leases.get(account_id)
        return 0 if lease is None else lease.free + lease.needed

    def has_free(self, account_id: str) -> bool:
        lease = self._leases.get(account_id)
        return lease is not None and lease.free > 0

    def unused(self) -> list[str]:
        """Accounts whose leases nobody used since this was last asked, and nobody needs."""
        found = [one.account_id for one in self._leases.values() if not one.used and not one.needed]
        for lease in self._leases.values():
            lease.used = False
        return found

    def close(self, account_id: str) -> bool:
        """Forget the lease. False: somebody needs it by now."""
        lease = self._leases.get(account_id)
        if lease is None or lease.used or lease.needed:
            return False
        del self._leases[account_id]
        return True

    def lose(self) -> None:
        """The node was taken for dead, and its leases went to others: what rests on them has lost its ground."""
        for lease in self._leases.values():
            lease.lost = True
        self._leases.clear()

    def open_holds(self) -> tuple[Hold, ...]:
        """The holds that have not ended, oldest first."""
        return tuple(hold for hold, _ in self._open.values())

    @property
    def open_count(self) -> int:
        return len(self._open)

    def leases(self) -> Iterable[Lease]:
        return self._leases.values()

    def _reserve(self, hold: Hold, lease: Lease | None, charged: int) -> Backing:
        """Put the charge into `unwritten` of the hold's lease, or of the one that is here now, as far as that has it."""
        held, durable = hold.amount_nano_usd, lease is None
        if lease is None or lease.lost:
            covered, lease = (held if durable else 0), self._leases.get(hold.account_id)
            if lease is None:
                return Backing(None, 0, decided=False, durable=durable)
            reserved = max(0, min(charged - covered, lease.free))
            lease.free -= reserved
            decided = False
        else:
            reserved = min(charged, held + lease.free)
            lease.held -= held
            lease.free += held - reserved
            decided = reserved == charged
        lease.unwritten += reserved
        return Backing(lease, reserved, decided=decided, durable=durable)

    def _remember(self, receipt: Receipt) -> None:
        self._ended[receipt.request_id] = receipt
        self._order.append(receipt.request_id)
        if len(self._order) > self._ended_max:
            del self._ended[self._order.popleft()]


def _void(hold: Hold, lease: Lease | None) -> Backing | None:
    """Only a durable hold has to be ended in the database."""
    if lease is None:
        return Backing(None, 0, decided=False, durable=True)
    lease.held -= hold.amount_nano_usd
    lease.free += hold.amount_nano_usd
    return None


def receipt_of(hold: Hold, charged: int, collected: int) -> Receipt:
    """A charge of which the account paid `collected`."""
    posted = min(hold.amount_nano_usd, collected)
    return Receipt(
        request_id=hold.request_id,
        outcome="posted",
        posted_nano_usd=NanoUsd(posted),
        overage_nano_usd=NanoUsd(charged - posted),
        uncollected_nano_usd=NanoUsd(charged - collected),
    )
