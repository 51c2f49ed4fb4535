"""Public models: from a row, its family and its upstreams to what the request path reads.

What a row says replaces what its family says; rules are added to the family's. Caps of a deployment are the provider's,
changed by the family, narrowed by the profile, and changed by the deployment's own row, in this order. A model answers to its
name, to its aliases, and to its name with the suffixes of its family; an exact name wins over all of these (ruling 6).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

from allgate.admin.records import Document, ModelRecord
from allgate.admin.rows import ConfigError, DeploymentRow
from allgate.billing.sheets import PriceSheet
from allgate.catalogue.asked import glances
from allgate.catalogue.family import Family, families_from, family_table
from allgate.catalogue.narrow import implied, narrowed, suffix_rules
from allgate.catalogue.profile import UNKNOWN, Profile, Suffix
from allgate.catalogue.rows import RuleRow, profile_with, rules_of
from allgate.catalogue.rule import Rule
from allgate.core.value import changed
from allgate.operations.chat.caps import Caps
from allgate.providers.row import caps_with
from allgate.routing.catalogue import OUTPUT_TOKENS_DEFAULT, Deployment, Model, Upstream
from allgate.wire.json import JsonObject
from allgate.wiring.price_sheets import price_sheet

NO_FAMILY = Family(name="", public="", profile=UNKNOWN)


@cache
def packaged_families() -> dict[str, Family]:
    """Every family of the package by name. Raises: ConfigError."""
    folder = files("allgate.catalogue") / "families"
    entries = sorted(
        (one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name
    )
    try:
        return family_table(
            family
            for entry in entries
            for family in families_from(entry.read_text("utf-8"), f"catalogue/families/{entry.name}")
        )
    except ValueError as error:
        raise ConfigError("families", "", str(error)) from error


def public_models(
    document: Document, upstreams: Mapping[str, Upstream], families: Mapping[str, Family]
) -> dict[str, Model]:
    """Every model that is not disabled, by its name. Raises: ConfigError."""
    off = frozenset(name for name, kept in document.upstreams.items() if kept.disabled)
    return {
        name: _model(kept.record, document, upstreams, off, families)
        for name, kept in document.models.items()
        if not kept.disabled
    }


def every_name(models: Mapping[str, Model]) -> dict[str, Model]:
    """What clients may ask for. Raises: ConfigError: an alias that is the name or the alias of another model."""
    names = dict(models)
    for model in models.values():
        for alias in model.aliases:
            if (other := names.setdefault(alias, model)) is not model:
                where, reason = f"models.{model.name}", f"{alias!r} is a name of {other.name!r} already"
                raise ConfigError(where, "aliases", reason)
    for name, model in tuple(names.items()):
        for suffix in model.profile.suffixes:
            if name + suffix not in names:
                names[name + suffix] = _with_suffix(model, suffix)
    return names


def _model(
    record: ModelRecord,
    document: Document,
    upstreams: Mapping[str, Upstream],
    off: frozenset[str],
    families: Mapping[str, Family],
) -> Model:
    where = f"models.{record.name}"
    family = _family(record, families, where)
    profile = _profile(record, family, where)
    default = record.output_tokens_default or family.output_tokens_default
    own = _rules(record.rules, where)
    rules = (*(family.rules if record.family_rules else ()), *own, *implied(profile, default))
    deployments = tuple(
        _deployment(row, upstreams, family, profile, rules, f"{where}.deployments[{place}]")
        for place, row in enumerate(record.deployments)
    )
    every = _together(deployments) or rules
    return Model(
        name=record.name,
        deployments=tuple(entry for entry in deployments if entry.upstream.name not in off),
        price_id=_price_id(record, document, profile),
        output_tokens_default=default or OUTPUT_TOKENS_DEFAULT,
        owned_by=record.owned_by or family.owned_by,
        aliases=(*record.aliases, *_aliases_of(family, record, document)),
        profile=profile,
        rules=every,
        glances=glances(every) if every else {},
    )


def _aliases_of(family: Family, record: ModelRecord, document: Document) -> tuple[str, ...]:
    """The family's aliases, where the row has its public name and no row has theirs."""
    if record.name != family.public:
        return ()
    return tuple(alias for alias in family.aliases if alias not in document.models)


