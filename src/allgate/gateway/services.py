"""What a request needs of the process around it: one value, built once by `wiring`."""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping

from allgate.core.clock import Clock
from allgate.core.ids import DICE_BYTES, make_id
from allgate.dialects.contract import ChatDialect
from allgate.dialects.seals import SealBox
from allgate.gateway.affinity import SealHomes
from allgate.gateway.exchanges import Exchanges
from allgate.gateway.ports import (
    Books,
    Decoder,
    Directory,
    Fetcher,
    Ledger,
    Recorder,
    ResponseStore,
    Transport,
)


class Services:
    """The ports, plugged. `dice(n)` gives n random bytes; `seal_keys[0]` signs our envelopes."""

    __slots__ = (
        "_dice", "_seal_keys", "books", "clock", "decoder", "dialects", "directory", "exchanges", "fetcher", "ledger", "loop", "recorder", "responses", "seal_homes", "transport",
    )  # fmt: skip

    def __init__(
        self,
        *,
        loop: AbstractEventLoop,
        clock: Clock,
        dice: Callable[[int], bytes],
        directory: Directory,
        ledger: Ledger,
        books: Books,
        responses: ResponseStore,
        decoder: Decoder,
        transport: Transport,
        fetcher: Fetcher,
        recorder: Recorder,
        dialects: Mapping[str, ChatDialect],
        exchanges: Exchanges,
        seal_keys: tuple[bytes, ...],
    ) -> None:
        self.loop = loop
        self.clock = clock
        self.directory = directory
        self.ledger = ledger
        self.books = books
        self.responses = responses
        self.decoder = decoder
        self.transport = transport
        self.fetcher = fetcher
        self.recorder = recorder
        self.dialects = dialects
        self.exchanges = exchanges
        self.seal_homes = SealHomes()
        self._dice = dice
        self._seal_keys = seal_keys

    def new_request_id(self, now_s: float) -> str:
        """A fresh, time-ordered id."""
        return make_id("req", int(now_s * 1000), self._dice(DICE_BYTES))

    def dice(self) -> float:
        """Uniform in [0, 1)."""
        return int.from_bytes(self._dice(6), "big") / 2**48

    def seal_box(self, account_id: str) -> SealBox:
        """The envelopes of this account."""
        return SealBox(self._seal_keys, account_id)
