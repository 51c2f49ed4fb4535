"""The PostgreSQL that tests start for themselves."""

import asyncio
import stat
from pathlib import Path

import asyncpg

from postgres import Postgres, _copied, _open_to_others


async def fetched(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_every_test_gets_an_empty_database(postgres_url):
    assert await fetched(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    await fetched(postgres_url, "CREATE TABLE left_behind (id int)")


async def test_even_after_one_that_left_a_table(postgres_url):
    assert await fetched(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_it_is_a_version_that_we_support(postgres_url):
    assert int(await fetched(postgres_url, "SELECT current_setting('server_version_num')::int")) >= 150_000


def test_what_was_committed_survives_a_stop(postgres: Postgres):
    url = postgres.database()
    asyncio.run(fetched(url, "CREATE TABLE kept AS SELECT 7 AS number"))
    postgres.stop()
    postgres.start()
    assert asyncio.run(fetched(url, "SELECT number FROM kept")) == 7


def test_closing_removes_the_folder():
    server = Postgres()
    folder = server._folder
    server.close()
    assert not folder.exists()


def test_a_wheel_that_others_may_not_reach_is_copied(tmp_path: Path):
    wheel = tmp_path / "closed" / "wheel"
    for place in (wheel / "pginstall", tmp_path / "closed" / "wheel.libs"):
        place.mkdir(parents=True)
    wheel.chmod(stat.S_IRWXU)
    assert not _open_to_others(wheel)
    copy = _copied(wheel, tmp_path / "open")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o777
    assert {place.name for place in copy.parent.iterdir()} == {"wheel", "wheel.libs"}
