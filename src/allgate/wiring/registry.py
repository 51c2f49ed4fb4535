"""From rows to what the request path reads: the catalogue, the callers and the price sheets, as one frozen snapshot.

Everything a row can get wrong is found here, before anything is swapped: an unknown provider, upstream, dialect or
sheet, a name twice, a price that is no decimal, a network that is none. The error names the table and the row. A
snapshot is all or nothing, so a bad file leaves the old one in place.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from allgate.admin.rows import (
    AccountRow,
    ConfigError,
    Declaration,
    DeploymentRow,
    KeyRow,
    ModelRow,
    PriceRow,
    UpstreamRow,
)
from allgate.billing.prices import PriceSheet
from allgate.core.money import NanoUsd, usd
from allgate.core.secret import Secret
from allgate.core.value import Value
from allgate.identity.caller import Caller, key_hash
from allgate.providers import provider_table
from allgate.providers.provider import Provider
from allgate.providers.row import caps_with, provider_from
from allgate.routing.catalogue import (
    OUTPUT_TOKENS_DEFAULT,
    Catalogue,
    Credential,
    Deployment,
    Model,
    Upstream,
)

DEMO_KEY_PREFIX = "sk-allgate-demo-"
"""Keys that the documentation prints. They open nothing but a loopback listener."""

KEY_CHARACTERS_MIN = 22
"""What 128 bits take in base64: a shorter key can be guessed, and SHA-256 without salt would not protect it."""

PRICE_USD_MAX = Decimal(1_000_000)
"""Per million tokens. No vendor asks for a thousandth of it; a misplaced comma might."""

Named = TypeVar("Named", bound=UpstreamRow | ModelRow | AccountRow | KeyRow | PriceRow)
Resolve = Callable[[Secret, str], Secret]
"""(reference, place for errors) → the secret."""


class Snapshot(Value, frozen=True, kw_only=True):
    """What is served. `callers` by key hash; `grants_nano_usd` by account: its opening balance."""

    catalogue: Catalogue
    callers: dict[str, Caller]
    sheets: dict[str, PriceSheet]
    grants_nano_usd: dict[str, NanoUsd]


def packaged_providers() -> dict[str, Provider]:
    """Every provider by name, the rows of the package included. Raises: ConfigError."""
    folder = files("allgate.providers") / "rows"
    rows = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda row: row.name
    )
    try:
        return provider_table(
            provider_from(row.read_text("utf-8"), f"providers/rows/{row.name}") for row in rows
        )
    except ValueError as error:
        raise ConfigError("providers", "", str(error)) from error


def snapshot(
    declared: Declaration,
    providers: Mapping[str, Provider],
    resolve: Resolve,
    *,
    revision: int,
    loopback: bool,
) -> Snapshot:
    """Build the whole. `loopback`: the listener is only reachable from this machine, so demo keys are let in.

    Raises: ConfigError.
    """
    upstreams = {
        row.name: _upstream(row, providers, resolve) for row in _unique("upstreams", declared.upstreams)
    }
    sheets = {
        row.name: price_sheet(row.name, row, f"prices.{row.name}")
        for row in _unique("prices", declared.prices)
    }
    models: dict[str, Model] = {}
    for row in _unique("models", declared.models):
        price_id = _price_id(row, sheets)
        models[row.name] = _model(row, upstreams, price_id)
    accounts = _unique("accounts", declared.accounts)
    return Snapshot(
        catalogue=Catalogue(models=models, revision=revision),
        callers=_callers(accounts, resolve, loopback=loopback),
        sheets=sheets,
        grants_nano_usd={row.name: _grant(row) for row in accounts},
    )


def _unique(table: str, rows: tuple[Named, ...]) -> tuple[Named, ...]:
    seen: set[str] = set()
    for row in rows:
        name: str = getattr(row, "name")  # noqa: B009  every row but an inline price has one
        if name in seen:
            raise ConfigError(table, name, "is there twice; names are unique")
        seen.add(name)
    return rows


def _upstream(row: UpstreamRow, providers: Mapping[str, Provider], resolve: Resolve) -> Upstream:
    where = f"upstreams.{row.name}"
    provider = providers.get(row.provider)
    if provider is None:
        raise ConfigError(
            where, "provider", f"unknown provider {row.provider!r}; there are {', '.join(sorted(providers))}"
        )
    spoken = tuple(entry.dialect for entry in provider.speaks)
    for dialect in row.dialects:
        if dialect not in spoken:
            raise ConfigError(
                where, "dialects", f"{row.provider} does not speak {dialect!r}; it speaks {', '.join(spoken)}"
            )
    secrets = [
        resolve(reference, f"{where}.credentials[{place}]") for place, reference in enumerate(row.credentials)
    ]
    return Upstream(
        name=row.name,
        provider=provider,
        base_url=_base_url(row, provider, where),
        credentials=tuple(
            Credential(id=f"{row.name}#{place}", secret=secret)
            for place, secret in enumerate(secrets, start=1)
        ),
        dialects=row.dialects or spoken,
        proxy=row.proxy,
        ca_file=row.ca_file,
    )


def _base_url(row: UpstreamRow, provider: Provider, where: str) -> str:
    url = row.base_url or provider.base_url
    if not url:
        raise ConfigError(where, "base_url", f"{provider.name} has no address of its own; say where it runs")
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise ConfigError(
            where, "base_url", "must be http(s)://host[:port][/path] without user, query or fragment"
        )
    return url.rstrip("/")


def _price_id(row: ModelRow, sheets: dict[str, PriceSheet]) -> str | None:
    """The sheet of a model; an inline price becomes a sheet whose id changes with its content."""
    match row.price:
        case None:
            return None
        case str(name):
            if name not in sheets:
                raise ConfigError(f"models.{row.name}", "price", f"there is no price sheet {name!r}")
            return name
        case inline:
            sheet_id = f"{row.name}@{sha256(msgspec.json.encode(inline)).hexdigest()[:8]}"
            sheets[sheet_id] = price_sheet(sheet_id, inline, f"models.{row.name}.price")
            return sheet_id


def price_sheet(sheet_id: str, row: PriceRow, where: str) -> PriceSheet:
    """The exact prices of a row. Raises: ConfigError: no decimal, negative, or beyond PRICE_USD_MAX."""
    texts = {field: getattr(row, field) for field in PriceRow.__struct_fields__ if field != "source"}
    prices = {field: _decimal(text, where, field) for field, text in texts.items() if text is not None}
    return msgspec.convert(prices | {"id": sheet_id, "source": row.source}, PriceSheet)


def _decimal(text: str, where: str, key: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise ConfigError(where, key, f"is no decimal number: {text!r}") from error
    if not price.is_finite() or not 0 <= price <= PRICE_USD_MAX:
        raise ConfigError(where, key, f"must be between 0 and {PRICE_USD_MAX} USD: {text!r}")
    return price


def _model(row: ModelRow, upstreams: dict[str, Upstream], price_id: str | None) -> Model:
    return Model(
        name=row.name,
        deployments=tuple(
            _deployment(entry, upstreams, f"models.{row.name}.deployments[{place}]")
            for place, entry in enumerate(row.deployments)
        ),
        price_id=price_id,
        output_tokens_default=row.output_tokens_default or OUTPUT_TOKENS_DEFAULT,
        owned_by=row.owned_by,
    )


def _deployment(row: DeploymentRow, upstreams: dict[str, Upstream], where: str) -> Deployment:
    upstream = upstreams.get(row.upstream)
    if upstream is None:
        raise ConfigError(where, "upstream", f"there is no upstream {row.upstream!r}")
    if stray := sorted(row.caps.keys() - set(upstream.dialects)):
        raise ConfigError(where, f"caps.{stray[0]}", f"{upstream.name} is not spoken to in {stray[0]!r}")
    caps = {
        entry.dialect: entry.caps for entry in upstream.provider.speaks if entry.dialect in upstream.dialects
    }
    for dialect, changes in row.caps.items():
        try:
            caps[dialect] = caps_with(caps[dialect], changes)
        except ValueError as error:
            raise ConfigError(where, f"caps.{dialect}", str(error)) from error
    return Deployment(upstream=upstream, model=row.model, priority=row.priority, weight=row.weight, caps=caps)


def _callers(accounts: Iterable[AccountRow], resolve: Resolve, *, loopback: bool) -> dict[str, Caller]:
    callers: dict[str, Caller] = {}
    for account in accounts:
        for key in _unique(f"accounts.{account.name}.keys", account.keys):
            where = f"accounts.{account.name}.keys.{key.name}"
            secret = resolve(key.secret, f"{where}.secret").reveal()
            if len(secret) < KEY_CHARACTERS_MIN:
                raise ConfigError(where, "secret", f"is shorter than {KEY_CHARACTERS_MIN} characters")
            demo = secret.startswith(DEMO_KEY_PREFIX)
            digest = key_hash(secret)
            if digest in callers:
                raise ConfigError(where, "secret", f"is also the key of {callers[digest].key_id}")
            if loopback or not demo:
                callers[digest] = _caller(account.name, key, where, demo=demo)
    return callers


def _caller(account: str, key: KeyRow, where: str, *, demo: bool) -> Caller:
    return Caller(
        account_id=account,
        key_id=f"{account}/{key.name}",
        key_name=key.name,
        models=None if key.models is None else frozenset(key.models),
        networks=tuple(_network(text, where) for text in key.networks),
        expires_s=None if key.expires is None else _time_s(key.expires, where),
        loopback_only=demo,
    )


def _network(text: str, where: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(where, "networks", str(error)) from error


def _time_s(text: str, where: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(where, "expires", f"is no ISO date or time: {text!r}") from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _grant(row: AccountRow) -> NanoUsd:
    try:
        amount = usd(row.balance_usd)
    except ValueError as error:
        raise ConfigError(f"accounts.{row.name}", "balance_usd", str(error)) from error
    if amount < 0:
        raise ConfigError(f"accounts.{row.name}", "balance_usd", "is negative")
    return amount
