"""The book: accounts, open holds and transfers of one process, as a pure state machine.

Rules (architecture §4, rulings 9 and 13):
- A hold is taken only if balance less open holds covers it; so what is available is never below zero. Budgets are
  checked in the same step (`budgets`).
- A hold ends once: posted (≤ its amount) or voided. A second settlement of the same request gives the first receipt.
- A charge above its hold is always taken: from what is available, and what that does not cover, from the house account
  `uncollected`. The account itself never goes below zero.
- Double entry: every transfer moves one amount from one account to another, so all balances together are always zero.

The durable stores follow these rules and are compared with this book. It remembers finished requests for
RESOLVED_MAX of them, which is what makes a repeated settlement or a reused request id harmless.

    request id:  unknown --hold--> open --settle(charge)--> posted
                                     '----settle(None)----> voided
"""

from collections import deque
from collections.abc import Mapping

from allgate.billing.budgets import AccountBudgets, BudgetPlan, Budgets, Spent
from allgate.billing.ledger import Hold, Receipt, Settlement, used_before, voided
from allgate.core.errors import ErrorKind, refused
from allgate.core.money import AMOUNT_NANO_USD_MAX, NanoUsd, usd_text

GRANTS = "house:grants"
"""Where opening balances come from; its own balance is minus all that was ever granted."""

REVENUE = "house:revenue"
"""Where charges go."""

UNCOLLECTED = "house:uncollected"
"""Who pays what an account could not: its balance is minus the sum of uncovered overages."""

UNANSWERED = "house:unanswered"
"""Who pays for what was sent and never answered: its balance is minus what that would have cost, estimated."""

PROVIDERS = "house:providers"
"""Whom that may be owed to. Only estimates come here, so that `house:revenue` has none."""

RESOLVED_MAX = 10_000
"""Finished requests remembered, 4 MB. A request settles twice within milliseconds if at all: at 2,000 requests a
second this is five seconds."""


class Account:
    """One account's two numbers, in nano-USD. `pending` is the sum of its open holds. `budgets` None: it has none."""

    __slots__ = ("balance", "budgets", "pending")

    def __init__(self) -> None:
        self.balance = 0
        self.pending = 0
        self.budgets: AccountBudgets | None = None


