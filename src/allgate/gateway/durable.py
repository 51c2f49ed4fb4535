"""A receipt on its way to the disk.

Like an `asyncio.Future`, but who waits is told at once and not in the loop's next turn: a group of charges becomes durable
in one call from the writer, and each answer that waited for it leaves from there. A future's callbacks are handles of the
loop, two for every request, which was a tenth of what the loop did.
"""

import logging
from asyncio import Future, get_running_loop
from collections.abc import Callable, Generator

from allgate.billing.ledger import Receipt

_log = logging.getLogger("allgate.ledger")


class Durable:
    """Done when the receipt survives a power cut, or will never be written. Belongs to one loop."""

    __slots__ = ("_callbacks", "_error", "_receipt")

    def __init__(self, receipt: Receipt | None = None) -> None:
        """`receipt`: it is done already."""
        self._receipt = receipt
        self._error: Exception | None = None
        self._callbacks: list[Callable[[Durable], None]] = []

    def done(self) -> bool:
        return self._receipt is not None or self._error is not None

    def exception(self) -> Exception | None:
        """Why it will never be; None: it is durable, or not decided."""
        return self._error

    def result(self) -> Receipt:
        """Raises: the error it failed with. Only once it is done."""
        if self._error is not None:
            raise self._error
        assert self._receipt is not None
        return self._receipt

    def add_done_callback(self, callback: "Callable[[Durable], None]") -> None:
        """Call it when this is done; at once if it is."""
        if self.done():
            self._call(callback)
        else:
            self._callbacks.append(callback)

    def set_result(self, receipt: Receipt) -> None:
        self._receipt = receipt
        self._tell()

    def set_exception(self, error: Exception) -> None:
        self._error = error
        self._tell()

    def __await__(self) -> Generator[object, None, Receipt]:
        """The receipt. Raises: the error it failed with."""
        if not self.done():
            told: Future[None] = get_running_loop().create_future()
            self.add_done_callback(lambda _: None if told.done() else told.set_result(None))
            yield from told
        return self.result()

    def _tell(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._call(callback)

    def _call(self, callback: "Callable[[Durable], None]") -> None:
        """Others of its group wait behind this one: whatever it raises ends here."""
        try:
            callback(self)
        except Exception:
            _log.exception("an answer whose charge is decided failed")
