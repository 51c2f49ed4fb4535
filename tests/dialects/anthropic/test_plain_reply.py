"""A plain reply is read by type, and as the long way reads it; what is not plain goes the long way."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.dialects.anthropic import plain_reply
from allgate.dialects.anthropic.meter import read_any_facts
from allgate.dialects.anthropic.plain_reply import decode_response, read_facts
from allgate.dialects.anthropic.response_decode import decode_any_response
from dialects.anthropic.exchange import message, sent
from dialects.anthropic.near_plain import near, outcome
from dialects.anthropic.test_recordings import ALL, by_id, loaded

COUNTS = st.sampled_from(["0", "7", "200", "7", "200", "7", "200", "-3"])
BLOCKS = near(
    {"type": st.just('"text"'), "text": st.one_of(st.just('"hi"'), st.text(max_size=3).map(json.dumps))}
)
USAGES = near(
    {
        "input_tokens": COUNTS,
        "output_tokens": COUNTS,
        "cache_read_input_tokens": COUNTS,
        "cache_creation_input_tokens": COUNTS,
        "cache_creation": near({"ephemeral_5m_input_tokens": COUNTS, "ephemeral_1h_input_tokens": COUNTS}),
        "output_tokens_details": near({"thinking_tokens": COUNTS}),
        "service_tier": st.sampled_from(['"standard"', '"priority"', '""', "null"]),
        "inference_geo": st.sampled_from(['"global"', '""', "null"]),
    }
)
REPLIES = near(
    {
        "id": st.just('"msg_1"'),
        "type": st.just('"message"'),
        "role": st.just('"assistant"'),
        "model": st.just('"m"'),
        "content": st.lists(BLOCKS, min_size=1, max_size=1).map(lambda blocks: f"[{','.join(blocks)}]"),
        "stop_reason": st.sampled_from(['"end_turn"', '"max_tokens"', '"tool_use"', '"refusal"', '"novel"']),
        "stop_sequence": st.sampled_from(["null", '""', '"###"']),
        "stop_details": st.sampled_from(["null", "null", "{}", '{"category":"cyber"}']),
        "usage": USAGES,
    }
)
ORDINARY = {
    "input_tokens": 181,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 12,
    "output_tokens_details": {"thinking_tokens": 0},
    "service_tier": "standard",
    "inference_geo": "global",
}


def check(body: bytes) -> None:
    """Both ways of both readers agree."""
    context = sent()
    shorter = outcome(lambda: decode_response(body, context)), outcome(lambda: read_facts(body))
    longer = outcome(lambda: decode_any_response(body, context)), outcome(lambda: read_any_facts(body))
    assert shorter == longer


@settings(max_examples=400, deadline=None)
@given(REPLIES)
def test_both_ways_read_the_same_reply_or_refuse_it_in_the_same_words(body):
    check(body.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("row", [row for row in ALL if not row["stream"]], ids=by_id)
def test_both_ways_read_a_recorded_reply_alike(row):
    check(json.dumps(loaded(row)["response"].get("body")).encode())


@pytest.fixture
def only_by_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the long way: what is not read by type fails."""
    monkeypatch.delattr(plain_reply, "decode_any_response")
    monkeypatch.delattr(plain_reply, "read_any_facts")


@pytest.mark.usefixtures("only_by_type")
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"usage": ORDINARY},
        {"stop_details": None, "container": None, "context_management": None},
        {"stop_reason": "stop_sequence", "stop_sequence": "###"},
        {"stop_reason": "max_tokens"},
    ],
    ids=str,
)
def test_the_vendors_ordinary_reply_is_read_by_type(members):
    body = message("Paris.", **members)
    assert decode_response(body, sent()).choices[0].parts
    assert read_facts(body).text == "Paris."


@pytest.mark.usefixtures("only_by_type")
@pytest.mark.parametrize(
    "body",
    [
        message("Paris.", "London."),
        message("Paris.", container={"id": "c"}),
        message("Paris.", usage={"input_tokens": 1}),
        message("Paris.", usage={**ORDINARY, "iterations": []}),
        message({"type": "text", "text": "Paris.", "citations": []}),
        message({"type": "thinking", "thinking": "so", "signature": "c2ln"}),
    ],
    ids=str,
)
def test_anything_else_goes_the_long_way(body):
    with pytest.raises(NameError):
        decode_response(body, sent())
    with pytest.raises(NameError):
        read_facts(body)
