"""The ledger's values: a hold, how it ends, and the receipt that proves it.

A hold is a pending transfer with the request id as its idempotency key and an expiry. It is posted, voided or expired,
exactly once. The port that stores implement is `gateway.ports.Ledger`.
"""

from typing import Literal

from allgate.billing.prices import Charge
from allgate.core.errors import ErrorKind, Refused, refused
from allgate.core.money import NanoUsd
from allgate.core.value import Value


class Hold(Value, frozen=True, kw_only=True):
    """Money set aside for one request."""

    request_id: str
    account_id: str
    key_id: str
    amount_nano_usd: NanoUsd


class Settlement(Value, frozen=True, kw_only=True):
    """How a hold ends. `charge` None voids it. An overage above the hold is a second transfer."""

    hold: Hold
    charge: Charge | None
    reason: str


class Receipt(Value, frozen=True, kw_only=True):
    """What was charged: `posted` ≤ hold, `overage` beyond it, `uncollected` the part the balance could not cover."""

    request_id: str
    outcome: Literal["posted", "voided"]
    posted_nano_usd: NanoUsd
    overage_nano_usd: NanoUsd
    uncollected_nano_usd: NanoUsd

    @property
    def paid_nano_usd(self) -> int:
        """What left the account."""
        return self.posted_nano_usd + self.overage_nano_usd - self.uncollected_nano_usd


def voided(request_id: str) -> Receipt:
    """Nothing was posted."""
    nothing = NanoUsd(0)
    return Receipt(
        request_id=request_id,
        outcome="voided",
        posted_nano_usd=nothing,
        overage_nano_usd=nothing,
        uncollected_nano_usd=nothing,
    )


def used_before(request_id: str) -> Refused:
    """This request id was held or charged before."""
    return refused(
        ErrorKind.CONFLICT, f"The request id {request_id} was used before.", code="duplicate_request"
    )
