"""Nobody takes a charge at the end of a request: the answer does not leave whole, and nobody has paid."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stand import Stand, stand


@contextmanager
def refusing_disk(s: Stand) -> Iterator[None]:
    """It takes nothing into the database, and the outbox is full."""
    outbox, connection = s.gateway.state.ledger.commit._outbox, s.gateway.state.database.writer._connection
    connection.execute("PRAGMA query_only = 1")
    outbox.bytes_max, room = 0, outbox.bytes_max
    try:
        yield
    finally:
        outbox.bytes_max = room
        connection.execute("PRAGMA query_only = 0")


@pytest.mark.parametrize("scene", ["gpt-5.5", "sim-paced,words=3,delay_ms=0"])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_whose_charge_cannot_be_written_is_withheld_and_free(stream: bool, scene: str):
    async with stand({"m": [scene]}) as s:
        with refusing_disk(s):
            refused = await s.chat("m", stream=stream)
        assert refused.error is not None
        assert "Nothing was charged" in refused.error["message"]
        assert refused.status == (200 if stream else 503)
        assert refused.framed
        assert s.gateway.state.ledger.balance_nano_usd("test") == 1_000 * 10**9
        assert [(row.outcome, row.status, row.charged_nano_usd) for row in s.rows] == [("failed", 503, 0)]
        await s.gateway.state.ledger.commit.until_back()
        served = await s.chat("m", stream=stream)
        assert served.error is None
        assert s.gateway.state.ledger.balance_nano_usd("test") < 1_000 * 10**9
