"""The gateway's `Fetcher` port on the guarded door."""

from allgate.upstream.egress import Egress


class GuardedFetcher:
    """Fetches what a client's URL points to, within the door's rules."""

    __slots__ = ("_egress",)

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def fetch(self, url: str) -> tuple[bytes, str]:
        """Content and content type. Raises: Refused(BAD_REQUEST)."""
        fetched = await self._egress.fetch(url)
        return fetched.body, fetched.content_type
