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
        ("Function call is missing a thought_signature in functionCall parts.", Repair(thinking=True)),
        ("The encrypted_content could not be verified.", Repair(thinking=True)),
        ("prompt is too long: 5 tokens > 4 maximum", None),
    ],
)
def test_a_refusal_that_names_what_it_will_not_take_is_repaired(message: str, repair: Repair | None) -> None:
    assert repair_for(refused(message), HEAD) == repair


def test_only_a_refused_400_is_repaired() -> None:
    message = "Unknown parameter: 'temperaure'."
    assert repair_for(refused(message, ErrorKind.RATE_LIMIT), HEAD) is None
    assert repair_for(AttemptFailed(refused(message).failure, Phase.UNKNOWN), HEAD) is None


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
