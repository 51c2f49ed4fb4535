"""The sweep: asks what is due, runs only while it is needed."""

import asyncio

from allgate.upstream.deadlines import Sweep
from upstream.peer import HandClock


class Asked:
    def __init__(self, due_s):
        self.due_s = due_s
        self.asked = []

    def overdue(self, now_s):
        self.asked.append(now_s)


async def test_only_what_is_due_is_asked():
    clock = HandClock()
    sweep = Sweep(asyncio.get_running_loop(), clock)
    early, late = Asked(clock.now_s + 1), Asked(clock.now_s + 2)
    sweep.watch(early)
    sweep.watch(late)
    clock.now_s += 1
    sweep.sweep()
    assert (len(early.asked), len(late.asked)) == (1, 0)
    sweep.forget(early)
    sweep.forget(late)


async def test_what_is_asked_may_forget_itself_and_others():
    clock = HandClock()
    sweep = Sweep(asyncio.get_running_loop(), clock)
    some = [Asked(0) for _ in range(3)]
    for one in some:
        one.overdue = lambda now_s: [sweep.forget(other) for other in some]
        sweep.watch(one)
    sweep.sweep()
    assert sweep.watching == 0
    assert not sweep.running


async def test_the_timer_runs_only_while_something_is_watched():
    sweep = Sweep(asyncio.get_running_loop())
    assert not sweep.running
    one, two = Asked(1e9), Asked(1e9)
    sweep.watch(one)
    sweep.watch(two)
    assert sweep.running
    sweep.forget(one)
    assert sweep.running
    sweep.forget(two)
    sweep.forget(two)
    assert not sweep.running
    sweep.watch(one)
    assert sweep.running
    sweep.forget(one)


async def test_by_itself_it_asks_at_every_tick():
    asked = asyncio.Queue()
    sweep = Sweep(asyncio.get_running_loop())
    one = Asked(0)
    one.overdue = asked.put_nowait
    sweep.watch(one)
    assert await asked.get() < await asked.get()
    sweep.forget(one)
