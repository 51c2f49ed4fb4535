"""Carries out what an operator asks for: changes of the configuration, and movements of money.

Both block on the disk. In a server on SQLite they run in threads, and the serving loop is told only after they are
durable, so it never believes in a row or in money that is not there. On PostgreSQL the command line runs them itself, and
the nodes see what is there.
"""

import sqlite3
import time
from collections.abc import Callable
from functools import partial

from allgate.admin.commands import Correct, Debit, Order, TopUp
from allgate.admin.rows import ConfigError
from allgate.core.money import AMOUNT_NANO_USD_MAX, NanoUsd, usd_text
from allgate.storage.connection import Connection, ConstraintBroken, Jobs
from allgate.storage.transfers import TopUpTaken, read_balance, top_up
from allgate.wiring.configuration import Configuration, Done
from allgate.wiring.corrections import Corrections, NoPurse, Purse

ID_CHARS_MAX = 120
"""Longest ids of payments at Stripe and Alipay stay below 70."""


class OperatorOrders:
    """`on_topped_up` gets every top-up that was new, in the thread that ran it."""

    def __init__(
        self,
        configuration: Configuration,
        writer: Jobs,
        on_topped_up: Callable[[TopUp], None] = lambda _: None,
        purse: Purse | None = None,
    ) -> None:
        self._configuration = configuration
        self._writer = writer
        self._on_topped_up = on_topped_up
        self._corrections = Corrections(writer, purse or NoPurse())

    def run(self, order: Order) -> Done:
        """Raises: ConfigError: it cannot be done; an error of the database."""
        if isinstance(order, TopUp):
            return self._topped_up(order)
        if isinstance(order, (Debit, Correct)):
            return self._corrections.run(order)
        return self._configuration.run(order)

    def _topped_up(self, order: TopUp) -> Done:
        _check(order)
        try:
            new, balance = self._writer.submit(partial(_top_up, order, time.time_ns() // 1_000_000)).result()
        except KeyError:
            raise ConfigError("", "account", f"there is no account {order.account!r}") from None
        except TopUpTaken as error:
            raise ConfigError("", "id", f"{error}; an id is used for one top-up") from None
        except (sqlite3.IntegrityError, ConstraintBroken):
            raise ConfigError("", "amount", "the balance would not fit 64 bits of nano-USD") from None
        if new:
            self._on_topped_up(order)
        remarks = (
            ()
            if new
            else (f"nothing was added: {order.id!r} added ${usd_text(order.amount_nano_usd)} before",)
        )
        return Done(remarks=remarks, balance_nano_usd=balance)


def _check(order: TopUp) -> None:
    """Raises: ConfigError."""
    if not 0 < order.amount_nano_usd <= AMOUNT_NANO_USD_MAX:
        raise ConfigError(
            "", "amount", f"must be above zero and fit 64 bits of nano-USD: {order.amount_nano_usd}"
        )
    if not 0 < len(order.id) <= ID_CHARS_MAX:
        raise ConfigError("", "id", f"must have 1 to {ID_CHARS_MAX} characters")
    if order.account.startswith("house:"):
        raise ConfigError("", "account", "the gateway's own accounts are not topped up")


def _top_up(order: TopUp, at_ms: int, connection: Connection) -> tuple[bool, NanoUsd | None]:
    new = top_up(
        connection, order.account, order.amount_nano_usd, top_up_id=order.id, reason=order.reason, at_ms=at_ms
    )
    return new, read_balance(connection, order.account)
