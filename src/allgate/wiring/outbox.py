"""Where the outbox is: opened by a server, looked into by a command."""

from collections.abc import Iterator
from pathlib import Path

from allgate.admin.rows import ConfigError
from allgate.storage.outbox import Outbox, OutboxTaken, read_records
from allgate.wiring.database import database_path, is_postgres
from allgate.wiring.settings import Settings


def open_outbox(settings: Settings, beside: Path) -> Outbox:
    """The outbox of the settings; by default `beside` with `.outbox` behind its name.

    Raises: ConfigError: it cannot be written, or another process has it. Better no gateway than one that withholds
    answers when its database is gone.
    """
    wish = settings.ledger.outbox
    path = settings.folder / wish if wish else beside.with_name(f"{beside.name}.outbox")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Outbox(path)
    except (OSError, OutboxTaken) as error:
        raise ConfigError("", "ledger.outbox", f"{path} cannot be used: {error}") from error


def waiting_charges(settings: Settings) -> Iterator[tuple[Path, int]]:
    """The outboxes of the settings that hold charges, and how many: those of every node that was started in this folder."""
    if settings.ledger.outbox:
        paths = [settings.folder / settings.ledger.outbox]
    elif is_postgres(settings):
        paths = sorted(settings.folder.glob("allgate-*.outbox"))
    else:
        database = database_path(settings)
        paths = [database.with_name(f"{database.name}.outbox")]
    for path in paths:
        if path.exists() and (count := len(read_records(path.read_bytes())[0])):
            yield path, count
