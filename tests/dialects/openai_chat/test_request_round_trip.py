"""What is read and written again says the same, on hand-made bodies and on random conversations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.parts import (
    Text,
    Thinking,
)
from allgate.operations.chat.request import (
    Turn,
)
from allgate.wire.message import WireRequest
from dialects.openai_chat.exchange import (
    BOX,
    SCHEMA,
    decoded,
    messages,
)

BODIES = [
    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hi", "name": "Ann"}]},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}], "tool_choice": "auto"},
    {"temperature": 0.5, "max_tokens": 5, "stop": "x", "seed": 1, "n": 2, "logit_bias": {"1": 1}},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
    {
        "reasoning_effort": "low",
        "user": "u",
        "metadata": {"a": "b"},
        "stream": True,
        "stream_options": {"include_usage": True},
    },
]


@pytest.mark.parametrize("body", BODIES)
def test_what_was_read_and_written_reads_the_same(body):
    request = decoded(**body)
    call = OPENAI_CHAT.encode_request(request, "m", CAPS_DEFAULT)
    again = OPENAI_CHAT.decode_request(WireRequest(method="POST", path="/", body=call.body), BOX)
    assert again == request


TEXT = st.text(max_size=12)
TURNS = st.lists(
    st.one_of(
        st.builds(Turn, role=st.just("user"), parts=st.tuples(st.builds(Text, text=TEXT))),
        st.builds(
            Turn,
            role=st.just("assistant"),
            parts=st.tuples(st.builds(Text, text=TEXT), st.builds(Thinking, text=TEXT)),
        ),
        st.builds(Turn, role=st.just("system"), parts=st.tuples(st.builds(Text, text=TEXT))),
    ),
    min_size=1,
    max_size=5,
)


@given(TURNS, st.sampled_from([{}, {"mid_system": False}, {"reasoning_replay": "all"}, {"prefill": True}]))
def test_every_conversation_becomes_messages_that_can_be_read_again(turns, narrowed):
    for message in messages(*turns, **narrowed):
        assert message["role"] in ("system", "user", "assistant")
        assert isinstance(message["content"], str)
