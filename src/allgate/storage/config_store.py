"""The configuration in the database: its tables, and the published document that serving nodes read.

Both are written in one transaction, with the number of the revision: a reader of the document sees all of a change or
nothing of it. Whoever plans a change names the number he saw, so two changes planned from one state cannot both win: the
row of the number is written first, and only if it follows, so whoever comes second waits there and finds that it does not.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import msgspec

from allgate.admin.apply import Change
from allgate.admin.price_rows import GroupRow, PriceRow, SheetRow
from allgate.admin.records import (
    AccountRecord,
    Document,
    Kept,
    KeyRecord,
    ModelRecord,
    from_json,
    to_json,
)
from allgate.admin.rows import UpstreamRow
from allgate.core.value import Value
from allgate.storage.connection import Connection
from allgate.storage.sql_text import statements
from allgate.storage.transfers import open_account

Parameters = dict[str, object]
SheetId = Callable[[SheetRow], str]


class RevisionMoved(Exception):
    """Somebody else changed the configuration in the meantime. Read it again."""


class Published(Value, frozen=True, kw_only=True):
    """A revision. Number 0: nothing was ever published."""

    number: int
    document: Document


def read_published(connection: Connection) -> Published:
    """What is published. Raises: msgspec.ValidationError: a newer version wrote it."""
    row = connection.execute(statements()["read_revision"]).fetchone()
    if row is None:
        return Published(number=0, document=Document())
    return Published(number=row[0], document=from_json(row[1]))


def read_number(connection: Connection) -> int:
    """The number of the published revision; 0: none."""
    row = connection.execute(statements()["read_revision_number"]).fetchone()
    return 0 if row is None else row[0]


def publish(
    connection: Connection,
    *,
    seen: int,
    changes: Iterable[Change],
    document: Document,
    sheet_id: SheetId,
    now_ms: int,
) -> int:
    """Write the changed rows and the document that they lead to; the new number.

    Raises: RevisionMoved: the published number is not `seen`; an error of the database. Nothing is written then.
    """
    published: Parameters = {
        "id": 1,
        "number": seen + 1,
        "published_ms": now_ms,
        "document": to_json(document).decode(),
    }
    if connection.execute(statements()["write_revision"], published).rowcount != 1:
        raise RevisionMoved(f"the configuration is at revision {read_number(connection)}, not at {seen}")
    for change in changes:
        _write_row(partial(_run, connection), change, document, sheet_id, now_ms)
        if change.table == "accounts":
            opening = document.accounts[change.name].record.opening_nano_usd
            open_account(connection, change.name, opening, now_ms)
    return seen + 1


def _run(connection: Connection, name: str, parameters: Parameters) -> None:
    connection.execute(statements()[name], parameters)


def _write_row(
    run: Callable[[str, Parameters], None], change: Change, document: Document, sheet_id: SheetId, now_ms: int
) -> None:
    match change.table:
        case "upstreams":
            _write_upstream(run, document.upstreams[change.name], now_ms)
        case "sheets":
            _write_sheet(run, document.sheets[change.name], sheet_id, now_ms)
        case "models":
            _write_model(run, document.models[change.name], now_ms)
        case "groups":
            _write_group(run, document.groups[change.name], now_ms)
        case "accounts":
            _write_account(run, document.accounts[change.name], now_ms)
        case "keys":
            _write_key(run, document.keys[change.name], now_ms)
        case unknown:
            raise AssertionError(f"no table {unknown}")


def _write_upstream(run: Callable[[str, Parameters], None], kept: Kept[UpstreamRow], now_ms: int) -> None:
    row = kept.record
    run(
        "write_upstream",
        _members(row, "name", "provider", "base_url", "proxy", "ca_file")
        | {"dialects": _json(row.dialects)}
        | _state(kept, now_ms),
    )
    run("delete_credentials", {"upstream": row.name})
    for position, reference in enumerate(row.credentials):
        run(
            "write_credential",
            {"upstream": row.name, "position": position, "reference": reference.reveal()},
        )


def _write_sheet(
    run: Callable[[str, Parameters], None], kept: Kept[SheetRow], sheet_id: SheetId, now_ms: int
) -> None:
    row, price_id = kept.record, sheet_id(kept.record)
    prices = _members(row, "name", *PriceRow.__struct_fields__)
    cases = {"images": _json_or_none(row.images), "variants": _json_or_none(row.variants)}
    run("write_price", prices | cases | {"id": price_id, "valid_from_ms": now_ms})
    run("write_sheet", {"name": row.name, "price_id": price_id} | _state(kept, now_ms))


def _write_model(run: Callable[[str, Parameters], None], kept: Kept[ModelRecord], now_ms: int) -> None:
    row = kept.record
    members = _members(
        row, "name", "sheet", "output_tokens_default", "owned_by", "family", "family_rules", "free"
    )
    said = {"aliases": row.aliases, "profile": row.profile, "rules": row.rules}
    run(
        "write_model",
        members | {name: _json_or_none(value) for name, value in said.items()} | _state(kept, now_ms),
    )
    run("delete_deployments", {"public_model": row.name})
    for position, entry in enumerate(row.deployments):
        run(
            "write_deployment",
            _members(entry, "upstream", "model", "priority", "weight")
            | {"public_model": row.name, "position": position, "caps": _json(entry.caps)}
            | {"rules": _json_or_none(entry.rules)},
        )


def _write_group(run: Callable[[str, Parameters], None], kept: Kept[GroupRow], now_ms: int) -> None:
    row = kept.record
    members = {"model_ratios": _json(row.model_ratios), "budget": _json_or_none(row.budget)}
    run("write_group", _members(row, "name", "ratio", "hold") | members | _state(kept, now_ms))


def _write_account(run: Callable[[str, Parameters], None], kept: Kept[AccountRecord], now_ms: int) -> None:
    row = kept.record
    members = _members(row, "name", "opening_nano_usd") | {"member_of": row.group}
    run("write_account", members | _state(kept, now_ms))


def _write_key(run: Callable[[str, Parameters], None], kept: Kept[KeyRecord], now_ms: int) -> None:
    row = kept.record
    members = _members(row, "account", "name", "hash", "hint", "expires", "loopback_only")
    lists = {
        "models": None if row.models is None else _json(row.models),
        "dialects": None if row.dialects is None else _json(row.dialects),
        "networks": _json(row.networks),
        "budget": _json_or_none(row.budget),
        "previous": _json_or_none(row.previous),
    }
    run("write_key", members | lists | _state(kept, now_ms))


def _members(row: Value, *names: str) -> Parameters:
    return {name: getattr(row, name) for name in names}


def _state(kept: Kept[Value], now_ms: int) -> Parameters:
    return {"managed_by": kept.managed_by, "disabled": kept.disabled, "changed_ms": now_ms}


def _json(value: tuple[object, ...] | Mapping[str, object] | Value) -> str:
    return msgspec.json.encode(value).decode()


def _json_or_none(value: tuple[object, ...] | Value | None) -> str | None:
    return _json(value) if value else None
