"""The book, by example and by random operations against a model that only knows the rules."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from allgate.billing.book import GRANTS, REVENUE, UNCOLLECTED, Book
from allgate.billing.ledger import Hold, Receipt, Settlement
from allgate.billing.prices import Charge
from allgate.core.errors import ErrorKind, Refused
from allgate.core.money import AMOUNT_NANO_USD_MAX, NanoUsd


def hold(request_id: str, amount: int, account: str = "demo") -> Hold:
    return Hold(
        request_id=request_id, account_id=account, key_id=f"{account}/k", amount_nano_usd=NanoUsd(amount)
    )


def charged(of: Hold, amount: int | None) -> Settlement:
    charge = None if amount is None else Charge(amount_nano_usd=NanoUsd(amount), sheet_id="s")
    return Settlement(hold=of, charge=charge, reason="ok")


def book_with(amount: int, *accounts: str) -> Book:
    book = Book()
    for account in accounts or ("demo",):
        assert book.grant_once(account, NanoUsd(amount))
    return book


def test_a_hold_lowers_what_is_available_and_not_the_balance():
    book = book_with(100)
    book.hold(hold("r1", 30))
    assert book.available_nano_usd("demo") == 70
    assert (book.accounts["demo"].balance, book.accounts["demo"].pending) == (100, 30)


def test_a_charge_within_the_hold_is_posted_and_the_rest_returns():
    book = book_with(100)
    book.hold(one := hold("r1", 30))
    receipt = book.settle(charged(one, 12))
    assert (receipt.outcome, receipt.posted_nano_usd, receipt.overage_nano_usd) == ("posted", 12, 0)
    assert book.available_nano_usd("demo") == 88
    assert book.accounts[REVENUE].balance == 12


def test_a_void_releases_the_hold():
    book = book_with(100)
    book.hold(one := hold("r1", 30))
    assert book.settle(charged(one, None)).outcome == "voided"
    assert book.available_nano_usd("demo") == 100
    assert book.open_count == 0


def test_a_charge_of_zero_is_posted_and_not_voided():
    book = book_with(100)
    book.hold(one := hold("r1", 30))
    assert book.settle(charged(one, 0)).outcome == "posted"


def test_an_overage_is_taken_from_what_is_available():
    book = book_with(100)
    book.hold(one := hold("r1", 30))
    receipt = book.settle(charged(one, 50))
    assert (receipt.posted_nano_usd, receipt.overage_nano_usd, receipt.uncollected_nano_usd) == (30, 20, 0)
    assert book.available_nano_usd("demo") == 50


def test_an_overage_leaves_the_holds_of_other_requests_alone():
    book = book_with(100)
    book.hold(one := hold("r1", 30))
    book.hold(other := hold("r2", 60))
    receipt = book.settle(charged(one, 50))
    assert (receipt.posted_nano_usd, receipt.overage_nano_usd, receipt.uncollected_nano_usd) == (30, 20, 10)
    assert book.available_nano_usd("demo") == 0
    assert book.accounts[UNCOLLECTED].balance == -10
    assert book.settle(charged(other, 60)).uncollected_nano_usd == 0


def test_a_second_settlement_gives_the_first_receipt_whatever_it_says():
    book = book_with(100)
    book.hold(one := hold("r1", 30))
    first = book.settle(charged(one, 12))
    assert book.settle(charged(one, 29)) == first
    assert book.settle(charged(one, None)) == first
    assert book.available_nano_usd("demo") == 88


def test_settling_what_was_never_held_is_an_error():
    with pytest.raises(KeyError):
        book_with(100).settle(charged(hold("r1", 1), 1))


def test_too_little_is_refused_with_both_amounts_in_dollars():
    book = book_with(1_500_000_000)
    with pytest.raises(Refused) as caught:
        book.hold(hold("r1", 2_000_000_000))
    assert caught.value.failure.kind is ErrorKind.BILLING
    assert caught.value.failure.code == "insufficient_quota"
    assert "may cost up to $2, and $1.5 of the balance is available" in caught.value.failure.message


def test_a_hold_of_everything_is_taken():
    book = book_with(100)
    book.hold(hold("r1", 100))
    assert book.available_nano_usd("demo") == 0


def test_an_unknown_account_can_hold_nothing_not_even_zero():
    with pytest.raises(Refused) as caught:
        book_with(100).hold(hold("r1", 0, account="nobody"))
    assert caught.value.failure.kind is ErrorKind.BILLING


@pytest.mark.parametrize("end", [None, 5])
def test_a_request_id_is_held_once_open_or_ended(end: int | None):
    book = book_with(100)
    book.hold(one := hold("r1", 10))
    with pytest.raises(Refused) as caught:
        book.hold(hold("r1", 10))
    assert caught.value.failure.kind is ErrorKind.CONFLICT
    book.settle(charged(one, end))
    with pytest.raises(Refused):
        book.hold(hold("r1", 10))


def test_two_hundred_at_once_with_money_for_fifty_are_fifty():
    book = book_with(50 * 7)
    taken = 0
    for number in range(200):
        try:
            book.hold(hold(f"r{number}", 7))
            taken += 1
        except Refused:
            pass
    assert taken == 50


def test_an_opening_balance_acts_once():
    book = book_with(100)
    assert book.grant_once("demo", NanoUsd(999)) is False
    assert book.available_nano_usd("demo") == 100


@pytest.mark.parametrize(("account", "amount"), [("demo", -1), (GRANTS, 5), (REVENUE, 5)])
def test_no_account_is_opened_below_zero_or_in_the_name_of_the_house(account: str, amount: int):
    with pytest.raises(ValueError, match="opening balance"):
        Book().grant_once(account, NanoUsd(amount))


@pytest.mark.parametrize("amount", [-1, AMOUNT_NANO_USD_MAX + 1])
def test_a_hold_that_fits_no_column_is_an_error_and_changes_nothing(amount: int):
    book = book_with(100)
    with pytest.raises(ValueError, match="a hold of"):
        book.hold(hold("r1", amount))
    assert book.open_count == 0


def test_it_forgets_the_oldest_ended_requests_only():
    book = Book(resolved_max=2)
    book.grant_once("demo", NanoUsd(100))
    ended = [hold(f"r{number}", 1) for number in range(3)]
    for one in ended:
        book.hold(one)
        book.settle(charged(one, 1))
    with pytest.raises(KeyError):
        book.settle(charged(ended[0], 1))
    assert book.settle(charged(ended[2], 1)).posted_nano_usd == 1


AMOUNTS = st.integers(0, 1_000) | st.integers(0, 10**15)


class Money(RuleBasedStateMachine):
    """Any order of grants, holds and settlements. `ended` is the model: the first receipt of each request."""

    holds = Bundle("holds")
    done = Bundle("done")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.granted: dict[str, int] = {}
        self.ended: dict[str, Receipt] = {}
        self.charges: dict[str, int] = {}
        self.aside: dict[str, int] = {}
        self.refunded = 0
        self.count = 0

    @rule(account=st.sampled_from("abc"), amount=AMOUNTS)
    def grant(self, account: str, amount: int) -> None:
        assert self.book.grant_once(account, NanoUsd(amount)) is (account not in self.granted)
        self.granted.setdefault(account, amount)

    @rule(account=st.sampled_from("abcd"), amount=AMOUNTS)
    def set_aside(self, account: str, amount: int) -> None:
        """A debit begins, as a hold does."""
        covered = account in self.granted and self.book.available_nano_usd(account) >= amount
        try:
            self.book.set_aside(account, NanoUsd(amount))
        except Refused:
            assert not covered
        else:
            assert covered
            self.aside[account] = self.aside.get(account, 0) + amount

    @rule(account=st.sampled_from("abc"), taken=st.booleans())
    def end_debits(self, account: str, taken: bool) -> None:
        amount = self.aside.pop(account, None)
        if amount is None:
            return
        if taken:
            self.book.debit(account, NanoUsd(amount))
            self.granted[account] -= amount
        else:
            self.book.put_back(account, NanoUsd(amount))

    @rule(account=st.sampled_from("abc"), amount=AMOUNTS)
    def refund(self, account: str, amount: int) -> None:
        if account in self.granted and amount <= self.book.accounts[REVENUE].balance:
            self.book.refund(account, NanoUsd(amount))
            self.refunded += amount

    @rule(target=holds, account=st.sampled_from("abcd"), amount=AMOUNTS)
    def take(self, account: str, amount: int) -> Hold:
        self.count += 1
        one = hold(f"r{self.count}", amount, account)
        covered = account in self.granted and self.book.available_nano_usd(account) >= amount
        try:
            self.book.hold(one)
        except Refused:
            assert not covered
        else:
            assert covered
        return one

    @rule(target=done, one=consumes(holds), amount=st.none() | AMOUNTS)
    def end(self, one: Hold, amount: int | None) -> Hold:
        if one not in self.book.open_holds():  # it was refused
            with pytest.raises(KeyError):
                self.book.settle(charged(one, amount))
            return one
        receipt = self.book.settle(charged(one, amount))
        self.ended[one.request_id] = receipt
        assert (receipt.outcome == "voided") is (amount is None)
        assert receipt.posted_nano_usd + receipt.overage_nano_usd == (amount or 0)
        assert receipt.posted_nano_usd <= one.amount_nano_usd
        assert 0 <= receipt.uncollected_nano_usd <= receipt.overage_nano_usd
        return one

    @rule(one=done, amount=st.none() | AMOUNTS)
    def end_again(self, one: Hold, amount: int | None) -> None:
        if one.request_id in self.ended:
            assert self.book.settle(charged(one, amount)) == self.ended[one.request_id]

    @invariant()
    def the_books_balance(self) -> None:
        assert sum(account.balance for account in self.book.accounts.values()) == 0

    @invariant()
    def nothing_available_is_negative(self) -> None:
        for account in self.granted:
            assert self.book.available_nano_usd(account) >= 0

    @invariant()
    def pending_is_the_sum_of_open_holds(self) -> None:
        for account in self.granted:
            open_here = (one for one in self.book.open_holds() if one.account_id == account)
            held = sum(one.amount_nano_usd for one in open_here) + self.aside.get(account, 0)
            assert self.book.accounts[account].pending == held

    @invariant()
    def the_house_knows_every_charge(self) -> None:
        receipts = self.ended.values()
        uncollected = sum(one.uncollected_nano_usd for one in receipts)
        assert self.book.accounts[UNCOLLECTED].balance == -uncollected
        earned = sum(one.posted_nano_usd + one.overage_nano_usd for one in receipts)
        assert self.book.accounts[REVENUE].balance == earned - self.refunded
        assert self.book.accounts[GRANTS].balance == -sum(self.granted.values())


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
