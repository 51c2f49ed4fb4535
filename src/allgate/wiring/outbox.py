"""Where the outbox is, opened."""

from pathlib import Path

from allgate.admin.rows import ConfigError
from allgate.storage.outbox import Outbox, OutboxTaken
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
