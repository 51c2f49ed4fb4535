import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from allgate.core.errors import ErrorKind, Refused
from allgate.core.value import changed
from allgate.gateway.ports import StoredResponse
from allgate.storage.connection import Jobs
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.schema import prepare
from allgate.storage.response_store import HOUR_MS, ROWS_PER_STEP, WAITING_BYTES_MAX, StoredResponses
from allgate.storage.sqlite.reader import Reader
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.sqlite.writer import Writer
from storage.logged import DEADLINE_S

NOW_MS = 1_800_000_000_000
FIRST = StoredResponse(
    account_id="a",
    id="resp_1",
    parent=None,
    root="resp_1",
    model="m",
    created_ms=NOW_MS,
    input='[{"role":"user"}]',
    answer='{"id":"resp_1"}',
    items=("msg_1", "rs_1"),
)
SECOND = changed(FIRST, id="resp_2", parent="resp_1", items=("msg_2",))


class Kept:
    """A store on a database of its own. `settle` waits until all that was handed over is written."""

    def __init__(self, writer: Jobs, reader: Jobs) -> None:
        self.writer, self.reader = writer, reader
        self.store = StoredResponses(writer, reader, hours=24, bytes_max=1_000)

    async def settle(self) -> None:
        self.store.flush()
        await asyncio.wrap_future(self.writer.submit(lambda _: None))

    def ids(self) -> list[str]:
        return self._texts("SELECT id FROM responses ORDER BY id")

    def items(self) -> list[str]:
        return self._texts("SELECT item FROM response_items ORDER BY item")

    def _texts(self, statement: str) -> list[str]:
        found = self.reader.submit(lambda connection: connection.execute(statement, {}).fetchall())
        return [row[0] for row in found.result()]

    async def drop(self, table: str) -> None:
        await asyncio.wrap_future(
            self.writer.submit(lambda one: one.execute(f"DROP TABLE {table}", {}) and None)
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "sqlite":
        path = tmp_path / "t.db"
        one = Kept(Writer(open_writing(path)), Reader(path))
    else:
        url = request.getfixturevalue("postgres_url")
        writer = PostgresThread(url)
        writer.submit(prepare).result()
        one = Kept(writer, PostgresThread(url, reading=True))
    yield one
    one.reader.close()
    one.writer.close()


def shown(response: StoredResponse) -> StoredResponse:
    """What is read again: the ids of its items stand in the answer."""
    return changed(response, items=())


async def test_what_was_put_is_read_at_once(kept: Kept) -> None:
    kept.store.put(FIRST)
    assert await kept.store.get("a", "resp_1") == shown(FIRST)
    assert await kept.store.get("a", "resp_9") is None


async def test_an_account_sees_its_own_only(kept: Kept) -> None:
    kept.store.put(FIRST)
    assert await kept.store.get("b", "resp_1") is None
    assert await kept.store.with_item("b", "msg_1") is None
    assert await kept.store.conversation("b", "resp_1", 10) == ()
    assert not await kept.store.delete("b", "resp_1")
    assert await kept.store.get("a", "resp_1") is not None


async def test_two_accounts_may_have_the_same_id(kept: Kept) -> None:
    kept.store.put(FIRST)
    kept.store.put(changed(FIRST, account_id="b", model="n"))
    found = [await kept.store.get(account, "resp_1") for account in ("a", "b")]
    assert [one and one.model for one in found] == ["m", "n"]


async def test_an_id_that_comes_again_means_the_newer_response(kept: Kept) -> None:
    kept.store.put(FIRST)
    kept.store.put(changed(FIRST, model="n", items=("msg_7",)))
    again = await kept.store.get("a", "resp_1")
    assert again is not None
    assert (again.model, kept.items()) == ("n", ["msg_7"])


async def test_a_conversation_is_read_from_its_beginning(kept: Kept) -> None:
    kept.store.put(FIRST)
    kept.store.put(SECOND)
    assert await kept.store.conversation("a", "resp_2", 10) == (shown(FIRST), shown(SECOND))
    assert await kept.store.conversation("a", "resp_2", 1) == (shown(SECOND),)


async def test_an_item_is_found_in_the_newest_response_that_has_it(kept: Kept) -> None:
    kept.store.put(FIRST)
    kept.store.put(changed(SECOND, items=("msg_1",)))
    found = [await kept.store.with_item("a", item) for item in ("msg_1", "rs_1", "none")]
    assert [one and one.id for one in found] == ["resp_2", "resp_1", None]


async def test_a_deleted_response_takes_its_items_with_it(kept: Kept) -> None:
    kept.store.put(FIRST)
    assert await kept.store.delete("a", "resp_1")
    assert (kept.ids(), kept.items()) == ([], [])
    assert not await kept.store.delete("a", "resp_1")


async def test_old_responses_go_and_those_of_a_conversation_that_goes_on_stay(kept: Kept) -> None:
    old = NOW_MS - 24 * HOUR_MS - 1
    kept.store.put(changed(FIRST, created_ms=old))
    kept.store.put(SECOND)
    kept.store.put(changed(FIRST, id="resp_3", root="resp_3", created_ms=old, items=("msg_3",)))
    kept.store.put(changed(FIRST, account_id="b", created_ms=old, items=()))
    await kept.settle()
    kept.store.expire(NOW_MS)
    await kept.settle()
    assert (kept.ids(), kept.items()) == (["resp_1", "resp_2"], ["msg_1", "msg_2", "rs_1"])
    kept.store.expire(NOW_MS + 24 * HOUR_MS + 1)
    await kept.settle()
    assert (kept.ids(), kept.items()) == ([], [])


async def test_many_old_responses_go_in_steps_between_which_others_write(kept: Kept) -> None:
    for number in range(ROWS_PER_STEP + 1):
        kept.store.put(changed(FIRST, id=f"resp_{number:03}", root=f"resp_{number:03}", items=()))
    await kept.settle()
    steps: list[int] = []
    done = Event()
    submit = kept.writer.submit

    def watched(run):
        future = submit(run)
        future.add_done_callback(lambda one: steps.append(one.result()) or (len(steps) == 2 and done.set()))
        return future

    kept.writer.submit = watched  # a spy on the real one
    kept.store.expire(NOW_MS + 25 * HOUR_MS)
    assert await asyncio.to_thread(done.wait, DEADLINE_S)
    assert sorted(steps) == [1, ROWS_PER_STEP]
    assert kept.ids() == []


async def test_what_cannot_be_written_is_counted_and_disturbs_nobody(kept: Kept) -> None:
    await kept.drop("response_items")
    kept.store.put(FIRST)
    await kept.settle()
    assert kept.store.unwritten_total == 1
    kept.writer.close()
    kept.store.put(SECOND)
    kept.store.flush()
    assert kept.store.unwritten_total == 2


async def test_a_store_that_cannot_be_read_asks_to_try_again(kept: Kept) -> None:
    await kept.drop("responses")
    with pytest.raises(Refused) as refused:
        await kept.store.get("a", "resp_1")
    assert refused.value.failure.kind is ErrorKind.OVERLOADED


async def test_no_hours_keep_nothing(kept: Kept) -> None:
    assert kept.store.enabled
    assert not StoredResponses(kept.writer, kept.reader, hours=0, bytes_max=1).enabled


async def test_responses_are_written_many_together_and_at_the_latest_at_the_end(kept: Kept) -> None:
    jobs = 0
    submit = kept.writer.submit

    def counted(run):
        nonlocal jobs
        jobs += 1
        return submit(run)

    kept.writer.submit = counted  # a spy on the real one
    for number in range(10):
        assert kept.store.put(changed(FIRST, id=f"resp_{number}", items=())) is None
    assert jobs == 0
    kept.store.stop()
    await kept.settle()
    assert (len(kept.ids()), jobs) == (10, 2)  # the second is `settle` itself


async def test_many_long_ones_do_not_wait_for_each_other(kept: Kept) -> None:
    for number in range(3):
        kept.store.put(changed(FIRST, id=f"resp_{number}", answer="x" * (WAITING_BYTES_MAX // 2), items=()))
    await kept.settle()
    assert len(kept.ids()) == 3


async def test_where_nodes_share_a_database_the_end_of_an_answer_can_wait_for_it(kept: Kept) -> None:
    shared = StoredResponses(kept.writer, kept.reader, hours=24, bytes_max=1_000, shared=True)
    written = shared.put(FIRST)
    assert written is not None
    await written
    assert kept.ids() == ["resp_1"]
    kept.writer.close()
    assert shared.put(SECOND) is None  # nobody waits for what will never be written
    assert shared.unwritten_total == 1
