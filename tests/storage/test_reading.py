"""Reading for somebody who waits."""

import asyncio

import pytest

from allgate.core.errors import Refused
from allgate.storage.config_store import read_number
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.schema import prepare
from allgate.storage.reading import read_behind
from postgres import Postgres


async def test_what_the_writer_was_given_before_is_read(postgres_url: str):
    writer, reader = PostgresThread(postgres_url), PostgresThread(postgres_url, reading=True)
    writer.submit(prepare)
    writer.submit(lambda connection: connection.script("CREATE TABLE t AS SELECT 7 AS seven"))
    seven = await read_behind(
        writer, reader, lambda connection: connection.execute("SELECT seven FROM t").fetchall()
    )
    assert seven == [(7,)]
    await asyncio.to_thread(writer.close)
    await asyncio.to_thread(reader.close)


async def test_a_writer_that_waits_for_its_database_is_not_waited_for(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("allgate.storage.reading.READ_S_MAX", 0.0)
    writer = PostgresThread(postgres.database(), wait_s=60)
    writer.submit(prepare).result()
    postgres.stop()
    with pytest.raises(Refused, match="cannot be read at the moment") as caught:
        await read_behind(writer, writer, read_number)
    assert (caught.value.failure.status, caught.value.failure.retry_after_s) == (503, 1.0)
    postgres.start()
    await asyncio.to_thread(writer.close)
