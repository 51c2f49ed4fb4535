"""What differs between one process on SQLite and one of many on PostgreSQL, as the rest of a server's state sees it."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from allgate.gateway.ports import Ledger
from allgate.storage.request_log import WriteLines
from allgate.wiring.directory import LiveDirectory

Gauges: TypeAlias = tuple[tuple[str, str, str, Callable[[], float]], ...]
"""Each a name, a kind, a sentence, and where the number is."""


class KeptLedger(Ledger, Protocol):
    """A ledger over a database. `database_gone`: it takes no charges, and nobody is admitted."""

    @property
    def open_count(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def outbox_depth(self) -> int: ...
    @property
    def database_gone(self) -> bool: ...

    async def close(self) -> None:
        """Until every charge decided so far is durable, or refused; then let go."""
        ...


class Backing(Protocol):
    """Made by `embedded.embed` or `shared.share`."""

    @property
    def directory(self) -> LiveDirectory: ...
    @property
    def ledger(self) -> KeptLedger: ...
    @property
    def seal_keys(self) -> tuple[bytes, ...]: ...

    @property
    def write_lines(self) -> WriteLines: ...

    async def stop(self) -> None:
        """No change of the configuration comes in any more."""
        ...


def ledger_gauges(ledger: KeptLedger) -> Gauges:
    """What `/metrics` shows of either ledger."""
    return (
        ("allgate_holds_open", "gauge", "Holds that have not ended.", lambda: ledger.open_count),
        ("allgate_charges_waiting", "gauge", "Charges not yet durable.", lambda: ledger.waiting),
        (
            "allgate_outbox_charges",
            "gauge",
            "Charges that only the outbox keeps.",
            lambda: ledger.outbox_depth,
        ),
        (
            "allgate_database_gone",
            "gauge",
            "1: the database takes no charges, and nobody is admitted.",
            lambda: ledger.database_gone,
        ),
    )
