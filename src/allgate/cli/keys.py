"""What the command line does with keys: a secret is made here, shown once, and only its hash goes anywhere."""

import re
import sys
from datetime import UTC, datetime, timedelta

from allgate.admin.commands import CreateKey, RotateKey
from allgate.admin.keys import new_secret
from allgate.admin.price_rows import BudgetRow
from allgate.admin.records import HINT_CHARACTERS, Kept, KeyRecord, key_record
from allgate.admin.rows import ConfigError, KeyRow
from allgate.cli.operate import carry_out
from allgate.identity.caller import key_hash
from allgate.storage.config_store import read_published
from allgate.wiring.database import reading
from allgate.wiring.settings import Settings

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
OVERLAP_MAX = timedelta(days=90)
"""Two secrets that open for longer than this are two keys."""


def budget(total: str | None, daily: str | None, monthly: str | None) -> BudgetRow | None:
    """None: none was asked for."""
    if total is None and daily is None and monthly is None:
        return None
    return BudgetRow(total=total, daily=daily, monthly=monthly)


def create(settings: Settings, account: str, row: KeyRow) -> None:
    """Make the key and print its secret. Raises: ConfigError."""
    carry_out(CreateKey(record=key_record(account, row, row.secret)), settings)
    print(row.secret.reveal())


def rotate(settings: Settings, account: str, name: str, overlap: str, now: datetime) -> None:
    """Give the key a new secret and print it; the present one opens for `overlap` more. Raises: ConfigError."""
    secret, length = new_secret(), _duration(overlap)
    until = (now.astimezone(UTC) + length).isoformat(timespec="seconds") if length else None
    text = secret.reveal()
    order = RotateKey(
        account=account, name=name, hash=key_hash(text), hint=text[:HINT_CHARACTERS], overlap_until=until
    )
    done = carry_out(order, settings)
    for remark in done.remarks:
        print(f"note: {remark}", file=sys.stderr)
    print(
        f"note: the old secret opens {'nothing any more' if until is None else f'until {until}'}",
        file=sys.stderr,
    )
    print(text)


def show(settings: Settings, prefix: str, now: datetime) -> None:
    """One line per key: account/name, beginning, state, who manages it. `prefix`: only keys that begin like this, or the
    one that it is."""
    with reading(settings) as jobs:
        keys = jobs.submit(read_published).result().document.keys
    shown = {name: kept for name, kept in keys.items() if _matches(kept.record, prefix)}
    if not shown:
        print("no such key" if keys else "no keys; make one with: allgate keys create ACCOUNT NAME")
    width = max(map(len, shown), default=0)
    for name, kept in sorted(shown.items()):
        state = "disabled" if kept.disabled else "active"
        print(f"{name:<{width}}  {kept.record.hint}…  {state:<8}  {kept.managed_by}{_limits(kept, now)}")


def _limits(kept: Kept[KeyRecord], now: datetime) -> str:
    row, parts = kept.record, list[str]()
    if row.expires:
        parts.append(f"expires {row.expires}")
    if row.models is not None:
        parts.append(f"models {','.join(row.models) or 'none'}")
    if row.dialects is not None:
        parts.append(f"dialects {','.join(row.dialects) or 'none'}")
    if row.networks:
        parts.append(f"from {','.join(row.networks)}")
    if row.budget is not None:
        limits = {"in all": row.budget.total, "a day": row.budget.daily, "a month": row.budget.monthly}
        parts += [f"${limit} {stretch}" for stretch, limit in limits.items() if limit is not None]
    if row.previous is not None and datetime.fromisoformat(row.previous.until) > now:
        parts.append(f"{row.previous.hint}… until {row.previous.until}")
    return "".join(f"  {part}" for part in parts)


def _matches(row: KeyRecord, prefix: str) -> bool:
    """A longer text than a hint is taken for the whole key: nothing else is known of it."""
    if len(prefix) > HINT_CHARACTERS:
        hashes = (row.hash, *(() if row.previous is None else (row.previous.hash,)))
        return key_hash(prefix) in hashes
    return row.hint.startswith(prefix) or (row.previous is not None and row.previous.hint.startswith(prefix))


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if text != "0" and match is None:
        raise ConfigError("", "overlap", f"must be such as 90s, 30m, 24h or 7d, or 0: {text!r}")
    length = timedelta(seconds=int(match[1]) * UNITS_S[match[2]]) if match else timedelta()
    if length > OVERLAP_MAX:
        raise ConfigError("", "overlap", f"is at most {OVERLAP_MAX.days}d: {text!r}")
    return length
