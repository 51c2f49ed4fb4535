"""What a serving process keeps: the directory, the ledger, the recorder, and what lies below them.

`open_state` makes it from the settings, `close` ends it; both are for `build`, which adds the network.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from allgate.admin.records import document_of
from allgate.admin.rows import ConfigError, Declaration
from allgate.core.secret import Secret
from allgate.storage.memory_ledger import MemoryLedger
from allgate.telemetry.loop_lag import LoopLag
from allgate.telemetry.metrics import Metrics
from allgate.telemetry.recorder import RequestRecorder
from allgate.wiring.credentials import resolved
from allgate.wiring.directory import LiveDirectory
from allgate.wiring.listen import Listen
from allgate.wiring.master_key import master_keys
from allgate.wiring.registry import Snapshot, packaged_providers, snapshot
from allgate.wiring.settings import Settings

SQLITE_SCHEME = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All of it lives on one loop. `seal_keys` are for `dialects.seals.SealBox`."""

    directory: LiveDirectory
    ledger: MemoryLedger
    recorder: RequestRecorder
    metrics: Metrics
    loop_lag: LoopLag
    seal_keys: tuple[bytes, ...]

    async def ready(self) -> None:
        """Touch what a request would need, for `/readyz`. Raises: OSError: it cannot be reached."""

    async def close(self) -> None:
        """Write what waits, then let go."""
        self.loop_lag.stop()


async def open_state(settings: Settings) -> State:
    """Raises: ConfigError: a setting or a row that cannot be used."""
    database = database_path(settings)
    database.parent.mkdir(parents=True, exist_ok=True)
    served = _snapshot(settings)
    ledger = MemoryLedger()
    for account, amount in served.grants_nano_usd.items():
        ledger.book.grant_once(account, amount)
    metrics, loop_lag = Metrics(), LoopLag()
    _show(metrics, ledger, loop_lag)
    loop_lag.start()
    return State(
        directory=LiveDirectory(served),
        ledger=ledger,
        recorder=RequestRecorder(metrics, None),
        metrics=metrics,
        loop_lag=loop_lag,
        seal_keys=master_keys(settings.secrets, database.parent, os.environ, settings.folder),
    )


def database_path(settings: Settings) -> Path:
    """The SQLite file. Raises: ConfigError: another kind of database."""
    url = settings.database.url
    if not url.startswith(SQLITE_SCHEME):
        raise ConfigError("", "database.url", f"only {SQLITE_SCHEME}PATH is served so far")
    return settings.folder / url.removeprefix(SQLITE_SCHEME)


def _snapshot(settings: Settings) -> Snapshot:
    def resolve(reference: Secret, key: str) -> Secret:
        return resolved(reference, key, os.environ, settings.folder)

    document = document_of(settings.declared or Declaration(), resolve)
    loopback = Listen.parse(settings.server.listen).loopback
    return snapshot(document, packaged_providers(), resolve, revision=1, loopback=loopback)


def _show(metrics: Metrics, ledger: MemoryLedger, loop_lag: LoopLag) -> None:
    metrics.gauge(
        "allgate_loop_lag_seconds_max",
        "gauge",
        "The largest delay of the loop since the last reading.",
        lambda: [({}, loop_lag.worst_s())],
    )
    metrics.gauge(
        "allgate_holds_open",
        "gauge",
        "Holds that have not ended.",
        lambda: [({}, ledger.book.open_count)],
    )
