"""`apply`: from what is kept and what a file declares, the changes that lead from one to the other (ruling 22).

- A declared row that is not there is created; one that differs is changed; one that was disabled is enabled again.
- A file row that the file no longer names is disabled, never deleted.
- A row that the console manages is not touched. Naming it in a file is an error, unless `adopt` says that the file
  takes it over.
- An opening balance acts once, when its account is first seen. A file that says another one later is told so.

Applying the same file twice changes nothing the second time. All of it is pure: what is written, and where, is the
store's business.
"""

from typing import Literal

import msgspec

from allgate.admin.records import AccountRecord, Document, Kept, RecordT, check_keys
from allgate.admin.rows import ConfigError
from allgate.core.money import usd_text
from allgate.core.value import Value, changed

ChangeKind = Literal["created", "changed", "enabled", "adopted", "disabled"]


class FieldChange(Value, frozen=True, kw_only=True):
    """One member of a row, as text. Secrets show as `Secret(…)`."""

    field: str
    before: str
    after: str


class Change(Value, frozen=True, kw_only=True):
    """What happens to one row."""

    table: str
    name: str
    kind: ChangeKind
    fields: tuple[FieldChange, ...] = ()


class Plan(Value, frozen=True, kw_only=True):
    """The changes, in the order of the tables, and the document after them. `remarks` say what a file cannot do."""

    changes: tuple[Change, ...]
    document: Document
    remarks: tuple[str, ...] = ()


def plan_apply(current: Document, declared: Document, *, adopt: bool = False) -> Plan:
    """Raises: ConfigError: the file names rows that the console manages, and `adopt` is not given."""
    declared, remarks = _with_openings_kept(current, declared)
    if not adopt:
        _refuse_console_rows(current, declared)
    document = Document(
        upstreams=_merged(current.upstreams, declared.upstreams),
        sheets=_merged(current.sheets, declared.sheets),
        models=_merged(current.models, declared.models),
        groups=_merged(current.groups, declared.groups),
        accounts=_merged(current.accounts, declared.accounts),
        keys=_merged(current.keys, declared.keys),
    )
    check_keys(document)
    return Plan(changes=changes_between(current, document), document=document, remarks=remarks)


def changes_between(before: Document, after: Document) -> tuple[Change, ...]:
    """What differs, row by row."""
    old = before.tables()
    return tuple(
        change
        for table, rows in after.tables().items()
        for name, row in rows.items()
        if (change := _change(table, name, old[table].get(name), row))
    )


def _with_openings_kept(current: Document, declared: Document) -> tuple[Document, tuple[str, ...]]:
    accounts: dict[str, Kept[AccountRecord]] = {}
    remarks: list[str] = []
    for name, kept in declared.accounts.items():
        old = current.accounts.get(name)
        if old is not None and old.record.opening_nano_usd != kept.record.opening_nano_usd:
            granted = old.record.opening_nano_usd
            remarks.append(
                f"accounts.{name}: balance_usd acts once; ${usd_text(granted)} was granted when it was first seen"
            )
            kept = changed(kept, record=changed(kept.record, opening_nano_usd=granted))
        accounts[name] = kept
    return changed(declared, accounts=accounts), tuple(remarks)


def _refuse_console_rows(current: Document, declared: Document) -> None:
    kept = current.tables()
    taken = [
        f"{table}.{name}"
        for table, rows in declared.tables().items()
        for name in rows
        if (old := kept[table].get(name)) is not None and old.managed_by == "console"
    ]
    if taken:
        raise ConfigError("", ", ".join(taken), "managed by the console; --adopt lets the file take over")


def _merged(before: dict[str, Kept[RecordT]], wanted: dict[str, Kept[RecordT]]) -> dict[str, Kept[RecordT]]:
    """The table afterwards: rows keep their order, new ones follow, and vanished file rows are disabled."""
    after: dict[str, Kept[RecordT]] = {}
    for name, row in before.items():
        if name in wanted:
            after[name] = wanted[name]
        elif row.managed_by == "file":
            after[name] = changed(row, disabled=True)
        else:
            after[name] = row
    return after | {name: row for name, row in wanted.items() if name not in after}


def _change(table: str, name: str, before: Kept[Value] | None, after: Kept[Value]) -> Change | None:
    if before == after:
        return None
    if before is None:
        return Change(table=table, name=name, kind="created", fields=_fields(None, after))
    kind: ChangeKind = "changed"
    if after.disabled:
        kind = "disabled"
    elif before.disabled:
        kind = "enabled"
    elif before.managed_by != after.managed_by:
        kind = "adopted"
    return Change(table=table, name=name, kind=kind, fields=_fields(before, after))


def _fields(before: Kept[Value] | None, after: Kept[Value]) -> tuple[FieldChange, ...]:
    new: dict[str, object] = msgspec.structs.asdict(after.record)
    old: dict[str, object] = msgspec.structs.asdict(before.record) if before is not None else {}
    return tuple(
        FieldChange(field=field, before=_shown(old.get(field)), after=_shown(value))
        for field, value in new.items()
        if field not in ("name", "hash")
        and value != old.get(field)
        and (before is not None or value not in (None, "", (), {}))
    )


def _shown(value: object) -> str:
    """As JSON, but for text; a secret shows itself no more than anywhere else."""
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value, enc_hook=str).decode()
