"""The address that a server listens on."""

import ipaddress

from allgate.admin.rows import ConfigError
from allgate.core.value import Value


class Listen(Value, frozen=True, kw_only=True):
    """A host and a port. `loopback`: reachable from this machine only."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Listen":
        """Read "127.0.0.1:8080", "[::1]:8080" or ":8080" (every address). Raises: ConfigError.

        >>> Listen.parse("[::1]:8080").host
        '::1'
        """
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65_535:
            raise ConfigError("", "server.listen", f"must be HOST:PORT: {text!r}")
        return cls(host=host.strip("[]") or "0.0.0.0", port=int(port))  # noqa: S104  what ":8080" asks for

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
