"""What a key reads of its own account, after real requests."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from stand import Reply, Stand, stand

TODAY = datetime.now(UTC).date()
PROMPT = "!scene echo input=1000 cached=400 output=100\nhello"
COST = "0.0045"
"""1,000 input tokens at $3 a million (no price of its own for cached ones), 100 output tokens at $15."""


def exact(reply: Reply) -> dict:
    return json.loads(reply.body, parse_float=Decimal)


async def asked(s: Stand) -> str:
    """A request's id."""
    reply = await s.chat("m", PROMPT)
    assert reply.headers["x-allgate-cost-usd"] == COST
    return reply.headers["x-request-id"]


async def test_the_balance_is_exact_and_says_what_is_held():
    async with stand({"m": ["gpt-5.5"]}) as s:
        await asked(s)
        assert (await s.get("/v1/balance")).json == {
            "object": "balance", "account": "test", "balance_usd": "999.9955", "held_usd": "0",
            "available_usd": "999.9955",
        }  # fmt: skip


async def test_the_receipt_shows_what_was_used_at_which_prices():
    async with stand({"m": ["gpt-5.5"]}) as s:
        request_id = await asked(s)
        receipt = (await s.get(f"/v1/requests/{request_id}")).json
    assert (receipt["id"], receipt["charged_usd"], receipt["settlement"]) == (request_id, COST, "posted")
    assert receipt["usage"]["cache_read_tokens"] == 400
    assert receipt["price_sheet"].startswith("m@")
    assert receipt["lines"] == [
        {"unit": "input", "quantity": 1000, "price_usd": "3", "per": 1_000_000},
        {"unit": "output", "quantity": 100, "price_usd": "15", "per": 1_000_000},
    ]


async def test_the_receipt_of_a_failure_says_that_nothing_was_charged():
    async with stand({"m": ["sim-error"]}) as s:
        failed = await s.chat("m")
        receipt = (await s.get(f"/v1/requests/{failed.headers['x-request-id']}")).json
    assert (receipt["outcome"], receipt["charged_usd"], receipt["settlement"]) == ("failed", "0", "voided")


@pytest.mark.parametrize("path", ["/v1/requests/req_0", "/v1/requests/opening:test"])
async def test_what_is_no_request_of_this_account_is_not_found(path: str):
    async with stand({"m": ["gpt-5.5"]}) as s:
        reply = await s.get(path)
        assert (reply.status, reply.error["code"]) == (404, "request_not_found")


async def test_openais_old_billing_pages_say_what_was_added_and_what_was_spent():
    async with stand({"m": ["gpt-5.5"]}) as s:
        for _ in range(2):
            await asked(s)
        subscription = exact(await s.get("/v1/dashboard/billing/subscription"))
        assert subscription["hard_limit_usd"] == 1000
        usage = exact(await s.get("/dashboard/billing/usage"))
        assert usage["total_usage"] == Decimal("0.9")  # cents
        assert [sum(item["cost"] for item in day["line_items"]) for day in usage["daily_costs"]] == [
            Decimal("0.9")
        ]


@pytest.mark.parametrize(("start", "end", "cents"), [(-1, 2, "0.45"), (-9, -1, "0"), (2, 9, "0")])
async def test_usage_honours_its_dates(start: int, end: int, cents: str):
    async with stand({"m": ["gpt-5.5"]}) as s:
        await asked(s)
        days = (TODAY + timedelta(days=start), TODAY + timedelta(days=end))
        usage = exact(await s.get("/v1/dashboard/billing/usage?start_date={}&end_date={}".format(*days)))
        assert usage["total_usage"] == Decimal(cents)


@pytest.mark.parametrize(
    "query", ["start_date=soon", "start_date=2026-01-02&end_date=2026-01-02", "start_date=2020-01-01"]
)
async def test_dates_that_make_no_sense_are_a_bad_request(query: str):
    async with stand({"m": ["gpt-5.5"]}) as s:
        reply = await s.get(f"/v1/dashboard/billing/usage?{query}")
        assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("path", ["/v1/balance", "/v1/requests/x", "/v1/dashboard/billing/usage"])
async def test_without_a_key_nothing_is_told(path: str):
    async with stand({"m": ["gpt-5.5"]}) as s:
        assert (await s.get(path, {"authorization": "Bearer sk-wrong"})).status == 401


async def test_the_last_date_is_not_included():
    async with stand({"m": ["gpt-5.5"]}) as s:
        books = s.gateway.services.books
        admitted_ms = int((await asked(s))[4:16], 16)  # an id begins with its time
        windows = [(admitted_ms - 1, admitted_ms), (admitted_ms, admitted_ms + 1)]
        assert await books.spent_nano_usd("test", windows) == (0, 4_500_000)
