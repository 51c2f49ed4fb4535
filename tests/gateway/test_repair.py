import json

import pytest

from allgate.core.errors import AttemptFailed, ErrorKind, Failure, Phase
from allgate.dialects.contract import Head
from allgate.gateway.repair import Repair, repair_for
from stand import stand

HEAD = Head(model="m", fields=frozenset({"model", "messages", "temperaure", "context_management"}))


def refused(message: str, kind: ErrorKind = ErrorKind.BAD_REQUEST) -> AttemptFailed:
    return AttemptFailed(Failure(kind=kind, message=message, upstream=True), Phase.REFUSED)


@pytest.mark.parametrize(
    ("message", "repair"),
    [
        ("Unrecognized request argument supplied: temperaure", Repair(member="temperaure")),
        ("Unknown parameter: 'temperaure'.", Repair(member="temperaure")),
        ("context_management: Extra inputs are not permitted", Repair(member="context_management")),
        (
            'Invalid JSON payload received. Unknown name "temperaure": Cannot find field.',
            Repair(member="temperaure"),
        ),
        ("messages.1.output_config: Extra inputs are not permitted", None),
        ("Unknown parameter: 'messages'.", None),
        ("Unknown parameter: 'never_sent'.", None),
        ("messages.1.content.0: Invalid `signature` in `thinking` block", Repair(thinking=True)),
        ("The encrypted_content could not be verified.", Repair(thinking=True)),
        ("prompt is too long: 5 tokens > 4 maximum", None),
    ],
)
def test_a_refusal_that_names_what_it_will_not_take_is_repaired(message: str, repair: Repair | None) -> None:
    assert repair_for(refused(message), HEAD, passthrough=True) == repair


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Function call is missing a thought_signature in functionCall parts.", ErrorKind.BAD_REQUEST),
        ("messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.", ErrorKind.BAD_REQUEST),
        ("Item with id 'rs_0ab1' not found. Items are not persisted.", ErrorKind.NOT_FOUND),
    ],
)  # fmt: skip
def test_a_history_of_another_vendor_is_translated_before_anything_is_removed(
    message: str, kind: ErrorKind
) -> None:
    failed = refused(message, kind)
    assert repair_for(failed, HEAD, passthrough=True) == Repair(translated=True)
    assert repair_for(failed, HEAD, passthrough=False) == Repair(thinking=True)


def test_only_a_refused_request_is_repaired() -> None:
    message = "Unknown parameter: 'temperaure'."
    assert repair_for(refused(message, ErrorKind.RATE_LIMIT), HEAD, passthrough=True) is None
    assert repair_for(AttemptFailed(refused(message).failure, Phase.UNKNOWN), HEAD, passthrough=True) is None


async def test_an_unknown_member_is_removed_and_the_request_repeated_with_a_note() -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"]) as s:
        body = {
            "model": "m",
            "max_tokens": 50,
            "messages": [{"role": "user", "content": "hi"}],
            "temperaure": 1,
        }
        reply = await s.post("/v1/messages", body)
        assert reply.status == 200, reply.body
        assert "dropped temperaure" in reply.headers["x-allgate-notes"]
        assert [line.status for line in s.sim.ledger.lines] == [400, 200]
        assert len(s.rows) == 1


async def test_a_forged_signature_is_stripped_and_the_request_repeated_with_a_note() -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, dialects=["anthropic"]) as s:
        thought = {"type": "thinking", "thinking": "hm", "signature": "bm90IG91cnM="}
        turns = [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [thought, {"type": "text", "text": "hello"}]},
            {"role": "user", "content": "again"},
        ]
        thinking = {"type": "enabled", "budget_tokens": 1024}
        body = {"model": "m", "max_tokens": 2000, "messages": turns, "thinking": thinking}
        reply = await s.post("/v1/messages", body)
        assert reply.status == 200, reply.body
        assert "dropped thinking history" in reply.headers["x-allgate-notes"]
        assert [line.status for line in s.sim.ledger.lines] == [400, 200]
        refused, repaired = (json.dumps(s.sim.ledger.body(line)) for line in s.sim.ledger.lines)
        assert "bm90IG91cnM=" in refused
        assert "bm90IG91cnM=" not in repaired, "regression 38: what is sent again has really changed"
