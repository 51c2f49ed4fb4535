"""On PostgreSQL, too, the script and the migrations lead to the same place, and every statement has its meaning there."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
import pytest

from allgate.storage.migrate import script
from allgate.storage.postgres.jobs import PostgresConnection, PostgresThread, numbered
from allgate.storage.postgres.schema import prepare, schema_number
from allgate.storage.schema import SCHEMA_NUMBER, SchemaError
from allgate.storage.sql_text import statements
from postgres import Postgres

SHAPE = """
SELECT 'column', table_name::text || '.' || column_name, concat_ws(' ', data_type, is_nullable, collation_name,
       column_default, is_identity) FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace
"""


@contextmanager
def thread(url: str) -> Generator[PostgresThread]:
    opened = PostgresThread(url)
    try:
        yield opened
    finally:
        opened.close()


def shape(connection: PostgresConnection) -> set[tuple[object, ...]]:
    """Every column, index and constraint."""
    return set(connection.execute(SHAPE))


def test_the_script_makes_what_the_migrations_make(postgres: Postgres):
    with thread(postgres.database()) as scripted, thread(postgres.database()) as migrated:
        scripted.submit(prepare).result()
        migrated.submit(lambda connection: connection.script(script("base"))).result()
        assert scripted.submit(shape).result() == migrated.submit(shape).result()
        assert migrated.submit(schema_number).result() == SCHEMA_NUMBER


def test_text_is_compared_by_its_bytes(postgres_url):
    """Ids are read in ranges, which another locale would cut elsewhere."""
    with thread(postgres_url) as one:
        one.submit(prepare).result()
        columns = [text for what, _, text in one.submit(shape).result() if what == "column"]
    assert not [text for text in columns if str(text).startswith("text") and " C" not in str(text)]


async def test_every_statement_can_be_planned_and_gives_no_decimals(postgres_url):
    with thread(postgres_url) as one:
        await asyncio.wrap_future(one.submit(prepare))
    connection = await asyncpg.connect(postgres_url)
    decimals = []
    for name, sql in statements().items():
        planned = await connection.prepare(numbered(sql)[0])
        decimals += [name for column in planned.get_attributes() if column.type.name == "numeric"]
    await connection.close()
    assert decimals == []


def test_an_older_database_is_migrated_with_what_it_holds(postgres_url):
    first = script("base").split("-- Running upgrade 0001 -> 0002")[0]
    account = "INSERT INTO accounts VALUES ('demo', 5000000000, 'file', false, 1)"
    with thread(postgres_url) as one:
        one.submit(lambda connection: connection.script(f"{first};{account}")).result()
        one.submit(prepare).result()
        assert one.submit(schema_number).result() == SCHEMA_NUMBER
        balance = one.submit(
            lambda connection: connection.execute(
                statements()["read_balance"], {"account": "demo"}
            ).fetchone()
        )
        assert balance.result() == (5_000_000_000,)


def test_preparing_twice_changes_nothing(postgres_url):
    with thread(postgres_url) as one:
        one.submit(prepare).result()
        before = one.submit(shape).result()
        one.submit(prepare).result()
        assert one.submit(shape).result() == before


def test_nodes_that_start_together_make_the_tables_once(postgres_url):
    together = threading.Barrier(4)
    failures: list[BaseException | None] = []

    def start() -> None:
        with thread(postgres_url) as one:
            one.submit(lambda connection: None).result()
            together.wait(30)
            failures.append(one.submit(prepare).exception())

    starting = [threading.Thread(target=start) for _ in range(4)]
    for each in starting:
        each.start()
    for each in starting:
        each.join()
    assert failures == [None] * 4


def test_a_database_of_a_newer_version_is_refused_and_kept(postgres_url):
    with thread(postgres_url) as one:
        one.submit(prepare).result()
        one.submit(
            lambda connection: connection.script("UPDATE alembic_version SET version_num = '7777'")
        ).result()
        with pytest.raises(SchemaError, match="at 7777, which this version does not know"):
            one.submit(prepare).result()


def test_a_database_of_somebody_else_is_refused(postgres_url):
    with thread(postgres_url) as one:
        one.submit(lambda connection: connection.script("CREATE TABLE theirs (x int)")).result()
        with pytest.raises(SchemaError, match="1 tables that Allgate did not make"):
            one.submit(prepare).result()
