"""The families of the package: what is known of every model that the gateway knows by itself.

A file per vendor, `families/*.toml`. `[defaults]` is what all its families share; each `[[families]]` says what is
different, and `like` takes another family of the file for its base. Read by a row of the configuration:
`family = "claude-opus-4-7"`.
"""

import tomllib
from collections.abc import Iterable, Mapping

import msgspec

from allgate.catalogue.profile import Profile
from allgate.catalogue.rows import ProfileRow, RuleRow, profile_with, rules_of
from allgate.catalogue.rule import Rule
from allgate.catalogue.toml_lines import line_of
from allgate.core.value import Value, changed
from allgate.operations.chat.caps import Caps
from allgate.wire.json import JsonObject


class Family(Value, frozen=True, kw_only=True):
    """A family. `public` is the name of the documents; `upstreams` what a provider calls the model, "" for all others.

    `caps` are changes per dialect of the provider, beyond what the profile says.
    """

    name: str
    public: str
    aliases: tuple[str, ...] = ()
    upstreams: Mapping[str, str] = {}
    owned_by: str = ""
    output_tokens_default: int | None = None
    profile: Profile
    rules: tuple[Rule, ...] = ()
    caps: Mapping[str, JsonObject] = {}
    source: str = ""

    def model_at(self, provider: str) -> str:
        """What this provider calls the model; empty: nobody has said."""
        return self.upstreams.get(provider) or self.upstreams.get("", "")


class _Entry(ProfileRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `[defaults]` and `[[families]]` say. Rules are added to those of the base, caps replace its members."""

    output_tokens_default: int | None = None
    rules: tuple[RuleRow, ...] = ()
    caps: dict[str, JsonObject] = {}
    source: str = ""


class _FamilyEntry(_Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    public: str
    like: str | None = None
    aliases: tuple[str, ...] = ()
    upstream: str = ""
    upstreams: dict[str, str] = {}


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    owned_by: str
    defaults: _Entry = _Entry()
    families: tuple[_FamilyEntry, ...]


def families_from(text: str, source: str) -> tuple[Family, ...]:
    """The families of a file; `source` names it in errors.

    Raises: ValueError: `file:line: member: reason`.
    """
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source}: {error}") from error
    except msgspec.ValidationError as error:
        reason, _, at = str(error).partition(" - at `$")
        raise _error(text, source, at.rstrip("`").lstrip("."), reason) from error
    found: dict[str, Family] = {}
    base = _merged(text, source, "defaults", _NOTHING, file.defaults)
    for place, entry in enumerate(file.families):
        path = f"families[{place}]"
        if entry.name in found:
            raise _error(text, source, f"{path}.name", f"there are two families {entry.name!r}")
        if entry.like is not None and entry.like not in found:
            raise _error(text, source, f"{path}.like", f"there is no family {entry.like!r} above this one")
        below = found[entry.like] if entry.like else base
        found[entry.name] = _family(text, source, path, below, entry, file.owned_by)
    return tuple(found.values())


_NOTHING = Family(name="", public="", profile=Profile())


def _family(text: str, source: str, path: str, base: Family, entry: _FamilyEntry, owner: str) -> Family:
    merged = _merged(text, source, path, base, entry)
    return changed(
        merged,
        name=entry.name,
        public=entry.public,
        aliases=entry.aliases,
        upstreams={**entry.upstreams, **({"": entry.upstream} if entry.upstream else {})},
        owned_by=owner,
        profile=changed(merged.profile, family=entry.name),
    )


def _merged(text: str, source: str, path: str, base: Family, entry: _Entry) -> Family:
    rules: list[Rule] = []
    for place, row in enumerate(entry.rules):
        try:
            rules += rules_of(row)
        except ValueError as error:
            raise _error(text, source, f"{path}.rules[{place}]", str(error)) from error
    for dialect, members in entry.caps.items():
        if unknown := sorted(members.keys() - set(Caps.__struct_fields__)):
            raise _error(text, source, f"{path}.caps.{dialect}.{unknown[0]}", "Caps has no such member")
    try:
        profile = profile_with(base.profile, entry)
    except ValueError as error:
        raise _error(text, source, path, str(error)) from error
    dialects = (*base.caps, *entry.caps)
    return changed(
        base,
        profile=profile,
        rules=(*base.rules, *rules),
        caps={name: {**base.caps.get(name, {}), **entry.caps.get(name, {})} for name in dialects},
        output_tokens_default=entry.output_tokens_default or base.output_tokens_default,
        source=entry.source or base.source,
    )


def _error(text: str, source: str, path: str, reason: str) -> ValueError:
    line = line_of(text, path)
    return ValueError(f"{source}{f':{line}' if line else ''}: {path}: {reason}")


def family_table(families: Iterable[Family]) -> dict[str, Family]:
    """Every family by its name. Raises: ValueError: a name or a public name twice."""
    table: dict[str, Family] = {}
    names: dict[str, str] = {}
    for family in families:
        if family.name in table:
            raise ValueError(f"two families are named {family.name!r}; names are unique")
        table[family.name] = family
        for name in (family.public, *family.aliases):
            if (other := names.setdefault(name, family.name)) != family.name:
                raise ValueError(f"the families {other} and {family.name} both claim the name {name!r}")
    return table
