"""The end of a request's money: decided once, synchronously, by whoever learns the outcome first.

`Reservation.conclude` looks at an Outcome, turns it into a charge or a void, and hands it to the ledger in one call with
no await between. A second call changes nothing. What is charged when (ruling: settlement values):

| outcome                              | charge                                                                       |
|--------------------------------------|------------------------------------------------------------------------------|
| complete                             | reported usage; what was not reported is counted by us, marked `estimated`    |
| complete, but empty and no output    | nothing                                                                      |
| error before output, refused         | nothing                                                                      |
| cut by the provider after output     | what was delivered: the larger of reported and counted output                |
| client gone after output             | the same (policies `cancel` and `drain`); nothing (policy `none`)            |
| client gone before output            | nothing                                                                      |
| sent, and never answered             | nothing; the house books what the input may have cost (`Admitted.unanswered`) |
"""

from collections.abc import Callable
from typing import Literal

from allgate.billing.estimate import completed, estimated_tokens
from allgate.billing.ledger import Hold, Settlement
from allgate.billing.prices import Charge
from allgate.billing.pricing import Pricing
from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import Value, changed
from allgate.dialects.contract import Facts
from allgate.gateway.durable import Durable
from allgate.gateway.ports import Ledger, LogRow

OutcomeKind = Literal["ok", "refused", "failed", "cut", "client_gone"]


class Outcome(Value, frozen=True, kw_only=True):
    """How a request ended. `delivered`: output reached (or was about to reach) the client."""

    kind: OutcomeKind
    facts: Facts = Facts()
    delivered: bool = False
    failure: Failure | None = None


class Reservation:
    """One hold and its end. `usage`, `charged_nano_usd` and `posted` (there is a charge) are known after `conclude`."""

    __slots__ = (
        "_ledger",
        "_receipt",
        "charged_nano_usd",
        "hold",
        "input_bytes",
        "outcome",
        "posted",
        "pricing",
        "usage",
    )

    def __init__(self, ledger: Ledger, hold: Hold, pricing: Pricing, input_bytes: int) -> None:
        self._ledger = ledger
        self._receipt: Durable | None = None
        self.hold = hold
        self.pricing = pricing
        self.input_bytes = input_bytes
        self.outcome: Outcome | None = None
        self.usage = Usage()
        self.charged_nano_usd = 0
        self.posted = False

    @property
    def concluded(self) -> bool:
        return self._receipt is not None

    def conclude(self, outcome: Outcome, line: Callable[[], LogRow] | None = None) -> Durable:
        """Post or void the hold, once; it is done when that is durable. `line` makes the request's line of the
        log, when its money is decided; the ledger keeps it with a charge."""
        if self._receipt is None:
            self.outcome = outcome
            usage = charged_usage(outcome, self.input_bytes)
            charge: Charge | None = None
            if usage is not None:
                self.usage = usage
                self.charged_nano_usd = self.pricing.charge(usage)
                charge = Charge(amount_nano_usd=self.charged_nano_usd, sheet_id=self.pricing.id)
            self.posted = charge is not None
            settlement = Settlement(hold=self.hold, charge=charge, reason=outcome.kind)
            self._receipt = self._ledger.settle(settlement, None if line is None else line())
        return self._receipt


NOT_SETTLED = Failure(
    kind=ErrorKind.OVERLOADED,
    message="The charge for this answer could not be written down, so it was withheld. Nothing was charged.",
    code="not_settled",
)


def charged_usage(outcome: Outcome, input_bytes: int) -> Usage | None:
    """The usage to charge by the table above; None: nothing."""
    facts = outcome.facts
    if outcome.kind == "ok":
        if facts.empty and not (facts.usage and facts.usage.output_tokens):
            return None
        return completed(facts.usage, input_bytes=input_bytes, output_text=facts.text)
    if outcome.kind in ("cut", "client_gone") and outcome.delivered:
        return _delivered(facts, input_bytes)
    return None


def _delivered(facts: Facts, input_bytes: int) -> Usage:
    """Usage of a broken stream: a provider's early snapshot may know less than what has already passed."""
    usage = completed(facts.usage, input_bytes=input_bytes, output_text=facts.text)
    counted = estimated_tokens(len(facts.text.encode("utf-8", "replace")))
    if facts.finished or counted <= (usage.output_tokens or 0):
        return usage
    return changed(usage, output_tokens=counted, estimated=True)
