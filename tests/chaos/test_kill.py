"""kill -9 at named places, with requests in flight: whoever was answered has paid, whoever has paid was served."""

from pathlib import Path

import pytest

from allgate.wiring.failpoints import FAILPOINTS
from chaos.killed import IN_FLIGHT_MIN, REQUESTS, killed_at

FEW = (
    "after_hold@17", "after_send@17", "after_first_byte@9", "before_enqueue@1", "before_enqueue@12", "enqueued@1",
    "enqueued@12", "written@1", "written@2", "committed@1", "committed@2", "before_last_byte@8",
)  # fmt: skip
"""The first two are passed before anything can be complete; groups of charges, not requests, pass written and committed."""


def passage(name: str, time: int) -> int:
    """At which passage to die, so that twelve times are spread over what is in flight."""
    if name in ("after_hold", "after_send"):
        return IN_FLIGHT_MIN + 1 + time
    return 1 + time % 2 if name in ("written", "committed") else 1 + time


@pytest.mark.parametrize("failpoint", FEW)
async def test_after_a_kill_answered_is_paid_and_paid_was_served(failpoint: str, tmp_path: Path):
    await no_money_moves_by_itself(failpoint, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("time", range(12))
@pytest.mark.parametrize("name", FAILPOINTS)
async def test_after_any_of_many_kills(name: str, time: int, tmp_path: Path):
    await no_money_moves_by_itself(f"{name}@{passage(name, time)}", tmp_path)


async def no_money_moves_by_itself(failpoint: str, folder: Path) -> None:
    left = await killed_at(failpoint, folder)
    assert REQUESTS + 1 - len(left.complete) >= IN_FLIGHT_MIN
    assert len(set(left.served.values())) == len(left.served)  # an amount says whose it is
    assert {left.served[number] for number in left.complete} <= set(
        left.charges
    )  # answered ⇒ charged exactly that
    assert len(set(left.charges)) == len(left.charges)
    assert set(left.charges) <= set(left.served.values())  # charged ⇒ served
    assert sum(left.balances.values()) == 0
    assert left.balances["test"] == left.opening - sum(left.charges)
    assert left.drifts == ()
