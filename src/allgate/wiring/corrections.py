"""Carries out corrections and debits: in the database first, then in the book of the process that serves.

A debit must not take what is held for requests under way. So where a book is live, the amount is first set aside in it,
like a hold, and taken from it when the transfer is durable.
"""

import sqlite3
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Protocol, TypeVar

from allgate.admin.commands import Correct, Debit
from allgate.admin.rows import ConfigError
from allgate.billing.book import Book
from allgate.core.errors import Refused
from allgate.core.money import AMOUNT_NANO_USD_MAX, NanoUsd
from allgate.storage.connection import Connection, ConstraintBroken
from allgate.storage.corrections import CannotCorrect, Corrected, correct, debit, was_debited
from allgate.wiring.configuration import Done

Result = TypeVar("Result")

ID_CHARS_MAX = 120
"""As of top-ups."""


class Purse(Protocol):
    """The balances of a process that serves. Every call blocks until the loop has done it."""

    def set_aside(self, account: str, amount: NanoUsd) -> None:
        """Raises: Refused(BILLING): less is available."""
        ...

    def put_back(self, account: str, amount: NanoUsd) -> None: ...
    def debit(self, account: str, amount: NanoUsd) -> None:
        """What was set aside is gone."""
        ...

    def refund(self, account: str, amount: NanoUsd) -> None: ...


class NoPurse:
    """Nobody serves: the database alone decides."""

    def set_aside(self, account: str, amount: NanoUsd) -> None: ...
    def put_back(self, account: str, amount: NanoUsd) -> None: ...
    def debit(self, account: str, amount: NanoUsd) -> None: ...
    def refund(self, account: str, amount: NanoUsd) -> None: ...


class BookPurse:
    """The book of a loop, from another thread."""

    def __init__(self, book: Book, loop: AbstractEventLoop) -> None:
        self._book = book
        self._loop = loop

    def set_aside(self, account: str, amount: NanoUsd) -> None:
        self._on_the_loop(partial(self._book.set_aside, account, amount))

    def put_back(self, account: str, amount: NanoUsd) -> None:
        self._on_the_loop(partial(self._book.put_back, account, amount))

    def debit(self, account: str, amount: NanoUsd) -> None:
        self._on_the_loop(partial(self._book.debit, account, amount))

    def refund(self, account: str, amount: NanoUsd) -> None:
        self._on_the_loop(partial(self._book.refund, account, amount))

    def _on_the_loop(self, call: Callable[[], None]) -> None:
        done: Future[None] = Future()

        def run() -> None:
            try:
                done.set_result(call())
            except Exception as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        done.result()


class Submits(Protocol):
    """The thread that writes."""

    def submit(self, run: Callable[[Connection], Result]) -> "Future[Result]": ...


class Corrections:
    """Runs on threads that may block."""

    def __init__(self, writer: Submits, purse: Purse) -> None:
        self._writer = writer
        self._purse = purse

    def run(self, order: Correct | Debit) -> Done:
        """Raises: ConfigError: it cannot be done, and nothing was changed; an error of the database."""
        if not 0 < order.amount_nano_usd <= AMOUNT_NANO_USD_MAX:
            raise ConfigError("", "amount", f"must be above zero and fit 64 bits: {order.amount_nano_usd}")
        if not 0 < len(order.id) <= ID_CHARS_MAX:
            raise ConfigError("", "id", f"must have 1 to {ID_CHARS_MAX} characters")
        try:
            done = self._debited(order) if isinstance(order, Debit) else self._corrected(order)
        except CannotCorrect as error:
            raise ConfigError("", "", f"{error}; nothing was changed") from None
        except (sqlite3.IntegrityError, ConstraintBroken):
            raise ConfigError("", "amount", "the balance would not fit 64 bits, or go below zero") from None
        remarks = () if done.new else ("nothing was changed: the same was done under this id before",)
        return Done(remarks=remarks, account=done.account, balance_nano_usd=done.balance_nano_usd)

    def _corrected(self, order: Correct) -> Corrected:
        job = partial(correct, order.request_id, order.amount_nano_usd, order.id, order.reason, _now_ms())
        done = self._writer.submit(job).result()
        if done.new:
            self._purse.refund(done.account, order.amount_nano_usd)
        return done

    def _debited(self, order: Debit) -> Corrected:
        job = partial(debit, order.account, order.amount_nano_usd, order.id, order.reason, _now_ms())
        if order.account.startswith("house:"):
            raise CannotCorrect("the gateway's own accounts are not debited")
        if self._writer.submit(partial(was_debited, order.id)).result():
            return self._writer.submit(job).result()
        self._set_aside(order)
        try:
            done = self._writer.submit(job).result()
        except BaseException:
            self._purse.put_back(order.account, order.amount_nano_usd)
            raise
        end = self._purse.debit if done.new else self._purse.put_back
        end(order.account, order.amount_nano_usd)
        return done

    def _set_aside(self, order: Debit) -> None:
        try:
            self._purse.set_aside(order.account, order.amount_nano_usd)
        except Refused as error:
            raise CannotCorrect(error.failure.message) from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
