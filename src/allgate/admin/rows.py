"""The rows of the configuration: what a file declares, the database keeps, and the console edits.

One shape for all three, so that `apply` is a comparison of equal values. Names are the keys: an upstream, a model, a
price sheet and an account are each known by their name, a key by its account's and its own. A renamed row is a new row,
and the log lines of the old one keep meaning what they meant.

Prices and amounts are decimal strings here and become exact numbers in `billing`; a TOML float is refused, because
0.1 is not a tenth.
"""

from typing import Annotated

from msgspec import Meta

from allgate.core.secret import Secret
from allgate.core.value import Value
from allgate.wire.json import JsonObject

NAME_CHARACTERS_MAX = 200
"""Longest names seen at vendors (OpenRouter's, Hugging Face paths) stay below 120."""

Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]


class ConfigError(ValueError):
    """A configuration that cannot be used: which file or table, which key, and why. Never holds a secret."""

    def __init__(self, where: str, key: str, reason: str) -> None:
        super().__init__(": ".join(part for part in (where, key, reason) if part))
        self.where = where
        self.key = key
        self.reason = reason


class UpstreamRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account of ours at a provider. Each credential is "env:NAME", "file:PATH" or the text itself, so all are kept
    as secrets."""

    name: Name
    provider: Name
    base_url: str | None = None
    dialects: tuple[str, ...] = ()
    credentials: tuple[Secret, ...] = ()
    proxy: str | None = None
    ca_file: str | None = None


class DeploymentRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model at an upstream. `caps` holds, per dialect, the fields that differ from the provider's."""

    upstream: Name
    model: Name
    priority: int = 0
    weight: Annotated[int, Meta(ge=0)] = 1
    caps: dict[str, JsonObject] = {}


class PriceRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model costs: decimal strings, USD per million tokens; `call` and `web_search` per piece."""

    input: str
    output: str
    cache_read: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None
    reasoning: str | None = None
    input_audio: str | None = None
    input_image: str | None = None
    output_audio: str | None = None
    output_image: str | None = None
    call: str | None = None
    web_search: str | None = None
    source: str = ""


class SheetRow(PriceRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price sheet with a name of its own, for several models."""

    name: Name


class ModelRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public model. `price` is a table of its own, the name of a sheet, or absent: listed, but refused."""

    name: Name
    deployments: tuple[DeploymentRow, ...] = ()
    price: PriceRow | str | None = None
    output_tokens_default: Annotated[int, Meta(gt=0)] | None = None
    owned_by: str = ""


class KeyRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key as a file declares it: `secret` like a credential. `expires` is an ISO date or time; `models` absent: every model."""

    name: Name
    secret: Secret
    models: tuple[str, ...] | None = None
    networks: tuple[str, ...] = ()
    expires: str | None = None


class AccountRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who pays. `balance_usd` is granted once, when the account is first seen."""

    name: Name
    balance_usd: str = "0"
    keys: tuple[KeyRow, ...] = ()


class Declaration(Value, frozen=True, kw_only=True):
    """Everything a file declares, in the order it was written."""

    upstreams: tuple[UpstreamRow, ...] = ()
    models: tuple[ModelRow, ...] = ()
    prices: tuple[SheetRow, ...] = ()
    accounts: tuple[AccountRow, ...] = ()
