"""Every row of the time, once, in order, with exact amounts, however many pages it takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from allgate.core.money import NanoUsd
from allgate.core.value import changed
from allgate.storage.export import exported
from allgate.storage.sqlite.lines import write_lines
from allgate.storage.sqlite.reader import Reader
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.transfers import open_account, top_up
from storage.logged import ROW

END_MS = 10**15
LARGE = 2**62 + 1  # no float holds it


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    path = tmp_path / "t.db"
    connection = open_writing(path)
    open_account(connection, "a", NanoUsd(LARGE), 10)
    for number in range(8):
        top_up(connection, "a", NanoUsd(number + 1), top_up_id=f"p{number}", reason="", at_ms=20 + number)
    write_lines(
        [
            changed(ROW, request_id=f"r{number}", started_ms=100 + number, charged_nano_usd=LARGE)
            for number in range(7)
        ],
        connection,
    )
    connection.close()
    reader = Reader(path)
    yield reader
    reader.close()


@pytest.fixture(params=[2, 3, 7, 1_000])
def page_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allgate.storage.export.PAGE_ROWS", request.param)


@pytest.mark.usefixtures("page_rows")
def test_pages_fit_together(reader: Reader):
    transfers = list(exported(reader, "transfers", 0, END_MS))
    assert [row["id"] for row in transfers] == ["opening:a", *(f"topup:p{number}" for number in range(8))]
    assert [row["request_id"] for row in exported(reader, "requests", 0, END_MS)] == [
        f"r{number}" for number in range(7)
    ]


@pytest.mark.usefixtures("page_rows")
def test_the_range_includes_its_beginning_and_not_its_end(reader: Reader):
    assert [row["at_ms"] for row in exported(reader, "transfers", 20, 23)] == [20, 21, 22]
    assert [row["started_ms"] for row in exported(reader, "requests", 105, END_MS)] == [105, 106]
    assert list(exported(reader, "requests", 200, END_MS)) == []


def test_amounts_are_exact_in_both_units(reader: Reader):
    opening, *_ = exported(reader, "transfers", 0, END_MS)
    assert (opening["amount_nano_usd"], opening["amount_usd"]) == (LARGE, "4611686018.427387905")
    line, *_ = exported(reader, "requests", 0, END_MS)
    assert (line["charged_nano_usd"], line["charged_usd"]) == (LARGE, "4611686018.427387905")
    assert (line["stream"], line["passthrough"], line["estimated"]) == (True, False, True)
    assert line["reasoning_tokens"] is None
