"""An independent calculator: `genai-prices` reads every recorded reply and prices it; we charge the same.

Both begin with the same price list. What is independent is everything between it and the amount: which members of a reply
are read, what is inside of what, which price a token has, and the rounding. Streams are put together by hand here, as that
calculator reads whole replies.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

from genai_prices import calc_price, extract_usage
from recorded import Recording, recordings

from allgate.billing.prices import Charge, charge_for
from allgate.billing.sheets import HOSTED_UNITS
from allgate.cli.price_source import NAMES, sourced
from allgate.core.errors import WireError
from allgate.core.usage import Usage
from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.contract import Facts, Head
from allgate.operations.chat.caps import Caps
from allgate.wiring.price_sheets import price_sheet

TODAY = datetime(2026, 11, 21, tzinfo=UTC)
PRICED_MIN = 274

EXCEPTIONS = {
    "google-generate-content-google-model-mobile-youtube-video-url-input-16c18b9a": (
        "sound that was read from the cache has a price of its own there; a sheet charges it as what is read from the cache"
    ),
}
"""Recordings on which the two differ, and why. No other may, and these must."""

HOSTED_MAX = 7
"""Recordings of searches that a provider reports beside its usage, in its answer: they do not look there. The two then differ
by exactly the lines of those calls."""

# recorded as → our provider's name; theirs follow from NAMES
OURS = {"google": "gemini", "zai": "zhipu", "dashscope": "qwen"}
FLAVORS = {"openai_chat": ("chat", "default"), "openai_responses": ("responses", "default")}


class Priced(NamedTuple):
    """What they say of a recording, in nano-USD, and what we do."""

    theirs: int
    ours: Charge


def test_they_price_every_recording_as_we_do(shared: Path):
    skipped: Counter[str] = Counter()
    different: dict[str, str] = {}
    priced = hosted = 0
    for recording in recordings(shared):
        found = compared(recording)
        if isinstance(found, str):
            skipped[found] += 1
            continue
        priced += 1
        if found.theirs + hosted_nano_usd(found.ours) == found.ours.amount_nano_usd != found.theirs:
            hosted += 1
        elif found.theirs != found.ours.amount_nano_usd:
            different[recording.id] = f"theirs {found.theirs}, ours {found.ours}"
    print(f"{priced} priced by both, {hosted} but for hosted calls; left out: {dict(skipped)}")
    assert different.keys() == EXCEPTIONS.keys(), different
    assert 0 < hosted <= HOSTED_MAX
    assert priced >= PRICED_MIN, skipped


def hosted_nano_usd(charge: Charge) -> int:
    """What hosted calls are of it; their prices are whole nano-USD."""
    lines = [line for line in charge.lines if line.unit in HOSTED_UNITS]
    return int(sum(line.quantity * Decimal(line.price_usd) * 10**9 for line in lines))


def compared(recording: Recording) -> Priced | str:
    """Or why it cannot be compared."""
    provider = OURS.get(recording.provider, recording.provider)
    whole = reply(recording)
    if whole is None:
        return "no usage in it"
    model = whole.get("model") or whole.get("modelVersion") or recording.request.get("model")
    theirs = their_amount(recording.dialect, NAMES.get(provider, provider), str(model), whole)
    if isinstance(theirs, str):
        return theirs
    sheet = sheet_of(provider, str(model))
    if sheet is None:
        return "no sheet can say its prices"
    usage = our_usage(recording)
    if usage is None:
        return "we found no usage"
    return Priced(theirs, charge_for(usage, sheet))


@cache
def sheet_of(provider: str, model: str):
    row = sourced(provider, model, TODAY).sheet
    return None if row is None else price_sheet(row)


def their_amount(dialect: str, provider: str, model: str, whole: dict) -> int | str:
    reason = "they do not know the provider"
    for flavor in FLAVORS.get(dialect, ("default",)):
        try:
            usage = extract_usage(whole, provider_id=provider, api_flavor=flavor).usage
            tier = whole.get("service_tier") or whole.get("usage", {}).get("service_tier")
            context = {"service_tier": tier} if tier else None
            price = calc_price(
                usage, model, provider_id=provider, genai_request_timestamp=TODAY, price_context=context
            )
        except LookupError:
            reason = "they do not know the model"
        except (ValueError, AttributeError) as error:  # (the latter: a modality that is a number)
            reason = f"they cannot read it: {str(error)[:60]}"
        else:
            exact = price.total_price * 10**9
            return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    return reason


def our_usage(recording: Recording) -> Usage | None:
    dialect = CHAT_DIALECTS[recording.dialect]
    facts: Facts
    if recording.stream:
        meter = dialect.meter(Head(model="m", stream=True), Caps())
        meter.feed(recording.reply)
        meter.close()
        facts = meter.facts()
    else:
        try:
            facts = dialect.read_facts(recording.reply)
        except WireError:
            return None
    return facts.usage


def reply(recording: Recording) -> dict | None:
    """The whole reply; of a stream, what its usage reports come to."""
    if not recording.stream:
        whole = json.loads(recording.reply)
        return whole if whole.get("usage") or whole.get("usageMetadata") else None
    frames = list(frames_of(recording.reply))
    match recording.dialect:
        case "openai_chat":
            return next((one for one in reversed(frames) if one.get("usage")), None)
        case "openai_responses":
            return next(
                (one["response"] for one in reversed(frames) if (one.get("response") or {}).get("usage")),
                None,
            )
        case "anthropic":
            return anthropic_message(frames)
        case _:
            return next((one for one in reversed(frames) if one.get("usageMetadata")), None)


def anthropic_message(frames: list[dict]) -> dict | None:
    message = next((one["message"] for one in frames if one.get("type") == "message_start"), None)
    if message is None:
        return None
    deltas = [one["usage"] for one in frames if one.get("type") == "message_delta" and one.get("usage")]
    usage = dict(message["usage"])
    for delta in deltas:
        usage |= {key: value for key, value in delta.items() if value is not None}
    return {**message, "usage": usage}


def frames_of(body: bytes) -> Iterator[dict]:
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith("data:") and line[5:].strip().startswith("{"):
            yield json.loads(line[5:])
