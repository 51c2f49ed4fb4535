"""Carries out commands on the configuration: read, plan, check, publish, hand out.

The check is the building of the whole snapshot: what could not be served is not published. Commands follow one another
(a lock), and each plans from what is published when its turn comes. Where another process publishes in between, on a
database of many nodes, the command is planned again. Everything here blocks on the disk; a server calls it from a
thread and swaps on its loop.
"""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from allgate.admin.apply import Change
from allgate.admin.commands import Command, is_dry, plan_for
from allgate.admin.records import Document, Resolve
from allgate.core.money import NanoUsd
from allgate.core.value import Value
from allgate.providers.provider import Provider
from allgate.storage.config_store import Published, RevisionMoved, publish, read_published
from allgate.storage.connection import Jobs
from allgate.wiring.price_sheets import sheet_id
from allgate.wiring.registry import Snapshot, snapshot

PLANS_MAX = 10
"""Times a command is planned: ten nodes that start with the same file each find that another was faster."""


class Done(Value, frozen=True, kw_only=True):
    """What came of an order. `number` is the revision now in force; `balance_nano_usd` the balance of `account` after its
    money was moved."""

    changes: tuple[Change, ...] = ()
    remarks: tuple[str, ...] = ()
    number: int = 0
    balance_nano_usd: NanoUsd | None = None
    account: str = ""


class Configuration:
    """`on_published` gets every new snapshot, in the thread that ran the command."""

    def __init__(
        self,
        writer: Jobs,
        providers: Mapping[str, Provider],
        resolve: Resolve,
        *,
        loopback: bool,
        on_published: Callable[[Snapshot], None] | None = None,
    ) -> None:
        self._writer = writer
        self._providers = providers
        self._resolve = resolve
        self._loopback = loopback
        self._lock = threading.Lock()
        self.on_published = on_published

    def run(self, command: Command) -> Done:
        """Raises: ConfigError: it cannot be done, or its outcome could not be served; an error of the database."""
        with self._lock:
            for _ in range(PLANS_MAX - 1):
                try:
                    return self._run(command)
                except RevisionMoved:
                    continue
            return self._run(command)

    def _run(self, command: Command) -> Done:
        """Raises: RevisionMoved: somebody else was faster."""
        published = self.published()
        plan = plan_for(command, published.document)
        number = published.number
        if plan.changes and not is_dry(command):
            served = self.snapshot(Published(number=number + 1, document=plan.document))
            number = self._publish(number, plan.changes, plan.document)
            if self.on_published is not None:
                self.on_published(served)
        elif plan.changes:
            self.snapshot(Published(number=number, document=plan.document))
        return Done(changes=plan.changes, remarks=plan.remarks, number=number)

    def published(self) -> Published:
        """What is in force."""
        return self._writer.submit(read_published).result()

    def snapshot(self, published: Published) -> Snapshot:
        """What would be served. Raises: ConfigError."""
        return snapshot(
            published.document,
            self._providers,
            self._resolve,
            revision=published.number,
            loopback=self._loopback,
        )

    def _publish(self, seen: int, changes: tuple[Change, ...], document: Document) -> int:
        job = partial(
            publish,
            seen=seen,
            changes=changes,
            document=document,
            sheet_id=sheet_id,
            now_ms=time.time_ns() // 1_000_000,
        )
        return self._writer.submit(job).result()
