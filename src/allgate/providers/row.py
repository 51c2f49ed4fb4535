"""A compatible vendor as a TOML row: text in, Provider out.

    name = "acme"
    base_url = "https://api.acme.example/v1"

    [speaks.openai_chat]
    wire = "exact"

    [speaks.openai_chat.caps]
    thinking = "none"
    stop_max = 1

`caps` lists only what differs from the defaults of `Caps`. The order of the `speaks` tables is the order of
preference. An unknown key or a wrong type is an error that names the row and the key; nothing is ignored.
"""

import tomllib
from typing import Literal

import msgspec

from allgate.operations.chat.caps import CAPS_DEFAULT, Caps
from allgate.providers.provider import Provider, SignInForm, Speaks
from allgate.wire.headers import Headers
from allgate.wire.json import Json, JsonObject


class _SpeaksRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    wire: Literal["exact", "loose"] = "exact"
    path_prefix: str = ""
    sign_in: SignInForm = "bearer"
    headers: dict[str, str] = {}
    counts_tokens: bool = False
    caps: dict[str, Json] = {}


class _ProviderRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    speaks: dict[str, _SpeaksRow]
    vendor: str = ""
    base_url: str | None = None
    close_delimited: bool = False


def provider_from(text: str, source: str) -> Provider:
    """The provider that a row describes; `source` names the row in errors.

    Raises: ValueError: not TOML, an unknown key, a value of the wrong type, or no dialect.
    """
    try:
        row = msgspec.convert(tomllib.loads(text), _ProviderRow)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{source}: {error}") from error
    if not row.speaks:
        raise ValueError(f"{source}: `speaks` names no dialect")
    return Provider(
        name=row.name,
        vendor=row.vendor or row.name,
        base_url=row.base_url,
        speaks=tuple(_speaks(dialect, entry, source) for dialect, entry in row.speaks.items()),
        close_delimited=row.close_delimited,
    )


def _speaks(dialect: str, row: _SpeaksRow, source: str) -> Speaks:
    try:
        caps = caps_with(CAPS_DEFAULT, row.caps)
    except ValueError as error:
        raise ValueError(f"{source}: speaks.{dialect}.caps: {error}") from error
    return Speaks(
        dialect=dialect,
        caps=caps,
        wire=row.wire,
        path_prefix=row.path_prefix,
        sign_in=row.sign_in,
        headers=_headers(row.headers),
        counts_tokens=row.counts_tokens,
    )


def _headers(fields: dict[str, str]) -> Headers:
    return tuple((name.lower().encode("ascii"), value.encode("latin-1")) for name, value in fields.items())


def caps_with(base: Caps, changes: JsonObject) -> Caps:
    """`base` with these fields replaced by plain values (lists for tuples).

    Raises: ValueError: a field that Caps does not have, or a value it cannot take.

    >>> caps_with(CAPS_DEFAULT, {"stop_max": 1}).stop_max
    1
    """
    if unknown := sorted(changes.keys() - set(Caps.__struct_fields__)):
        raise ValueError(f"Caps has no `{unknown[0]}`")
    try:
        return msgspec.convert(msgspec.to_builtins(base) | changes, Caps)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
