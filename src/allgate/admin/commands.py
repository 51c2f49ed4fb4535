"""What an operator can ask for, as values: the command line makes them, whoever holds the database carries them out.

A command is pure: `plan_for` says what it changes in a document. So the same command runs in a server, which the
command line reaches over its control socket, and in the command line itself, when no server runs. No secret of a key
is in them: its hash is made where the key is.
"""

from typing import TypeAlias

from allgate.admin.apply import Plan, changes_between, plan_apply
from allgate.admin.price_import import plan_import
from allgate.admin.price_rows import SheetRow
from allgate.admin.records import Document, Kept, KeyRecord, PreviousSecret, check_keys, key_id
from allgate.admin.rows import ConfigError
from allgate.core.money import NanoUsd
from allgate.core.value import Value, changed


class Apply(Value, frozen=True, kw_only=True, tag="apply"):
    """Make the file rows be what `declared` says."""

    declared: Document
    adopt: bool = False
    dry_run: bool = False


class CreateKey(Value, frozen=True, kw_only=True, tag="create_key"):
    """A new key, managed by the console."""

    record: KeyRecord


class DisableKey(Value, frozen=True, kw_only=True, tag="disable_key"):
    """Switch a key off, whoever manages it. A file that still names it switches it on again when it is applied."""

    account: str
    name: str


class ImportPrices(Value, frozen=True, kw_only=True, tag="import_prices"):
    """Take over these sheets, managed by the console. `sure`: also what is strange."""

    sheets: tuple[SheetRow, ...]
    sure: bool = False
    dry_run: bool = False


class RotateKey(Value, frozen=True, kw_only=True, tag="rotate_key"):
    """Give a key a new secret. The present one opens until `overlap_until` (ISO time); None: it ends now."""

    account: str
    name: str
    hash: str
    hint: str
    overlap_until: str | None = None


class TopUp(Value, frozen=True, kw_only=True, tag="top_up"):
    """Add to an account's balance. The same `id` twice adds once."""

    account: str
    amount_nano_usd: NanoUsd
    id: str
    reason: str = ""


class Debit(Value, frozen=True, kw_only=True, tag="debit"):
    """Take from an account's balance what it has. The same `id` twice takes once."""

    account: str
    amount_nano_usd: NanoUsd
    id: str
    reason: str = ""


class Correct(Value, frozen=True, kw_only=True, tag="correct"):
    """Give back a part of what a request was charged. The same `id` for the same request twice gives back once."""

    request_id: str
    amount_nano_usd: NanoUsd
    id: str
    reason: str


Command: TypeAlias = Apply | CreateKey | DisableKey | RotateKey | ImportPrices
"""What changes the configuration."""

Order: TypeAlias = Command | TopUp | Debit | Correct
"""Whatever an operator can ask for."""


def plan_for(command: Command, current: Document) -> Plan:
    """What the command changes. Raises: ConfigError: it cannot be done."""
    match command:
        case Apply():
            return plan_apply(current, command.declared, adopt=command.adopt)
        case CreateKey():
            return _planned(current, _with_key(current, command.record))
        case DisableKey():
            return _planned(current, _without_key(current, key_id(command.account, command.name)))
        case RotateKey():
            return _rotated(current, command)
        case ImportPrices():
            return plan_import(current, command.sheets, sure=command.sure)


def is_dry(command: Command) -> bool:
    """The command only asks what would happen."""
    return isinstance(command, (Apply, ImportPrices)) and command.dry_run


def _planned(current: Document, after: Document) -> Plan:
    check_keys(after)
    return Plan(changes=changes_between(current, after), document=after)


def _with_key(current: Document, record: KeyRecord) -> Document:
    if record.account not in current.accounts:
        known = ", ".join(sorted(current.accounts)) or "none yet"
        raise ConfigError("", "account", f"there is no account {record.account!r}; there are: {known}")
    if record.id in current.keys:
        raise ConfigError("", "name", f"there is a key {record.id} already; a name is used once")
    return changed(current, keys=current.keys | {record.id: Kept(record=record, managed_by="console")})


def _without_key(current: Document, name: str) -> Document:
    return changed(current, keys=current.keys | {name: changed(_key(current, name), disabled=True)})


def _key(current: Document, name: str) -> Kept[KeyRecord]:
    kept = current.keys.get(name)
    if kept is None:
        raise ConfigError("", "key", f"there is no key {name}")
    return kept


def _rotated(current: Document, command: RotateKey) -> Plan:
    name = key_id(command.account, command.name)
    kept = _key(current, name)
    if kept.managed_by == "file":
        raise ConfigError(
            "", "key", f"{name} has its secret from a file, which would bring it back; change it there"
        )
    if kept.disabled:
        raise ConfigError("", "key", f"{name} is disabled; make a new one")
    older = kept.record.previous
    record = changed(
        kept.record,
        hash=command.hash,
        hint=command.hint,
        loopback_only=False,  # a new secret is not one that the documentation prints
        previous=None
        if command.overlap_until is None
        else PreviousSecret(hash=kept.record.hash, hint=kept.record.hint, until=command.overlap_until),
    )
    plan = _planned(current, changed(current, keys=current.keys | {name: changed(kept, record=record)}))
    if older is None:
        return plan
    return changed(
        plan, remarks=(*plan.remarks, f"the secret before the last ({older.hint}…) opens nothing any more")
    )
