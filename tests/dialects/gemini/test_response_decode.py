"""A whole reply is read in one of two ways, and both must say the same (`answer_decode` has the tests of what they say)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.fold import fold
from dialects.gemini.exchange import events_of, reply, sent, sse

TEXTS = st.fixed_dictionaries(
    {"text": st.sampled_from(["a", "ä b", ""])},
    optional={"thought": st.booleans(), "thoughtSignature": st.sampled_from(["c2ln", "", None])},
)
USAGES = st.none() | st.fixed_dictionaries(
    {"promptTokenCount": st.integers(0, 9)},
    optional={
        "candidatesTokenCount": st.integers(0, 9),
        "thoughtsTokenCount": st.integers(0, 9),
        "totalTokenCount": st.integers(0, 27),
        "serviceTier": st.sampled_from(["FLEX", "STANDARD", ""]),
        "promptTokensDetails": st.just([{"modality": "TEXT", "tokenCount": 4}]),
    },
)


@given(st.lists(TEXTS, max_size=4), st.sampled_from(["STOP", "MAX_TOKENS", "NEW_WORD", ""]), USAGES)
def test_a_plain_reply_says_what_its_stream_says(parts, finish, usage):
    body = {**reply(*parts, usage=usage, finishReason=finish), "createTime": "2026-11-21T05:00:00Z"}
    context = sent(seal_scope="gemini/a", seal_origin="vertex")
    assert GEMINI.decode_response(json.dumps(body).encode(), context) == fold(events_of([sse(body)], context))


@pytest.mark.parametrize("indexes", [(0, 1), (1, 0), (0, 0), (1,), (63,)])
def test_candidates_are_put_in_order_however_they_are_numbered(indexes):
    candidates = [reply({"text": str(n)}, finish="STOP", index=n)["candidates"][0] for n in indexes]
    body = {"candidates": candidates}
    answer = GEMINI.decode_response(json.dumps(body).encode(), sent())
    assert answer == fold(events_of([sse(body)]))
    assert [choice.index for choice in answer.choices] == sorted(set(indexes))