def _family(record: ModelRecord, families: Mapping[str, Family], where: str) -> Family:
    if record.family is None:
        return NO_FAMILY
    family = families.get(record.family)
    if family is None:
        known = ", ".join(sorted(families))
        raise ConfigError(where, "family", f"there is no family {record.family!r}; there are {known}")
    return family


def _profile(record: ModelRecord, family: Family, where: str) -> Profile:
    if record.profile is None:
        return family.profile
    try:
        return profile_with(family.profile, record.profile)
    except ValueError as error:
        raise ConfigError(where, "", str(error)) from error


def _rules(rows: tuple[RuleRow, ...], where: str) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for place, row in enumerate(rows):
        try:
            rules += rules_of(row)
        except ValueError as error:
            raise ConfigError(where, f"rules[{place}]", str(error)) from error
    return tuple(rules)


def _together(deployments: Iterable[Deployment]) -> tuple[Rule, ...]:
    """Every rule that any of them keeps, once."""
    found: list[Rule] = []
    for one in deployments:
        found += [rule for rule in one.rules if rule not in found]
    return tuple(found)


def _deployment(
    row: DeploymentRow,
    upstreams: Mapping[str, Upstream],
    family: Family,
    profile: Profile,
    rules: tuple[Rule, ...],
    where: str,
) -> Deployment:
    upstream = upstreams.get(row.upstream)
    if upstream is None:
        raise ConfigError(where, "upstream", f"there is no upstream {row.upstream!r}")
    if stray := sorted(row.caps.keys() - set(upstream.dialects)):
        raise ConfigError(where, f"caps.{stray[0]}", f"{upstream.name} is not spoken to in {stray[0]!r}")
    caps: dict[str, Caps] = {}
    for entry in upstream.provider.speaks:
        name = entry.dialect
        if name in upstream.dialects:
            own = _changed(entry.caps, family.caps.get(name, {}), where, name)
            caps[name] = _changed(narrowed(own, profile, name), row.caps.get(name, {}), where, name)
    return Deployment(
        upstream=upstream,
        model=row.model or _model_at(upstream, family, where),
        priority=row.priority,
        weight=row.weight,
        caps=caps,
        rules=(*rules, *_rules(row.rules, where)),
    )


def _changed(caps: Caps, changes: JsonObject, where: str, dialect: str) -> Caps:
    if not changes:
        return caps
    try:
        return caps_with(caps, changes)
    except ValueError as error:
        raise ConfigError(where, f"caps.{dialect}", str(error)) from error


def _model_at(upstream: Upstream, family: Family, where: str) -> str:
    found = family.model_at(upstream.provider.name)
    if not found:
        raise ConfigError(where, "model", f"say what {upstream.name} calls the model")
    return found


def _with_suffix(model: Model, suffix: Suffix) -> Model:
    """The same model, told by its name how to think. Its name stays: log lines and prices are those of the model."""
    first = suffix_rules(suffix)
    rules = (*first, *model.rules)
    deployments = tuple(changed(one, rules=(*first, *one.rules)) for one in model.deployments)
    return changed(model, deployments=deployments, rules=rules, glances=glances(rules))


def _price_id(record: ModelRecord, document: Document, profile: Profile) -> str | None:
    """The sheet's id; None, so that the model is refused, where there is no price or its sheet is disabled."""
    if record.sheet is None:
        return None
    kept = document.sheets.get(record.sheet)
    if kept is None:
        raise ConfigError(f"models.{record.name}", "price", f"there is no price sheet {record.sheet!r}")
    sheet = price_sheet(kept.record)
    if not record.free:
        _check_not_free(sheet, profile, f"models.{record.name}")
    return None if kept.disabled else sheet.id


def _check_not_free(sheet: PriceSheet, profile: Profile, where: str) -> None:
    """A zero is a slip of the pen far more often than a gift, so a gift must be said."""
    others: list[Decimal | None] = [sheet.call, sheet.second, sheet.character, sheet.output_image]
    if any(others) or any(one.price for one in sheet.images):
        return
    for name, price in (("input", sheet.input), ("output", sheet.output)):
        if not price and profile.kind in ("chat", "completion"):
            raise ConfigError(where, f"price.{name}", "is zero; if it is meant, say `free = true`")
    if not (sheet.input or sheet.output):
        raise ConfigError(where, "price", "is zero; if it is meant, say `free = true`")
