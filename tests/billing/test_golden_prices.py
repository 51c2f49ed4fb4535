"""The golden table: a provider's own usage JSON, read by its dialect, settled and priced, is the amount worked by hand."""

import json
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from allgate.admin.price_rows import SheetRow
from allgate.billing.prices import charge_for
from allgate.billing.pricing import Pricing
from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.contract import Facts, Head
from allgate.gateway.settle import Outcome, charged_usage
from allgate.operations.chat.caps import Caps
from allgate.wiring.price_sheets import price_sheet

TABLE = tomllib.loads((Path(__file__).parent / "golden_prices.toml").read_text())
ROWS = TABLE["rows"]
SHEETS = {
    name: price_sheet(msgspec.convert({**sheet, "name": name}, SheetRow))
    for name, sheet in TABLE["sheets"].items()
}
TEXT = "twelve bytes"
INPUT_BYTES = 4_000


def test_the_table_is_long_enough_and_holds_every_dialect_and_habit():
    assert len(ROWS) >= 78
    dialects = Counter(row["dialect"] for row in ROWS)
    assert min(dialects[name] for name in ("openai_chat", "openai_responses", "anthropic", "gemini")) >= 11
    assert sum(row.get("stream", False) for row in ROWS) >= 9
    assert len({(row["dialect"], row["name"]) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['dialect']}: {row['name']}" for row in ROWS])
def test_usage_costs_what_the_hand_says(row: dict):
    facts = streamed(row) if row.get("stream") else whole(row)
    usage = charged_usage(Outcome(kind="ok", facts=facts, delivered=True), INPUT_BYTES)
    assert usage is not None
    ratio = Decimal(row.get("ratio", "1"))
    sheet = SHEETS[row["sheet"]]
    assert charge_for(usage, sheet, ratio).amount_nano_usd == row["nano_usd"]
    assert Pricing(sheet, ratio).charge(usage) == row["nano_usd"]
    assert usage.estimated is ("counted" in row["name"] or "missing" in row["name"])


def whole(row: dict) -> Facts:
    """The facts of a whole reply with this usage in its place."""
    usages = [json.loads(text) for text in row["usage"]]
    reply = BODIES[row["dialect"]](row, *usages)
    return CHAT_DIALECTS[row["dialect"]].read_facts(json.dumps(reply).encode())


def streamed(row: dict) -> Facts:
    """The facts of a stream that reports these usages, one after the other."""
    usages = [json.loads(text) for text in row["usage"]]
    meter = CHAT_DIALECTS[row["dialect"]].meter(Head(model="m", stream=True), Caps())
    for frame in STREAMS[row["dialect"]](usages):
        event = f"event: {frame['type']}\n" if "type" in frame else ""
        meter.feed(f"{event}data: {json.dumps(frame)}\n\n".encode())
    meter.close()
    return meter.facts()


def chat(row: dict, *usage) -> dict:
    message = {"role": "assistant", "content": TEXT}
    beside = {"service_tier": row["tier"]} if "tier" in row else {}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"choices": [choice], **beside, **({"usage": usage[0]} if usage else {})}


def responses(row: dict, *usage) -> dict:
    content = [{"type": "output_text", "text": TEXT}]
    reply = {
        "status": row.get("status", "completed"),
        "output": [{"type": "message", "role": "assistant", "content": content}],
        "tool_usage": json.loads(row.get("tool_usage", "null")),
    }
    beside = {"service_tier": row["tier"]} if "tier" in row else {}
    return {**reply, **beside, **({"usage": usage[0]} if usage else {})}


def messages(_: dict, *usage) -> dict:
    reply = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": TEXT}]}
    return {**reply, "stop_reason": "end_turn", **({"usage": usage[0]} if usage else {})}


def generated(_: dict, *usage) -> dict:
    candidate = {"content": {"role": "model", "parts": [{"text": TEXT}]}, "finishReason": "STOP"}
    return {"candidates": [candidate], **({"usageMetadata": usage[0]} if usage else {})}


def chat_stream(usages: list) -> list[dict]:
    def chunk(delta: dict, finish: str | None, usage: object) -> dict:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"object": "chat.completion.chunk", "choices": [choice], "usage": usage}

    texts = [
        chunk({"content": TEXT if not number else ""}, None, one)
        for number, one in enumerate(usages[:-1] or [None])
    ]
    return [*texts, chunk({}, "stop", usages[-1])]


def responses_stream(usages: list) -> list[dict]:
    return [
        {"type": "response.output_text.delta", "delta": TEXT},
        {"type": "response.completed", "response": responses({}, usages[-1])},
    ]


def messages_stream(usages: list) -> list[dict]:
    first, last = usages
    delta = {"type": "text_delta", "text": TEXT}
    return [
        {"type": "message_start", "message": {**messages({}, first), "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last},
        {"type": "message_stop"},
    ]


def generated_stream(usages: list) -> list[dict]:
    part = {"content": {"role": "model", "parts": [{"text": TEXT}]}}
    chunks = [{"candidates": [part], "usageMetadata": usage} for usage in usages[:-1]]
    return [*chunks, {"candidates": [{**part, "finishReason": "STOP"}], "usageMetadata": usages[-1]}]


BODIES = {
    "openai_chat": chat,
    "openai_responses": responses,
    "anthropic": messages,
    "gemini": generated,
}
STREAMS = {
    "openai_chat": chat_stream,
    "openai_responses": responses_stream,
    "anthropic": messages_stream,
    "gemini": generated_stream,
}
