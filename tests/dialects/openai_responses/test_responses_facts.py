"""The facts of a reply are the same whether its items are read or only their types."""

from hypothesis import given

from allgate.dialects.openai_responses.facts import read_any_facts, read_facts
from dialects.openai_responses.exchange import function_call, message, response
from dialects.openai_responses.near_plain import near, outcome, recorded

COUNTED = {
    "input_tokens": 200, "input_tokens_details": {"cached_tokens": 5}, "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 300,
}  # fmt: skip
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
SEARCH = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search"}}
REPLIES = [
    response(message("A dog."), usage=COUNTED),
    response(
        THOUGHT, function_call(), usage=COUNTED, error=None, tool_usage={"web_search": {"num_requests": 2}}
    ),
    response(THOUGHT, usage=COUNTED, service_tier="flex", status="in_progress"),
    response(SEARCH, message("A dog."), usage=COUNTED),
    response(message("A dog."), usage=None, status="failed", error={"message": "no"}),
]


@given(near(REPLIES))
def test_what_is_skipped_over_changes_nothing(body):
    assert outcome(read_facts, body) == outcome(read_any_facts, body)


def test_every_recorded_reply_tells_the_same(recordings):
    for body in recorded(recordings, "response"):
        assert outcome(read_facts, body) == outcome(read_any_facts, body)
