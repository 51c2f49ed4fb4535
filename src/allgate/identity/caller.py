"""Who is asking: the account and key behind a request, and what the key permits.

Keys are random (≥ 128 bits), so a plain SHA-256 finds them and reveals nothing; argon2 is for passwords. Comparison by
hash lookup takes the same time for every wrong key.
"""

import ipaddress
from hashlib import sha256

from allgate.core.errors import ErrorKind, refused
from allgate.core.value import Value
from allgate.wire.headers import Headers, first

KEY_PREFIX = "sk-allgate-"

_KEY_FIELDS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key"})


class Caller(Value, frozen=True, kw_only=True):
    """An authenticated key. `models` None: every model; `dialects` None: every door; `networks` empty: every address; `expires_s` None: never;
    `group`: that of its account, where it has prices of its own."""

    account_id: str
    key_id: str
    key_name: str
    models: frozenset[str] | None = None
    dialects: frozenset[str] | None = None
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    expires_s: float | None = None
    loopback_only: bool = False  # the published demo key
    group: str | None = None


def key_hash(secret: str) -> str:
    """SHA-256 of a key as 64 hex digits: what the database stores."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def presented_key(headers: Headers, query_key: str | None) -> str:
    """The key a request shows, in any form on any route: Bearer, x-api-key, x-goog-api-key, api-key, ?key=.

    Raises: Refused: none was shown.
    """
    for field, value in headers:
        if field not in _KEY_FIELDS:
            continue
        key = value.strip()
        if field == b"authorization":
            scheme, _, key = key.partition(b" ")
            key = key.strip() if scheme.lower() == b"bearer" else b""
        if key:
            return key.decode("latin-1")
    if query_key:
        return query_key
    raise refused(
        ErrorKind.AUTH,
        "You didn't provide an API key. Send it as 'Authorization: Bearer <key>', 'x-api-key' or 'x-goog-api-key'.",
        code="invalid_api_key",
    )


def let_in(caller: Caller, address: str, now_s: float) -> None:
    """The key may be used now and from here, whatever for. Raises: Refused (401, 403)."""
    if caller.expires_s is not None and now_s >= caller.expires_s:
        raise refused(
            ErrorKind.AUTH, "This API key has expired. Ask its owner for a new one.", code="key_expired"
        )
    if caller.networks and not _inside(address, caller):
        raise refused(
            ErrorKind.PERMISSION, f"This API key may not be used from {address}.", code="ip_not_allowed"
        )


def permit(caller: Caller, model: str, dialect: str) -> None:
    """The key may be used for this model and at this door. Raises: Refused (403, 404)."""
    if caller.dialects is not None and dialect not in caller.dialects:
        raise refused(
            ErrorKind.PERMISSION,
            f"This API key may not be used with {dialect}; it may with {', '.join(sorted(caller.dialects)) or 'none'}.",
            code="dialect_not_allowed",
        )
    if caller.models is not None and model not in caller.models:
        raise unknown_model(model)


def unknown_model(model: str) -> Exception:
    """The error for a model that does not exist, or that the key may not know of."""
    return refused(
        ErrorKind.NOT_FOUND, f"The model '{model}' does not exist", param="model", code="model_not_found"
    )


def _inside(address: str, caller: Caller) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in caller.networks)


def user_agent(headers: Headers) -> str:
    """The first User-Agent, as text, for the request log."""
    return (first(headers, b"user-agent") or b"").decode("latin-1")
