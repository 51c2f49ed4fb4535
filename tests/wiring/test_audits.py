"""What `/metrics` says of the books, while a gateway serves."""

import asyncio

from allgate.storage.connection import Connection
from stand import Stand, stand

AUDITED = "drain_s = 0\n[ledger]\naudit_s = 3600"
NEVER = "drain_s = 0\n[ledger]\naudit_s = 0"


async def shown(s: Stand) -> dict[str, float]:
    text = (await s.get("/metrics")).body.decode()
    lines = [
        line.rpartition(" ") for line in text.splitlines() if line.startswith("allgate_") and "{" not in line
    ]
    return {name: float(value) for name, _, value in lines}


async def test_the_books_of_a_gateway_are_shown(caplog):
    async with stand({"m": ["gpt-5.5"]}, settings=AUDITED) as s:
        assert (await s.chat("m")).status == 200
        await s.gateway.state.audits.audit()
        metrics = await shown(s)
        assert metrics["allgate_ledger_drift"] == 0
        assert metrics["allgate_ledger_uncollected_nano_usd"] == 0
        assert metrics["allgate_ledger_audited_timestamp_seconds"] > 1.7e9
        assert (
            metrics["allgate_holds_open"]
            == metrics["allgate_outbox_charges"]
            == metrics["allgate_database_gone"]
            == 0
        )
        assert "not as they must be" not in caplog.text


async def test_drift_and_what_was_not_collected_are_shown_and_said(caplog):
    async with stand({"m": ["gpt-5.5"]}, settings=AUDITED) as s:
        await asyncio.wrap_future(s.gateway.state.database.writer.submit(tampered))
        await s.gateway.state.audits.audit()
        metrics = await shown(s)
        assert metrics["allgate_ledger_drift"] == 2  # the balance, and the sum of all
        assert metrics["allgate_ledger_uncollected_nano_usd"] == 77
        assert "not as they must be" in caplog.text


def tampered(connection: Connection) -> None:
    connection.execute("INSERT INTO balances (account, balance_nano_usd) VALUES ('house:uncollected', -77)")


async def test_a_database_that_cannot_be_read_is_counted_and_is_no_drift():
    async with stand({"m": ["gpt-5.5"]}, settings=NEVER) as s:
        audits = s.gateway.state.audits
        await audits.audit()
        path = s.gateway.state.database.path
        away = path.with_name("away")
        path.rename(away)
        await audits.audit()
        away.rename(path)
        assert audits.failed == 1
        assert (await shown(s))["allgate_ledger_audits_failed_total"] == 1
        assert audits.last is not None


async def test_without_audits_nothing_is_said_of_drift():
    async with stand({"m": ["gpt-5.5"]}, settings=NEVER) as s:
        assert "allgate_ledger_drift" not in await shown(s)
