"""Names to addresses: asked once, shared, remembered shortly."""

import asyncio
import socket

import pytest

from allgate.upstream.resolve import ANSWER_S, NAMES_MAX, Resolver
from upstream.peer import HandClock


class Directory:
    """A name service by hand; answers when told."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, host):
        self.asked.append(host)
        await self.gate.wait()
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.answers[host]


async def test_the_systems_answer_for_localhost():
    resolver = Resolver()
    assert set(await resolver.resolve("localhost")) <= {"127.0.0.1", "::1"}
    await resolver.aclose()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "2606:4700::1111"])
async def test_an_address_is_its_own_answer(address):
    directory = Directory()
    assert await Resolver(directory).resolve(address) == (address,)
    assert directory.asked == []


async def test_an_answer_is_remembered_for_its_time():
    directory, clock = Directory(a=("192.0.2.1",)), HandClock()
    resolver = Resolver(directory, clock)
    assert await resolver.resolve("a") == await resolver.resolve("a") == ("192.0.2.1",)
    assert directory.asked == ["a"]
    clock.now_s += ANSWER_S
    directory.answers["a"] = ("192.0.2.2",)
    assert await resolver.resolve("a") == ("192.0.2.2",)
    resolver.forget("a")
    await resolver.resolve("a")
    assert directory.asked == ["a", "a", "a"]


async def test_those_who_ask_at_once_share_a_lookup_and_one_may_go():
    directory = Directory(a=("192.0.2.1",))
    directory.gate.clear()
    resolver = Resolver(directory)
    asking = [asyncio.create_task(resolver.resolve("a")) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    directory.gate.set()
    assert await asking[1] == await asking[2] == ("192.0.2.1",)
    assert directory.asked == ["a"]


async def test_an_error_is_not_remembered():
    directory = Directory()
    resolver = Resolver(directory)
    for _ in range(2):
        with pytest.raises(OSError, match="Name or service not known"):
            await resolver.resolve("a")
    assert directory.asked == ["a", "a"]
    directory.answers["a"] = ()
    with pytest.raises(OSError, match="no address"):
        await resolver.resolve("a")


async def test_an_error_that_nobody_waits_for_is_nobodys():
    directory = Directory()
    directory.gate.clear()
    resolver = Resolver(directory)
    asking = asyncio.create_task(resolver.resolve("a"))
    await asyncio.sleep(0)
    asking.cancel()
    directory.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    with pytest.raises(OSError, match="Name"):
        await resolver.resolve("a")


async def test_only_so_many_names_are_remembered():
    directory = Directory(**{f"n{number}": ("192.0.2.1",) for number in range(NAMES_MAX + 1)})
    resolver = Resolver(directory)
    for name in directory.answers:
        await resolver.resolve(name)
    await resolver.resolve(f"n{NAMES_MAX}")
    assert len(directory.asked) == NAMES_MAX + 1
    await resolver.resolve("n0")
    assert directory.asked[-1] == "n0"


async def test_closing_ends_lookups_under_way():
    directory = Directory(a=("192.0.2.1",))
    directory.gate.clear()
    resolver = Resolver(directory)
    asking = asyncio.create_task(resolver.resolve("a"))
    await asyncio.sleep(0)
    await resolver.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asking
