"""The ledger of one process without a database: the pure book behind the port of the request path.

Decisions are durable here as soon as they are made, so a settlement is done when it returns. The
durable stores replace this class behind the same port.
"""

from allgate.billing.book import Book
from allgate.billing.ledger import Hold, Settlement
from allgate.core.money import NanoUsd
from allgate.gateway.durable import Durable
from allgate.gateway.ports import Funds, LogRow


class MemoryLedger:
    """`gateway.ports.Ledger` on a Book."""

    __slots__ = ("book",)

    def __init__(self, book: Book | None = None) -> None:
        self.book = book or Book()

    async def hold(self, hold: Hold) -> None:
        """Raises: Refused(BILLING), Refused(CONFLICT)."""
        self.book.hold(hold)

    def settle(self, settlement: Settlement, line: LogRow | None = None) -> Durable:
        """Idempotent by request id; no line is kept. Raises: KeyError: never held."""
        return Durable(self.book.settle(settlement))

    async def funds(self, account_id: str) -> Funds:
        """Raises: KeyError: no such account."""
        return Funds(self.balance_nano_usd(account_id), self.available_nano_usd(account_id))

    def available_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: KeyError: no such account."""
        return self.book.available_nano_usd(account_id)

    def balance_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: KeyError: no such account."""
        return self.book.balance_nano_usd(account_id)
