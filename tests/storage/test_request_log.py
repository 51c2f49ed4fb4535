from pathlib import Path

import msgspec
import pytest

from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.storage.sqlite.rows import ROWS_PER_STATEMENT
from allgate.storage.sqlite.writer import Writer
from storage.logged import ROW, log_on, read


async def test_a_row_is_kept_with_every_member(writer: Writer, path: Path):
    log = log_on(writer)
    log.append(ROW)
    log.close()
    writer.close()
    (kept,) = read(path)
    said = msgspec.structs.asdict(ROW) | {"account": "demo", "key": "demo/k", "price": "Claude@1a2b3c4d"}
    for name in ("account_id", "key_id", "price_id", "usage"):
        del said[name]
    assert {name: kept[name] for name in said} == said
    assert (kept["input_tokens"], kept["output_tokens"], kept["reasoning_tokens"]) == (10, 0, None)
    assert kept["usage_rest"] == '{"images":2,"web_search_calls":1}'
    assert kept["estimated"] == 1


async def test_usage_that_needs_no_rest_has_none(writer: Writer, path: Path):
    log = log_on(writer)
    log.append(changed(ROW, usage=Usage(input_tokens=1)))
    log.close()
    writer.close()
    assert [row["usage_rest"] for row in read(path)] == [None]


@pytest.mark.parametrize("count", [1, ROWS_PER_STATEMENT, ROWS_PER_STATEMENT + 1, 3 * ROWS_PER_STATEMENT])
async def test_every_row_of_a_batch_is_kept(writer: Writer, path: Path, count: int):
    log = log_on(writer)
    for number in range(count):
        log.append(changed(ROW, request_id=f"req_{number:04}"))
    log.close()
    writer.close()
    assert [row["request_id"] for row in read(path, "request_id")] == [f"req_{n:04}" for n in range(count)]
    assert (log.waiting, log.lost_total) == (0, 0)


async def test_a_repeated_request_id_is_the_same_request(writer: Writer, path: Path):
    log = log_on(writer)
    log.append(ROW)
    log.append(changed(ROW, status=500))
    log.close()
    writer.close()
    assert [row["status"] for row in read(path, "status")] == [200]
