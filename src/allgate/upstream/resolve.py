"""Names to addresses, remembered for a short while.

A lookup occupies a thread of the loop's pool, and a burst of new connections would ask a hundred times for the same
name: lookups under way are shared, and answers are kept for `ANSWER_S`, the shortest time to live that the large
providers publish. Errors are not kept.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_address

ANSWER_S = 30.0
NAMES_MAX = 1_024  # remembered; then the oldest answer is forgotten

Addresses = tuple[str, ...]


async def system_addresses(host: str) -> Addresses:
    """What the machine's resolver says, in its order of preference. Raises: OSError (socket.gaierror)."""
    rows = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


class Resolver:
    """resolve() asks `look_up` and remembers; `aclose` ends lookups under way. `now` is a clock in seconds."""

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[Addresses]] = system_addresses,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._now = now
        self._answers: dict[str, tuple[float, Addresses]] = {}
        self._lookups: dict[str, asyncio.Task[Addresses]] = {}

    async def resolve(self, host: str) -> Addresses:
        """At least one IP address. Raises: OSError (socket.gaierror): the name has none."""
        if _is_address(host):
            return (host,)
        answer = self._answers.get(host)
        if answer is not None and self._now() - answer[0] < ANSWER_S:
            return answer[1]
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = asyncio.get_running_loop().create_task(self._ask(host))
            lookup.add_done_callback(partial(self._looked_up, host))
        return await asyncio.shield(lookup)

    def forget(self, host: str) -> None:
        """None of its addresses answered: ask again next time."""
        self._answers.pop(host, None)

    async def aclose(self) -> None:
        lookups = tuple(self._lookups.values())
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)

    async def _ask(self, host: str) -> Addresses:
        addresses = await self._look_up(host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        self._answers.pop(host, None)
        self._answers[host] = (self._now(), addresses)
        if len(self._answers) > NAMES_MAX:
            del self._answers[next(iter(self._answers))]
        return addresses

    def _looked_up(self, host: str, lookup: asyncio.Task[Addresses]) -> None:
        del self._lookups[host]
        if not lookup.cancelled():
            lookup.exception()  # whoever asked may have gone: then the error is nobody's


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
