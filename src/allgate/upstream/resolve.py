"""Names to addresses, remembered for a short while.

A lookup occupies a thread of the loop's pool, and a burst of new connections would ask a hundred times for the same
name: lookups under way are shared, and answers are kept for `ANSWER_S`, the shortest time to live that the large
providers publish. Errors are not kept.
"""

import asyncio
import socket
from functools import partial
from ipaddress import ip_address

ANSWER_S = 30.0
NAMES_MAX = 1_024  # remembered; then the oldest answer is forgotten

Addresses = tuple[str, ...]


class Resolver:
    """resolve() gives addresses in the system's order of preference; `aclose` ends lookups under way."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[float, Addresses]] = {}
        self._lookups: dict[str, asyncio.Task[Addresses]] = {}

    async def resolve(self, host: str) -> Addresses:
        """At least one IP address. Raises: OSError (socket.gaierror): the name has none."""
        if _is_address(host):
            return (host,)
        loop = asyncio.get_running_loop()
        answer = self._answers.get(host)
        if answer is not None and loop.time() - answer[0] < ANSWER_S:
            return answer[1]
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = loop.create_task(self._look_up(host))
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

    async def _look_up(self, host: str) -> Addresses:
        loop = asyncio.get_running_loop()
        rows = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = tuple(dict.fromkeys(str(row[4][0]) for row in rows))
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        self._answers.pop(host, None)
        self._answers[host] = (loop.time(), addresses)
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
