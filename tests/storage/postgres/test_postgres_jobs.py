"""The thread that runs jobs on PostgreSQL."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from allgate.storage.connection import ConstraintBroken, DatabaseGone, DatabaseRefused, WriterBusy
from allgate.storage.postgres.jobs import PostgresConnection, PostgresThread, numbered
from postgres import Postgres


@contextmanager
def thread(url: str, **options) -> Generator[PostgresThread]:
    opened = PostgresThread(url, **options)
    try:
        yield opened
    finally:
        opened.close()


def make_table(connection: PostgresConnection) -> None:
    connection.script("CREATE TABLE t (id int PRIMARY KEY, word text); INSERT INTO t VALUES (1, 'one')")


def words(connection: PostgresConnection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT id, word FROM t ORDER BY id").fetchall()


def add(number: int, word: str):
    def job(connection: PostgresConnection) -> int:
        sql = "INSERT INTO t (id, word) VALUES (:id, :word)"
        return connection.execute(sql, {"word": word, "id": number}).rowcount

    return job


def test_a_job_is_committed_when_its_future_is_done(postgres_url):
    with thread(postgres_url) as one, thread(postgres_url) as other:
        one.submit(make_table).result()
        assert one.submit(add(2, "two")).result() == 1
        assert other.submit(words).result() == [(1, "one"), (2, "two")]


def test_a_job_that_raises_leaves_nothing(postgres_url):
    def half(connection: PostgresConnection) -> None:
        add(2, "two")(connection)
        raise KeyError("no more")

    with thread(postgres_url) as one:
        one.submit(make_table).result()
        with pytest.raises(KeyError):
            one.submit(half).result()
        assert one.submit(words).result() == [(1, "one")]


def test_a_broken_rule_is_told_apart_from_a_wrong_statement(postgres_url):
    with thread(postgres_url) as one:
        one.submit(make_table).result()
        with pytest.raises(ConstraintBroken):
            one.submit(add(1, "again")).result()
        with pytest.raises(DatabaseRefused):
            one.submit(lambda connection: connection.execute("SELECT nonsense FROM t")).result()
        assert one.submit(words).result() == [(1, "one")]


def test_a_reader_cannot_write(postgres_url):
    with thread(postgres_url) as one, thread(postgres_url, reading=True) as reader:
        one.submit(make_table).result()
        with pytest.raises((DatabaseRefused, DatabaseGone)):
            reader.submit(add(2, "two")).result()
        assert reader.submit(words).result() == [(1, "one")]


def test_a_reader_sees_one_moment(postgres_url):
    with thread(postgres_url) as one, thread(postgres_url, reading=True) as reader:
        one.submit(make_table).result()

        def twice(connection: PostgresConnection) -> bool:
            before = words(connection)
            one.submit(add(2, "two")).result()
            return words(connection) == before

        assert reader.submit(twice).result()


def test_rows_are_read_in_parts_and_in_order(postgres_url):
    def counted(connection: PostgresConnection) -> list[tuple[object, ...]]:
        rows = connection.execute("SELECT n, 'n' FROM generate_series(1, :count::int) AS n", {"count": 2_500})
        first = rows.fetchone()
        assert [column[0] for column in rows.description] == ["n", "?column?"]
        return [first or (), *rows]

    with thread(postgres_url) as one:
        assert one.submit(counted).result() == [(n, "n") for n in range(1, 2_501)]


def test_a_server_that_was_restarted_meanwhile_is_not_noticed(postgres: Postgres):
    with thread(postgres.database()) as one:
        one.submit(make_table).result()
        postgres.stop()
        postgres.start()
        assert one.submit(words).result() == [(1, "one")]


def test_a_job_waits_for_a_server_that_comes_back(postgres: Postgres):
    with thread(postgres.database(), wait_s=30) as one:
        one.submit(make_table).result()
        postgres.stop()
        waiting = one.submit(add(2, "two"))
        postgres.start()
        assert waiting.result() == 1


def test_without_patience_a_server_that_is_gone_is_an_error(postgres: Postgres):
    with thread(postgres.database()) as one:
        one.submit(make_table).result()
        postgres.stop()
        with pytest.raises(DatabaseGone):
            one.submit(words).result()
        postgres.start()
        assert one.submit(words).result() == [(1, "one")]


def test_an_unknown_database_is_refused_at_once(postgres_url):
    with (
        thread(postgres_url + "_not", wait_s=30) as one,
        pytest.raises(DatabaseRefused, match="does not exist"),
    ):
        one.submit(words).result()


def test_a_url_that_is_none_is_refused_without_showing_it():
    with (
        thread("postgresql://u:sesame@h:1x/db") as one,
        pytest.raises(DatabaseRefused, match="cannot be read") as caught,
    ):
        one.submit(words).result()
    assert "sesame" not in str(caught.value)


def test_a_closed_thread_takes_no_jobs(postgres_url):
    one = PostgresThread(postgres_url)
    one.close()
    one.close()
    with pytest.raises(WriterBusy):
        one.submit(words)


def test_parameters_get_the_number_of_their_first_place():
    sql = "SELECT ':no', a::text FROM t WHERE a = :a AND b = 'x:' || :b AND c = :a"
    assert numbered(sql) == (
        "SELECT ':no', a::text FROM t WHERE a = $1 AND b = 'x:' || $2 AND c = $1",
        ("a", "b"),
    )
