"""What a node decides in memory: its leases, the holds against them, and what their ends rest on."""

import pytest

from allgate.billing.ledger import Hold
from allgate.core.errors import Refused
from allgate.storage.postgres.lease import Backing, Lease, Purse
from storage.postgres.many_nodes import ending, hold


def purse_with(amount: int) -> tuple[Purse, Lease]:
    purse = Purse()
    purse.grant("a", amount)
    (lease,) = purse.leases()
    return purse, lease


def numbers(lease: Lease) -> tuple[int, int, int]:
    return lease.free, lease.held, lease.unwritten


def ended(purse: Purse, of: Hold, amount: int | None) -> Backing:
    _, backing = purse.end(ending(of, amount))
    assert backing is not None
    return backing


def test_a_hold_is_taken_from_what_is_free():
    purse, lease = purse_with(10)
    assert purse.take(hold("r1", 7)) is lease
    assert purse.take(hold("r2", 4)) is None
    assert numbers(lease) == (3, 7, 0)


def test_a_void_frees_the_hold_and_asks_nobody():
    purse, lease = purse_with(10)
    purse.take(one := hold("r1", 7))
    receipt, backing = purse.end(ending(one, None))
    assert (receipt.outcome, backing) == ("voided", None)
    assert numbers(lease) == (10, 0, 0)


def test_a_charge_within_the_hold_is_decided_here_and_paid_by_the_lease():
    purse, lease = purse_with(10)
    purse.take(one := hold("r1", 7))
    receipt, backing = purse.end(ending(one, 5))
    assert (receipt.posted_nano_usd, receipt.overage_nano_usd) == (5, 0)
    assert backing is not None
    assert backing.covers
    assert numbers(lease) == (5, 0, 5)
    purse.written(backing, receipt, 5)
    assert numbers(lease) == (5, 0, 0)


def test_an_overage_that_the_lease_has_is_decided_here():
    purse, lease = purse_with(10)
    purse.take(one := hold("r1", 7))
    backing = ended(purse, one, 9)
    assert backing.covers
    assert numbers(lease) == (1, 0, 9)


def test_an_overage_beyond_the_lease_takes_all_of_it_and_the_database_decides():
    purse, lease = purse_with(10)
    purse.take(one := hold("r1", 7))
    backing = ended(purse, one, 12)
    assert (backing.covers, backing.reserved) == (False, 10)
    assert numbers(lease) == (0, 0, 10)


def test_a_charge_that_was_written_before_gives_the_reservation_back():
    purse, lease = purse_with(10)
    purse.take(one := hold("r1", 7))
    receipt, backing = purse.end(ending(one, 5))
    assert backing is not None
    purse.written(backing, receipt, 0)
    assert numbers(lease) == (10, 0, 0)


def test_a_durable_hold_ends_in_the_database():
    purse, lease = purse_with(10)
    purse.take_durably(one := hold("r1", 50))
    purse.take_durably(other := hold("r2", 50))
    assert ended(purse, one, None).durable
    backing = ended(purse, other, 54)
    assert (backing.durable, backing.covers, backing.reserved) == (
        True,
        False,
        4,
    )  # the overage is the lease's
    assert numbers(lease) == (6, 0, 4)


def test_a_swept_node_decides_nothing_about_its_old_holds():
    purse, lease = purse_with(10)
    purse.take(one := hold("r1", 4))
    purse.take(other := hold("r2", 4))
    decided = ended(purse, one, 3)
    purse.lose()
    assert (decided.covers, decided.reserved) == (False, 0)
    late = ended(purse, other, 3)
    assert (late.covers, late.reserved, late.durable) == (False, 0, False)
    assert purse.take(hold("r3", 1)) is None
    assert lease.lost


def test_a_late_charge_is_paid_by_the_lease_of_the_new_life():
    purse, _ = purse_with(10)
    purse.take(one := hold("r1", 4))
    purse.lose()
    purse.grant("a", 20)
    (lease,) = purse.leases()
    late = ended(purse, one, 3)
    assert (late.covers, late.reserved) == (False, 3)
    assert numbers(lease) == (17, 0, 3)


def test_what_is_let_go_is_what_nobody_needs():
    purse, lease = purse_with(10)
    purse.take(one := hold("r1", 4))
    purse.take(hold("r2", 2))
    purse.end(ending(one, 3))
    assert purse.kept("a") == 10
    assert purse.let_go("a") == 2 + 3
    assert numbers(lease) == (0, 2, 3)


def test_half_a_slice_is_running_low():
    purse, lease = purse_with(10)
    purse.take(hold("r1", 5))
    assert not lease.running_low
    purse.take(hold("r2", 1))
    assert lease.running_low


def test_a_lease_that_nobody_used_or_needs_is_closed():
    purse, _ = purse_with(10)
    purse.take(one := hold("r1", 4))
    assert purse.unused() == []
    assert not purse.close("a")
    purse.end(ending(one, None))
    assert purse.unused() == ["a"]
    assert purse.close("a")
    assert purse.kept("a") == 0


def test_an_id_is_held_once_and_its_end_remembered():
    purse, _ = purse_with(10)
    purse.take(one := hold("r1", 4))
    with pytest.raises(Refused, match="used before"):
        purse.check(one)
    receipt, _ = purse.end(ending(one, 3))
    with pytest.raises(Refused, match="used before"):
        purse.check(one)
    assert purse.ended("r1") == receipt


@pytest.mark.parametrize("amount", [-1, 2**63])
def test_an_amount_that_is_none_is_an_error(amount: int):
    with pytest.raises(ValueError, match="a hold of"):
        Purse().check(hold("r1", amount))
