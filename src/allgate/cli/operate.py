"""How a command line reaches the configuration: through the server that holds the database, or by itself.

A SQLite file has a lock, which decides: if it is free, this process takes it for the one change; if it is taken, its
file says where the holder takes commands. A PostgreSQL is written to directly, and its nodes look. Reading needs neither.
"""

import os
import sys
import time
from pathlib import Path

from allgate.admin.apply import Change
from allgate.admin.commands import Order
from allgate.admin.rows import ConfigError
from allgate.core.secret import Secret
from allgate.storage.connection import DatabaseGone, DatabaseRefused
from allgate.storage.sqlite.lock import Holder, Locked
from allgate.wiring.configuration import Configuration, Done
from allgate.wiring.control import send
from allgate.wiring.database import database_path, opened, reading
from allgate.wiring.orders import OperatorOrders
from allgate.wiring.registry import packaged_providers
from allgate.wiring.settings import Settings

HOLDER_TRIES = 20
HOLDER_WAIT_S = 0.1
"""A server that starts or stops holds the lock without taking commands, for a second or two at most."""

MARKS = {"created": "+", "changed": "~", "enabled": "+", "adopted": "~", "disabled": "-"}


def carry_out(command: Order, settings: Settings) -> Done:
    """Raises: ConfigError: it cannot be done; another process holds the database and takes no commands."""
    for _ in range(HOLDER_TRIES):
        try:
            with opened(settings) as database:
                configuration = Configuration(database.writer, packaged_providers(), _unread, loopback=True)
                return OperatorOrders(configuration, database.writer).run(command)
        except (DatabaseGone, DatabaseRefused) as error:
            raise ConfigError("", "database.url", str(error)) from error
        except Locked as locked:
            if (done := _sent(locked.holder, command)) is not None:
                return done
        time.sleep(HOLDER_WAIT_S)
    raise ConfigError(
        "", "database.url", f"{database_path(settings)} is in use by a process that takes no commands"
    )


def _sent(holder: Holder, command: Order) -> Done | None:
    """What the holder of the database did; None if it does not listen, yet or any more."""
    if not holder.control:
        return None
    try:
        return send(Path(holder.control), command)
    except (ConnectionError, FileNotFoundError):
        return None


def _unread(reference: Secret, _key: str) -> Secret:
    """A command line may lack the variables and files of the server: it checks everything but them."""
    return reference


def show(done: Done, *, dry_run: bool = False) -> None:
    """Print the changes as a diff, and what a file cannot do on standard error."""
    for change in done.changes:
        print("\n".join(diff_lines(change)))
    for remark in done.remarks:
        print(f"note: {remark}", file=sys.stderr)
    count = len(done.changes)
    if not count:
        print(f"nothing to change (revision {done.number})")
    else:
        outcome = "not applied (--dry-run)" if dry_run else f"applied (revision {done.number})"
        print(f"{count} {'row' if count == 1 else 'rows'} changed, {outcome}")


def diff_lines(change: Change) -> list[str]:
    """`~ models Claude: changed`, and a line for each member: `    sheet: a -> b`."""
    lines = [f"{MARKS[change.kind]} {change.table} {change.name}: {change.kind}"]
    for field in change.fields:
        before = f"{field.before} -> " if change.kind != "created" else ""
        lines.append(f"    {field.field}: {before}{field.after or '(none)'}")
    return lines


def settings_of(config: Path | None, database: str | None) -> Settings:
    """The settings of a command: those of the file, and the database if one is named on the command line."""
    from allgate.wiring.settings_file import load

    environment = dict(os.environ)
    if database is not None:
        absolute = Path(database).absolute() if "://" not in database else None
        environment["ALLGATE_DATABASE_URL"] = f"sqlite:///{absolute}" if absolute else database
    return load(config, environment)


def existing(settings: Settings) -> Settings:
    """The same, if their database exists: a command about keys does not make one. Raises: ConfigError."""
    with reading(settings):
        return settings
