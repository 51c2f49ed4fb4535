"""What differs between one process on SQLite and one of many on PostgreSQL, as the rest of a server's state sees it."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from allgate.gateway.ports import Ledger
from allgate.storage.request_log import WriteLines
from allgate.wiring.directory import LiveDirectory

Gauges: TypeAlias = tuple[tuple[str, str, str, Callable[[], float]], ...]
"""Each a name, a kind, a sentence, and where the number is."""


class KeptLedger(Ledger, Protocol):
    """A ledger over a database."""

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

    def gauges(self) -> Gauges: ...
    async def stop(self) -> None:
        """No change of the configuration comes in any more."""
        ...
