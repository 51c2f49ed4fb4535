"""Writes `docs/settings.md` from the settings themselves: `python -m allgate.wiring.settings_page > docs/settings.md`.

A setting without its sentence is an error, so none can be added in silence.
"""

from collections.abc import Iterator
from typing import Annotated, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from allgate.admin.price_rows import (
    BudgetRow,
    GroupRow,
    ImagePriceRow,
    PriceRow,
    SheetRow,
    UnitPrices,
    VariantRow,
)
from allgate.admin.rows import AccountRow, DeploymentRow, KeyRow, ModelRow, UpstreamRow
from allgate.catalogue.profile import Limits
from allgate.catalogue.rows import RuleRow
from allgate.wiring.settings import SECTIONS, Section, Settings

ROWS: tuple[tuple[str, type[Struct]], ...] = (
    ("[[upstreams]]", UpstreamRow),
    ("[[models]]", ModelRow),
    ("models.deployments", DeploymentRow),
    ("models.limits", Limits),
    ("models.rules, models.deployments.rules", RuleRow),
    ("models.price", PriceRow),
    ("models.price.variants", VariantRow),
    ("models.price.images", ImagePriceRow),
    ("[[prices]]", SheetRow),
    ("[[groups]]", GroupRow),
    ("[[accounts]]", AccountRow),
    ("accounts.keys", KeyRow),
    ("accounts.keys.budget, groups.budget", BudgetRow),
)

_REPEATED: dict[type[Struct], tuple[str, ...]] = {
    VariantRow: ("input", "output", *UnitPrices.__struct_fields__),
    SheetRow: PriceRow.__struct_fields__,
}
"""Members that are told where they first stand."""

HEAD = """# Settings

Made from the code by `python -m allgate.wiring.settings_page`; a test compares.

One TOML file says how a process runs (the first part) and what it serves (the second). `allgate serve --config FILE`
reads both, `allgate apply -f FILE` only the second. Every setting of the first part can be overridden by an environment
variable: `ALLGATE_`, the section, `_`, the key, as in `ALLGATE_SERVER_LISTEN`; lists are written with commas. Relative
paths count from the folder of the file. An unknown key or a wrong type stops the start and names the place.

## How a process runs
"""

MIDDLE = """
## What it serves

These become rows of the database, known by their names. Applying a file twice changes nothing the second time; what a
file no longer names is disabled, not deleted; rows that the console made are not touched without `--adopt`.
"""


def settings_page() -> str:
    """The page. Raises: ValueError: a setting has no sentence."""
    parts = [HEAD]
    for name in SECTIONS:
        section: Section = getattr(Settings(), name)
        parts.append(_section(f"[{name}]", type(section)))
    parts.append(MIDDLE)
    parts += [_section(title, row) for title, row in ROWS]
    return "".join(parts)


def _section(title: str, kind: type[Struct]) -> str:
    summary = " ".join((kind.__doc__ or "").split())
    return f"\n### `{title}`\n\n{summary}\n\n| key | default | meaning |\n|---|---|---|\n" + "".join(
        _lines(kind)
    )


def _lines(kind: type[Struct]) -> Iterator[str]:
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    own = [key for key in fields if key not in _REPEATED.get(kind, ())]
    own.sort(key=lambda key: not fields[key].required)
    for key in own:
        default = "required" if fields[key].required else _default(fields[key].default)
        yield f"| `{key}` | {default} | {_sentence(kind, key, hints[key])} |\n"


def _default(value: object) -> str:
    if value is NODEFAULT or value is None or value == "" or value == ():
        return ""
    return f"`{value if isinstance(value, str) else msgspec.json.encode(value).decode()}`"


def _sentence(kind: type[Struct], key: str, hint: object) -> str:
    notes = cast(tuple[object, ...], get_args(hint)[1:]) if get_origin(hint) is Annotated else ()
    for note in notes:
        if isinstance(note, Meta) and note.description:
            return note.description.replace("|", "\\|")
    raise ValueError(f"{kind.__name__}.{key} has no description")


if __name__ == "__main__":
    print(settings_page(), end="")  # noqa: T201  this is what it is for
