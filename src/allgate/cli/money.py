"""What the command line prints about money."""

import secrets
import sys

from allgate.admin.commands import Correct, Debit, TopUp
from allgate.admin.rows import ConfigError
from allgate.cli.operate import carry_out
from allgate.core.money import NanoUsd, usd, usd_text
from allgate.storage.audit import HOUSE, Audit, audit
from allgate.storage.transfers import read_balances
from allgate.wiring.database import reading
from allgate.wiring.outbox import waiting_charges
from allgate.wiring.settings import Settings


def show_accounts(settings: Settings, *, house: bool) -> None:
    """One line per account: its name and its balance in USD; those of the house if asked for."""
    with reading(settings) as jobs:
        balances = jobs.submit(read_balances).result()
    shown = {
        name: usd_text(balance) for name, balance in balances.items() if house or not name.startswith(HOUSE)
    }
    if not shown:
        print("no accounts; declare one in a file and apply it")
    width = max(map(len, shown), default=0)
    for name, balance in sorted(shown.items()):
        print(f"{name:<{width}}  ${balance}")


def top_up(settings: Settings, account: str, amount: str, top_up_id: str | None, reason: str) -> None:
    """Add to a balance and print the new one. Raises: ConfigError: not an amount, no such account, the id is taken."""
    order = TopUp(
        account=account,
        amount_nano_usd=_usd(amount),
        id=top_up_id or secrets.token_hex(8),
        reason=reason,
    )
    _move(order, account, settings)


def debit(settings: Settings, account: str, amount: str, debit_id: str | None, reason: str) -> None:
    """Take from a balance and print the new one. Raises: ConfigError: as above; the balance is less."""
    order = Debit(
        account=account, amount_nano_usd=_usd(amount), id=debit_id or secrets.token_hex(8), reason=reason
    )
    _move(order, account, settings)


def correct(settings: Settings, request_id: str, amount: str, correction_id: str, reason: str) -> None:
    """Give back a part of a request's charge and print the account's balance. Raises: ConfigError: no such charge, or more
    than was paid for it."""
    order = Correct(request_id=request_id, amount_nano_usd=_usd(amount), id=correction_id, reason=reason)
    _move(order, "", settings)


def _usd(amount: str) -> NanoUsd:
    try:
        return usd(amount)
    except ValueError as error:
        raise ConfigError("", "amount", str(error)) from error


def _move(order: TopUp | Debit | Correct, account: str, settings: Settings) -> None:
    done = carry_out(order, settings)
    for remark in done.remarks:
        print(f"note: {remark}", file=sys.stderr)
    print(f"{account or done.account}  ${usd_text(done.balance_nano_usd or NanoUsd(0))}  (id {order.id})")


def verify(settings: Settings) -> bool:
    """Recompute the books and print what is wrong with them. True: nothing is."""
    with reading(settings) as jobs:
        found = jobs.submit(audit).result()
    for drift in found.drifts:
        print(
            f"drift: {drift.what} {drift.where}: is {_amount(drift.kept)}, must be {_amount(drift.must_be)}"
        )
    print(_summary(found))
    if found.uncollected_nano_usd or found.unanswered_nano_usd:
        print(
            f"the house bears ${usd_text(found.uncollected_nano_usd)} uncollected, "
            f"${usd_text(found.unanswered_nano_usd)} unanswered (estimated)"
        )
    for path, count in waiting_charges(settings):
        print(f"note: {count} charges wait in {path}; a server brings them in", file=sys.stderr)
    return not found.drift_count


def _amount(amount: int | None) -> str:
    return "nothing" if amount is None else f"${usd_text(amount)}"


def _summary(found: Audit) -> str:
    return (
        f"{found.accounts} accounts, {found.transfers} transfers, {found.lines} lines of the request log recomputed; "
        f"{found.unlogged} charges without a line; drift: {found.drift_count}"
    )
