"""The ledger: lines that follow a request, and waiting for one that looks a certain way."""

import asyncio

import pytest

from allgate.simulator import ledger as ledger_module
from allgate.simulator.ledger import Ledger, Line


def line(serial: int, request_id: str | None = None) -> Line:
    return Line(
        serial=serial, id=f"req_{serial}", request_id=request_id, credential=None, connection=1, method="POST", path="/"
    )  # fmt: skip


def test_a_line_follows_its_request():
    ledger = Ledger()
    ledger.open(line(1), {})
    ledger.note(1, status=200, model="m")
    ledger.sent(1)
    ledger.sent(1)
    assert (ledger.last.status, ledger.last.model, ledger.last.frames_sent) == (200, "m", 2)


def test_waiting_finds_what_is_there_and_what_is_to_come():
    async def scenario() -> None:
        ledger = Ledger()
        ledger.open(line(1), {})
        assert (await ledger.wait_for(lambda found: found.serial == 1)).serial == 1
        waiting = asyncio.create_task(ledger.wait_for(lambda found: found.done))
        await asyncio.sleep(0)
        ledger.note(1, done=True)
        assert (await waiting).done

    asyncio.run(scenario())


def test_waiting_in_vain_ends_with_an_error():
    with pytest.raises(TimeoutError):
        asyncio.run(Ledger().wait_for(lambda found: True, timeout_s=0))


def test_old_lines_and_bodies_are_dropped_at_their_limits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger_module, "LINES_MAX", 2)
    monkeypatch.setattr(ledger_module, "BODIES_MAX", 1)
    ledger = Ledger()
    for serial in range(3):
        ledger.open(line(serial), {})
        ledger.keep_body(serial, {"n": serial}, 9)
    assert [found.serial for found in ledger.lines] == [1, 2]
    assert [ledger.body(found) for found in ledger.lines] == [None, {"n": 2}]
    assert ledger.requests == 3


def test_the_document_can_be_narrowed_to_one_gateway_request():
    ledger = Ledger()
    ledger.open(line(1, "req_a"), {})
    ledger.open(line(2, "req_b"), {})
    ledger.keep_body(2, {"model": "m"}, 9)
    found = ledger.document(request_id="req_b", bodies=True)
    assert [entry["id"] for entry in found["lines"]] == ["req_2"]
    assert found["lines"][0]["body"] == {"model": "m"}
    assert [entry["id"] for entry in ledger.document(since=1)["lines"]] == ["req_2"]
