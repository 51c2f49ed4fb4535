"""Who: a vendor's base URL, its sign-in, the dialects it speaks, and its quirks, as data.

A provider knows nothing about a format. What it can do in each dialect is a `Caps` value, so that codecs never ask who
they are talking to. A compatible vendor is a ten-line TOML row (`rows/`); one with behaviour of its own is a module.
"""

from typing import Literal

from allgate.core.secret import Secret
from allgate.core.value import Value
from allgate.operations.chat.caps import Caps
from allgate.wire.headers import Headers

SignInForm = Literal["bearer", "x-api-key", "x-goog-api-key", "none"]


class Speaks(Value, frozen=True, kw_only=True):
    """One dialect that a provider speaks.

    `wire`: "exact" allows pass-through (its requests and replies are byte for byte what the dialect says); "loose"
    means always translate. `path_prefix` is put before the dialect's own path where a vendor mounts it elsewhere.
    `counts_tokens`: it has the dialect's counter too (`/messages/count_tokens`, `:countTokens`, `/responses/input_tokens`).
    """

    dialect: str
    caps: Caps
    wire: Literal["exact", "loose"] = "exact"
    path_prefix: str = ""
    sign_in: SignInForm = "bearer"
    headers: Headers = ()
    counts_tokens: bool = False


class Provider(Value, frozen=True, kw_only=True):
    """A vendor. `base_url` is what its own SDK would be given; None: the operator must say. `vendor` is the origin of
    its seals. `close_delimited`: its replies may end by closing the connection."""

    name: str
    vendor: str
    base_url: str | None
    speaks: tuple[Speaks, ...]
    close_delimited: bool = False

    def in_dialect(self, dialect: str) -> Speaks | None:
        """How it speaks `dialect`; None if it does not."""
        for entry in self.speaks:
            if entry.dialect == dialect:
                return entry
        return None


def sign_in_headers(form: SignInForm, credential: Secret) -> Headers:
    """The header fields that prove who we are to a provider."""
    key = credential.reveal().encode("latin-1")
    match form:
        case "bearer":
            return ((b"authorization", b"Bearer " + key),)
        case "x-api-key":
            return ((b"x-api-key", key),)
        case "x-goog-api-key":
            return ((b"x-goog-api-key", key),)
        case "none":
            return ()
