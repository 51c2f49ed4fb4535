"""Who issued which seal, remembered by this node, and the way back there.

Only for models that several deployments or credentials serve: all others have one home. Seals are watched on their way to
the client, in the bytes that leave, so that what a client brings back is what was remembered, native or in an envelope.
Kept are hashes, per account, of the newest `SEALS_MAX` seals; what was forgotten, or issued through another node, is
brought to a vendor that can read it, and a refused signature is repaired as before (`repair`).
"""

from collections import OrderedDict
from hashlib import blake2b

from allgate.core.errors import Failure
from allgate.dialects.seal_texts import may_hold_seals, newest_seals
from allgate.dialects.seals import SealBox
from allgate.gateway.admission import Call
from allgate.gateway.relay import Relay
from allgate.operations.chat.notes import Note
from allgate.routing.affinity import Home, homeward
from allgate.routing.plan import Candidate

SEALS_MAX = 100_000
"""Of one node: 15 MB, and a day of conversations for a thousand people who think."""

SEALS_READ = 8
"""Of one request: the newest decides, unless it was forgotten."""

SEALS_WATCHED = 64
"""Of one piece of a reply: a whole answer with that many signed calls."""

_NATIVE = {"anthropic": "anthropic", "openai_responses": "openai", "gemini": "gemini"}
"""Whose seal a bare one is, by the dialect in which a client brings it."""


class SealHomes:
    """The memory: least recently used goes first."""

    def __init__(self) -> None:
        self._homes: OrderedDict[bytes, Home] = OrderedDict()

    def __len__(self) -> int:
        return len(self._homes)

    def remember(self, account_id: str, octets: bytes, home: Home) -> None:
        """The seals in these bytes, which are about to leave, were issued there."""
        for seal in newest_seals(octets, SEALS_WATCHED):
            key = _key(account_id, seal)
            self._homes[key] = home
            self._homes.move_to_end(key)
            if len(self._homes) > SEALS_MAX:
                self._homes.popitem(last=False)

    def home(self, account_id: str, seal: bytes) -> Home | None:
        """Who issued it to this account; None: not known here."""
        return self._homes.get(_key(account_id, seal))

    def homeward(
        self, candidates: tuple[Candidate, ...], call: Call, account_id: str, seals: SealBox
    ) -> tuple[Candidate, ...]:
        """The candidates, with the issuer of the newest seal in the request before its equals."""
        body = call.wire.body
        brought = newest_seals(body, SEALS_READ) if may_hold_seals(body) else []
        if not brought:
            return candidates
        home = next((home for seal in brought if (home := self.home(account_id, seal)) is not None), None)
        enveloped = seals.unwrap(brought[0].decode("ascii", "replace"))
        origin = enveloped.seal.origin if enveloped else _NATIVE.get(call.dialect.name, "")
        return homeward(candidates, home, origin)


class Remembering:
    """A relay whose seals are remembered as they leave. Otherwise the relay that it wraps."""

    def __init__(self, relay: Relay, homes: SealHomes, account_id: str, home: Home) -> None:
        self._relay = relay
        self._homes, self._account_id, self._home = homes, account_id, home
        self.facts = relay.facts

    @property
    def started(self) -> bool:
        return self._relay.started

    @property
    def failure(self) -> Failure | None:
        return self._relay.failure

    @property
    def notes(self) -> tuple[Note, ...]:
        return self._relay.notes

    def feed(self, chunk: bytes) -> bytes:
        return self._watched(self._relay.feed(chunk))

    def close(self) -> bytes:
        return self._watched(self._relay.close())

    def fail(self, failure: Failure) -> bytes:
        return self._relay.fail(failure)

    def _watched(self, out: bytes) -> bytes:
        if may_hold_seals(out):
            self._homes.remember(self._account_id, out, self._home)
        return out


def _key(account_id: str, seal: bytes) -> bytes:
    return blake2b(account_id.encode() + b"\x00" + seal, digest_size=12).digest()