class Book:
    """See the module's text. Amounts are nano-USD. Not for concurrent use: one loop owns it."""

    __slots__ = ("_budgets", "_granted", "_open", "_order", "_resolved", "accounts", "resolved_max")

    def __init__(self, *, resolved_max: int = RESOLVED_MAX) -> None:
        self.accounts: dict[str, Account] = {name: Account() for name in (GRANTS, REVENUE, UNCOLLECTED)}
        self.resolved_max = resolved_max
        self._open: dict[str, Hold] = {}
        self._resolved: dict[str, Receipt] = {}
        self._order: deque[str] = deque()
        self._granted: set[str] = set()
        self._budgets = Budgets()

    def grant_once(self, account_id: str, amount: NanoUsd) -> bool:
        """Open the account with this balance; False, and nothing happens, if it was opened before.

        Raises: ValueError: a negative amount, or the name of a house account.
        """
        if amount < 0 or account_id.startswith("house:"):
            raise ValueError(f"no opening balance of {amount} nano-USD for {account_id!r}")
        if account_id in self._granted:
            return False
        self._granted.add(account_id)
        self.accounts[account_id] = Account()
        self._move(GRANTS, account_id, amount)
        return True

    def restore(self, balances: Mapping[str, int]) -> None:
        """Begin with what a store kept: these accounts were opened before, and nothing is held."""
        for account_id, balance in balances.items():
            self.accounts.setdefault(account_id, Account()).balance = balance
            self._granted.add(account_id)

    def credit(self, account_id: str, amount: NanoUsd) -> None:
        """Add to a balance, out of `house:grants`. Raises: KeyError: no such account; ValueError: not an amount."""
        if not 0 < amount <= AMOUNT_NANO_USD_MAX or account_id.startswith("house:"):
            raise ValueError(f"no credit of {amount} nano-USD for {account_id!r}")
        self.accounts[account_id]  # an unknown account gets nothing, and the house gives nothing
        self._move(GRANTS, account_id, amount)

    def refund(self, account_id: str, amount: NanoUsd) -> None:
        """Give back what was charged. Raises: KeyError: no such account."""
        self.accounts[account_id]
        self._move(REVENUE, account_id, amount)

    def set_aside(self, account_id: str, amount: NanoUsd) -> None:
        """As a hold does, for a debit. Raises: Refused(BILLING): less is available, or there is no such account."""
        account = self.accounts.get(account_id)
        available = 0 if account is None else account.balance - account.pending
        if account is None or available < amount:
            raise refused(
                ErrorKind.BILLING,
                f"${usd_text(available)} of the balance of {account_id} is available, less than ${usd_text(amount)}",
            )
        account.pending += amount

    def put_back(self, account_id: str, amount: NanoUsd) -> None:
        """What was set aside is available again."""
        self.accounts[account_id].pending -= amount

    def debit(self, account_id: str, amount: NanoUsd) -> None:
        """What was set aside is gone, to where balances come from."""
        self.put_back(account_id, amount)
        self._move(account_id, GRANTS, amount)

    def limit(self, plan: BudgetPlan, now_ms: int) -> bool:
        """Have these budgets in force, for accounts that are open. True: new ones only count until `add_spent`."""
        arranged = self._budgets.arrange(plan, now_ms)
        for name, account in self.accounts.items():
            if name not in arranged:
                account.budgets = None
                continue
            account.budgets = account.budgets or AccountBudgets()
            account.budgets.bind(*arranged[name])
            account.budgets.count_open(hold for hold in self._open.values() if hold.account_id == name)
        return self._budgets.unread

    def add_spent(self, spent: Spent) -> None:
        """What was spent before `limit`: from now on new budgets refuse, too."""
        self._budgets.add_spent(spent)

    def hold(self, hold: Hold) -> None:
        """Set the amount aside.

        Raises: Refused(BILLING): less is available, a budget would not hold it, or there is no such account;
        Refused(CONFLICT): this request id was held before. ValueError: the amount is negative or outside int64.
        """
        amount = hold.amount_nano_usd
        if not 0 <= amount <= AMOUNT_NANO_USD_MAX:
            raise ValueError(f"a hold of {amount} nano-USD")
        request_id = hold.request_id
        if request_id in self._open or request_id in self._resolved:
            raise used_before(request_id)
        account = self.accounts.get(hold.account_id)
        if account is None or account.balance - account.pending < amount:
            raise _too_little(hold, account)
        if account.budgets is not None:
            account.budgets.take(hold)
        account.pending += amount
        self._open[request_id] = hold

    def settle(self, settlement: Settlement) -> Receipt:
        """End the hold. A second settlement changes nothing and returns the first receipt.

        Raises: KeyError: there was never such a hold (or more than `resolved_max` requests ago).
        """
        request_id = settlement.hold.request_id
        hold = self._open.pop(request_id, None)
        if hold is None:
            return self._resolved[request_id]
        account = self.accounts[hold.account_id]
        account.pending -= hold.amount_nano_usd
        charge = settlement.charge
        receipt = self._post(hold, charge.amount_nano_usd) if charge is not None else voided(request_id)
        if account.budgets is not None:
            account.budgets.settle(hold, receipt.paid_nano_usd)
        self._remember(receipt)
        return receipt

    def take_back(self, hold: Hold, receipt: Receipt, instead: Receipt | None = None) -> None:
        """The store could not keep this posting: its money returns. `instead` is the receipt now in force (None: a void)."""
        paid = receipt.paid_nano_usd
        self._move(REVENUE, hold.account_id, paid)
        self._move(REVENUE, UNCOLLECTED, receipt.uncollected_nano_usd)
        budgets = self.accounts[hold.account_id].budgets
        if budgets is not None:
            budgets.take_back(hold, paid)
        if hold.request_id in self._resolved:
            self._resolved[hold.request_id] = instead or voided(hold.request_id)

    def is_open(self, request_id: str) -> bool:
        """The request has a hold that has not ended."""
        return request_id in self._open

    def available_nano_usd(self, account_id: str) -> NanoUsd:
        """Balance less open holds. Raises: KeyError: no such account."""
        account = self.accounts[account_id]
        return NanoUsd(account.balance - account.pending)

    def balance_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: KeyError: no such account."""
        return NanoUsd(self.accounts[account_id].balance)

    def open_holds(self) -> tuple[Hold, ...]:
        """The holds that have not ended, oldest first."""
        return tuple(self._open.values())

    @property
    def balances(self) -> dict[str, int]:
        """Every account's balance, those of the house among them."""
        return {name: account.balance for name, account in self.accounts.items()}

    @property
    def open_count(self) -> int:
        return len(self._open)

    def _post(self, hold: Hold, charged: NanoUsd) -> Receipt:
        """Move the charge: at most the hold, then an overage from what is available, then `uncollected`."""
        account_id = hold.account_id
        posted = min(charged, hold.amount_nano_usd)
        self._move(account_id, REVENUE, posted)
        overage, uncollected = charged - posted, 0
        if overage:
            collected = min(overage, self.available_nano_usd(account_id))
            uncollected = overage - collected
            self._move(account_id, REVENUE, collected)
            self._move(UNCOLLECTED, REVENUE, uncollected)
        return Receipt(
            request_id=hold.request_id,
            outcome="posted",
            posted_nano_usd=NanoUsd(posted),
            overage_nano_usd=NanoUsd(overage),
            uncollected_nano_usd=NanoUsd(uncollected),
        )

    def _move(self, debit: str, credit: str, amount: int) -> None:
        self.accounts[debit].balance -= amount
        self.accounts[credit].balance += amount

    def _remember(self, receipt: Receipt) -> None:
        self._resolved[receipt.request_id] = receipt
        self._order.append(receipt.request_id)
        if len(self._order) > self.resolved_max:
            del self._resolved[self._order.popleft()]


def _too_little(hold: Hold, account: Account | None) -> Exception:
    available = 0 if account is None else account.balance - account.pending
    return refused(
        ErrorKind.BILLING,
        f"This request may cost up to ${usd_text(hold.amount_nano_usd)}, and ${usd_text(available)} of the balance is "
        "available. Add credit, or ask for fewer output tokens.",
        code="insufficient_quota",
    )
