"""What the command line does with price sheets: takes them over from a list, and shows them."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

import msgspec

from allgate.admin.commands import ImportPrices
from allgate.admin.price_rows import SheetRow
from allgate.admin.records import Document
from allgate.admin.rows import ConfigError
from allgate.cli.operate import carry_out, show
from allgate.cli.price_source import sourced
from allgate.storage.config_store import read_published
from allgate.storage.connection import Connection
from allgate.storage.prices import read_dates
from allgate.wiring.database import reading
from allgate.wiring.settings import Settings


def take_over(settings: Settings, wanted: Iterable[str], *, sure: bool, dry_run: bool) -> None:
    """Import the sheets of these `provider/model` (none: of every deployment) and print the diff.

    Raises: ConfigError: a name is none, or the change is too strange.
    """
    document = _document(settings)
    names = list(wanted) or _deployed(document)
    found: dict[str, SheetRow] = {}
    for name in dict.fromkeys(names):
        provider, slash, model = name.partition("/")
        if not slash or not model:
            raise ConfigError("", "--models", f"must be PROVIDER/MODEL, such as openai/gpt-5.5: {name!r}")
        sheet, remarks = sourced(provider, model, datetime.now(UTC))
        for remark in remarks:
            print(f"note: {remark}", file=sys.stderr)
        if sheet is not None:
            found[name] = sheet
    done = carry_out(ImportPrices(sheets=tuple(found.values()), sure=sure, dry_run=dry_run), settings)
    show(done, dry_run=dry_run)
    for model, name in _unpriced(document, found):
        print(f'note: the model {model} has no price; give it this one: price = "{name}"', file=sys.stderr)


def show_sheets(settings: Settings) -> None:
    """One line per sheet."""
    document = _document(settings)
    if not document.sheets:
        print("no price sheets; declare prices in a file, or import them: allgate prices import")
    width = max(map(len, document.sheets), default=0)
    for name, kept in sorted(document.sheets.items()):
        sheet = kept.record
        models = sum(model.record.sheet == name and not model.disabled for model in document.models.values())
        more = f"  {len(sheet.variants)} variants" if sheet.variants else ""
        state = "disabled" if kept.disabled else f"{models} {'model' if models == 1 else 'models'}"
        print(f"{name:<{width}}  in ${sheet.input}  out ${sheet.output}  {state}  {kept.managed_by}{more}")


def show_sheet(settings: Settings, name: str) -> None:
    """Every member of a sheet, and its versions. Raises: ConfigError: there is no such sheet."""
    kept = _document(settings).sheets.get(name)
    if kept is None:
        raise ConfigError("", "name", f"there is no price sheet {name!r}; see: allgate prices list")
    members: dict[str, object] = msgspec.to_builtins(kept.record)
    for member, value in members.items():
        if value and not isinstance(value, (list, tuple)):
            print(f"{member}: {value}")
    for case in (*kept.record.variants, *kept.record.images):
        said: dict[str, object] = msgspec.to_builtins(case)
        print("  " + ", ".join(f"{member} {value}" for member, value in said.items() if value))
    with reading(settings) as jobs:
        dates = jobs.submit(partial(_dates, name)).result()
    for sheet_id, since_ms in dates:
        since = datetime.fromtimestamp(since_ms / 1000, UTC)
        print(f"since {since:%Y-%m-%d %H:%M:%S} UTC  {sheet_id}")


def _dates(name: str, connection: Connection) -> list[tuple[str, int]]:
    return read_dates(connection, name)


def _document(settings: Settings) -> Document:
    with reading(settings) as jobs:
        return jobs.submit(read_published).result().document


def _deployed(document: Document) -> list[str]:
    """`provider/model` of every deployment but those at the simulator, whose prices nobody lists."""
    providers = {name: kept.record.provider for name, kept in document.upstreams.items() if not kept.disabled}
    return [
        f"{providers[entry.upstream]}/{entry.model}"
        for kept in document.models.values()
        if not kept.disabled
        for entry in kept.record.deployments
        if providers.get(entry.upstream, "simulator") != "simulator"
    ]


def _unpriced(document: Document, found: dict[str, SheetRow]) -> Iterable[tuple[str, str]]:
    """Models without a price, and the sheet of their first deployment."""
    providers = {name: kept.record.provider for name, kept in document.upstreams.items()}
    for name, kept in document.models.items():
        deployments = kept.record.deployments
        if kept.disabled or kept.record.sheet is not None or not deployments:
            continue
        at = f"{providers.get(deployments[0].upstream)}/{deployments[0].model}"
        if at in found:
            yield name, at
