"""Alembic, called from code: no alembic.ini, no command line. Imported only when a migration has to run."""

from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"


class UnknownNumber(Exception):
    """The database is at a migration that is not among ours."""


def newest_number() -> str:
    """The number of the newest migration."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert head is not None  # there is a first migration
    return head


def upgrade(path: Path) -> None:
    """Bring a SQLite database to the newest migration, in one transaction. Raises: UnknownNumber."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    config = _config()
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (CommandError, ResolutionError) as error:
        raise UnknownNumber(str(error)) from error
    finally:
        engine.dispose()


def script(number: str) -> str:
    """What brings a PostgreSQL database from one migration (`base`: an empty one) to the newest, as SQL to be run in one
    transaction. Raises: UnknownNumber."""
    config = _config()
    config.output_buffer = StringIO()
    try:
        command.upgrade(config, f"{number}:head", sql=True)
    except (CommandError, ResolutionError) as error:
        raise UnknownNumber(str(error)) from error
    return config.output_buffer.getvalue()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
