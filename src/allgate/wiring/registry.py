"""From records to what the request path reads: the catalogue, the callers and the price sheets, as one frozen snapshot.

Everything a row can get wrong is found here, before anything is written or swapped: an unknown provider, upstream,
dialect or sheet, a price that is no decimal, a network that is none. The error names the table and the row. A snapshot
is all or nothing, so a bad file leaves the old one in place. What is disabled is left out: a model all of whose
upstreams are disabled is still listed, without a place to run.
"""

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from urllib.parse import urlsplit

from allgate.admin.records import Document, Resolve
from allgate.admin.rows import ConfigError, UpstreamRow
from allgate.billing.budgets import BudgetPlan
from allgate.billing.sheets import UNCHANGED, PriceSheet
from allgate.core.money import NanoUsd
from allgate.core.secret import Secret
from allgate.core.value import Value
from allgate.identity.caller import Caller
from allgate.providers import provider_table
from allgate.providers.provider import Provider
from allgate.providers.row import provider_from
from allgate.routing.catalogue import (
    Catalogue,
    Credential,
    Upstream,
)
from allgate.wiring.budgets import budget_plan
from allgate.wiring.callers import callers
from allgate.wiring.models import every_name, packaged_families, public_models
from allgate.wiring.price_sheets import price_sheet, ratios


class Snapshot(Value, frozen=True, kw_only=True):
    """What is served. `callers` by key hash; `grants_nano_usd` by account: its opening balance; `ratios` by group and
    public model, where they are not 1; `expecting`: the groups that hold what is expected."""

    catalogue: Catalogue
    callers: dict[str, Caller]
    sheets: dict[str, PriceSheet]
    grants_nano_usd: dict[str, NanoUsd]
    ratios: dict[str, dict[str, Decimal]]
    expecting: frozenset[str]
    budgets: BudgetPlan


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
    document: Document,
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
        name: _upstream(kept.record, providers, _unresolved if kept.disabled else resolve)
        for name, kept in document.upstreams.items()
    }
    models = public_models(document, upstreams, packaged_families())
    names = every_name(models)
    sheets = [price_sheet(kept.record) for kept in document.sheets.values()]
    return Snapshot(
        catalogue=Catalogue(models=models, names=names, revision=revision),
        callers=callers(document, names, loopback=loopback),
        sheets={sheet.id: sheet for sheet in sheets},
        grants_nano_usd={name: kept.record.opening_nano_usd for name, kept in document.accounts.items()},
        ratios=_ratios(document),
        expecting=frozenset(
            name
            for name, kept in document.groups.items()
            if kept.record.hold == "expected" and not kept.disabled
        ),
        budgets=budget_plan(document),
    )


def _ratios(document: Document) -> dict[str, dict[str, Decimal]]:
    for name, kept in document.accounts.items():
        group = None if kept.record.group is None else document.groups.get(kept.record.group)
        if kept.record.group is not None and not kept.disabled and (group is None or group.disabled):
            raise ConfigError(f"accounts.{name}", "group", f"there is no group {kept.record.group!r}")
    found: dict[str, dict[str, Decimal]] = {}
    for name, kept in document.groups.items():
        ratio, by_model = ratios(kept.record)
        if unknown := sorted(by_model.keys() - document.models.keys()):
            raise ConfigError(f"groups.{name}", "model_ratios", f"there is no model {unknown[0]!r}")
        every = {model: by_model.get(model, ratio) for model in document.models}
        found[name] = {model: own for model, own in every.items() if own != UNCHANGED}
    return found


def _unresolved(reference: Secret, _key: str) -> Secret:
    """A disabled upstream is checked, but the variable or file behind its credential may be gone."""
    return reference


def _upstream(row: UpstreamRow, providers: Mapping[str, Provider], resolve: Resolve) -> Upstream:
    where = f"upstreams.{row.name}"
    provider = providers.get(row.provider)
    if provider is None:
        known = ", ".join(sorted(providers))
        raise ConfigError(where, "provider", f"unknown provider {row.provider!r}; there are {known}")
    spoken = tuple(entry.dialect for entry in provider.speaks)
    for dialect in row.dialects:
        if dialect not in spoken:
            raise ConfigError(
                where,
                "dialects",
                f"{row.provider} does not speak {dialect!r}; it speaks {', '.join(spoken)}",
            )
    return Upstream(
        name=row.name,
        provider=provider,
        base_url=_base_url(row, provider, where),
        credentials=tuple(
            Credential(id=f"{row.name}#{place}", secret=resolve(reference, f"{where}.credentials"))
            for place, reference in enumerate(row.credentials, start=1)
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
