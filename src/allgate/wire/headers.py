"""HTTP header fields as they travel: a tuple of (lower-case name, value) byte pairs, duplicates kept.

Real clients send duplicates (two User-Agent lines), so this is not a mapping. Names are lower-case on the way in
because both our server and our client parsers make them so.
"""

from functools import lru_cache
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

# RFC 9110 §7.6.1 hop-by-hop fields, and what the relay sets itself.
HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection",
        b"te", b"trailer", b"transfer-encoding", b"upgrade", b"content-length", b"host", b"expect",
    }
)  # fmt: skip

# What carries the caller's key or identity at our door; never forwarded, never logged.
CREDENTIAL_FIELDS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key", b"cookie"})


def first(headers: Headers, name: bytes) -> bytes | None:
    """The first value of `name`, or None."""
    for field, value in headers:
        if field == name:
            return value
    return None


def text(headers: Headers, name: str) -> str | None:
    """The first value of `name` as text (Latin-1, as HTTP has it), or None."""
    value = first(headers, name.encode("ascii"))
    return None if value is None else value.decode("latin-1")


def without(headers: Headers, names: frozenset[bytes]) -> Headers:
    """The fields whose name is not in `names`."""
    return tuple(field for field in headers if field[0] not in names)


@lru_cache(maxsize=1_024)
def safe_value(value: str) -> bytes:
    """`value` as one legal header value: line ends and control bytes become spaces, other characters escape."""
    cleaned = "".join(character if character.isprintable() else " " for character in value)
    return cleaned.encode("ascii", "backslashreplace")
