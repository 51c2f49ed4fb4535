"""The rows of the configuration: what a file declares, the database keeps, and the console edits.

One shape for all three, so that `apply` is a comparison of equal values. Names are the keys: an upstream, a model, a
price sheet and an account are each known by their name, a key by its account's and its own. A renamed row is a new row,
and the log lines of the old one keep meaning what they meant.

The rows of prices, groups and budgets are in `price_rows`. Amounts are decimal strings here and become exact numbers in
`billing`; a TOML float is refused, because 0.1 is not a tenth.
"""

from typing import Annotated

from msgspec import Meta

from allgate.admin.price_rows import BudgetRow, GroupRow, Name, PriceRow, Said, SheetRow
from allgate.catalogue.rows import ProfileRow, RuleRow
from allgate.core.secret import Secret
from allgate.core.value import Value
from allgate.wire.json import JsonObject


class ConfigError(ValueError):
    """A configuration that cannot be used: which file or table, which key, and why. Never holds a secret."""

    def __init__(self, where: str, key: str, reason: str) -> None:
        super().__init__(": ".join(part for part in (where, key, reason) if part))
        self.where = where
        self.key = key
        self.reason = reason


class UpstreamRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account of ours at a provider."""

    name: Name
    provider: Annotated[
        str, Said(description="A name of the provider table: `openai`, `anthropic`, `deepseek`, …")
    ]
    base_url: Annotated[
        str | None,
        Said(description="What that vendor's own SDK would be given. Default: the provider's own."),
    ] = None
    dialects: Annotated[
        tuple[str, ...],
        Said(description="Narrows what the provider speaks, in order of preference. Default: all."),
    ] = ()
    credentials: Annotated[
        tuple[Secret, ...],
        Said(description='Each `"env:NAME"`, `"file:PATH"` or the key itself; several take turns.'),
    ] = ()
    proxy: Annotated[str | None, Said(description="`http://host:port` of a proxy that takes CONNECT.")] = None
    ca_file: Annotated[
        str | None, Said(description="PEM file of the authorities to trust instead of the system's.")
    ] = None


class DeploymentRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model at an upstream: a member of `models.deployments`."""

    upstream: Annotated[str, Said(description="The name of an upstream.")]
    model: Annotated[
        str, Said(description="What the upstream calls the model. Default: what the family says it does.")
    ] = ""
    priority: Annotated[int, Said(description="Lower is tried first.")] = 0
    weight: Annotated[
        int,
        Said(ge=0, description="Share of the load among equal priorities; 0: only when the others failed."),
    ] = 1
    caps: Annotated[
        dict[str, JsonObject],
        Said(
            description="Per dialect, the capabilities that differ from the provider's: `{ openai_chat = { stop_max = 1 } }`."
        ),
    ] = {}
    rules: Annotated[
        tuple[RuleRow, ...], Said(description="Rules that only this deployment keeps, after the model's.")
    ] = ()


class ModelRow(ProfileRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public model: what clients ask for."""

    name: Name
    family: Annotated[
        str | None,
        Said(
            description="A family of docs/models.md: `claude-opus-4-7`. What this row does not say is the family's."
        ),
    ] = None
    aliases: Annotated[
        tuple[str, ...], Said(description="Other names that clients may ask for; not in the list of models.")
    ] = ()
    deployments: Annotated[tuple[DeploymentRow, ...], Said(description="Where it runs.")] = ()
    price: Annotated[
        PriceRow | str | None,
        Said(description="A table, or the name of a sheet. Without one the model is listed, but refused."),
    ] = None
    output_tokens_default: Annotated[
        Annotated[int, Meta(gt=0)] | None,
        Said(
            description="Output bound where the client sends none: for the hold, and sent upstream. Default: 4096."
        ),
    ] = None
    owned_by: Annotated[str, Said(description="Shown in the list of models.")] = ""
    rules: Annotated[
        tuple[RuleRow, ...], Said(description="Rules beside the family's, kept after them.")
    ] = ()
    family_rules: Annotated[bool, Said(description="`false`: the family's rules are not kept.")] = True
    free: Annotated[bool, Said(description="A price of zero is meant; without it, zero is refused.")] = False


class KeyRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key: a member of `accounts.keys`. Only its hash is kept."""

    name: Name
    secret: Annotated[
        Secret, Said(description='The key, at least 22 characters: itself, `"env:NAME"` or `"file:PATH"`.')
    ]
    models: Annotated[tuple[str, ...] | None, Said(description="What it may use. Default: every model.")] = (
        None
    )
    dialects: Annotated[
        tuple[str, ...] | None,
        Said(
            description="At which doors: `openai_chat`, `openai_completions`, `openai_responses`, `anthropic`, `gemini`. Default: every one."
        ),
    ] = None
    networks: Annotated[tuple[str, ...], Said(description="From where (CIDR). Default: anywhere.")] = ()
    expires: Annotated[str | None, Said(description="ISO date or time, UTC unless it says otherwise.")] = None
    budget: Annotated[BudgetRow | None, Said(description="The most that may be spent with it.")] = None


class AccountRow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who pays."""

    name: Name
    balance_usd: Annotated[
        str, Said(description="Granted once, when the account is first seen: a decimal string.")
    ] = "0"
    group: Annotated[
        str | None, Said(description="The name of a group, whose prices and budget are then its own.")
    ] = None
    keys: Annotated[tuple[KeyRow, ...], Said(description="Its keys.")] = ()


class Declaration(Value, frozen=True, kw_only=True):
    """Everything a file declares, in the order it was written."""

    upstreams: tuple[UpstreamRow, ...] = ()
    models: tuple[ModelRow, ...] = ()
    prices: tuple[SheetRow, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    accounts: tuple[AccountRow, ...] = ()
