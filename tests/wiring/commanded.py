"""A configuration on a real database, and commands for it."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from allgate.admin.commands import Apply, CreateKey
from allgate.admin.keys import new_secret
from allgate.admin.records import Document, document_of, key_record
from allgate.admin.rows import AccountRow, Declaration, KeyRow, ModelRow, UpstreamRow
from allgate.core.secret import Secret
from allgate.wiring.configuration import Configuration
from allgate.wiring.database import SqliteDatabase
from allgate.wiring.registry import Snapshot, packaged_providers


def declared(base_url: str = "http://127.0.0.1:1") -> Document:
    rows = Declaration(
        upstreams=(
            UpstreamRow(
                name="u", provider="simulator", base_url=base_url, credentials=(Secret("sk-upstream"),)
            ),
        ),
        models=(ModelRow(name="M"),),
        accounts=(AccountRow(name="demo", balance_usd="1"),),
    )
    return document_of(rows, lambda reference, _: reference)


NOTHING = Apply(declared=Document())


def new_key(name: str = "k", expires: str | None = None) -> CreateKey:
    row = KeyRow(name=name, secret=new_secret(), expires=expires)
    return CreateKey(record=key_record("demo", row, row.secret))


@contextmanager
def configuration(folder: Path) -> Generator[tuple[Configuration, list[Snapshot]]]:
    with closing(SqliteDatabase(folder / "t.db")) as database:
        published: list[Snapshot] = []
        yield (
            Configuration(
                database.writer,
                packaged_providers(),
                lambda reference, _: reference,
                loopback=True,
                on_published=published.append,
            ),
            published,
        )
