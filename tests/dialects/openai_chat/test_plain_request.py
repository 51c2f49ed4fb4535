"""What is read by type is what the long ways read: plain bodies, near-misses of them, and every recorded request."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.dialects.openai_chat.head import read_any_head
from allgate.dialects.openai_chat.plain_request import PLAIN_BYTES_MAX, plain_head, plain_request
from allgate.dialects.openai_chat.request_decode import decode_any_request
from allgate.dialects.seals import ENVELOPE_PREFIX
from allgate.wire.message import WireRequest
from dialects.openai_chat.exchange import BOX, posted
from dialects.openai_chat.test_recordings import ASKED, by_id, loaded

TEXTS = st.text(max_size=6) | st.sampled_from(["Hi", ENVELOPE_PREFIX, "\ud83d", "\u2028", '"\\'])
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | TEXTS
    | st.lists(TEXTS, max_size=2)
    | st.dictionaries(st.sampled_from(["text", "type", "role", "content", "x"]), TEXTS, max_size=2)
)
SIZES = st.none() | st.integers(0, 2**65) | st.floats(0, 2) | st.sampled_from([1.0, 5.0, 1e300])
BLOCKS = st.lists(
    st.fixed_dictionaries(
        {"text": TEXTS},
        optional={"type": st.sampled_from(["text", "input_text", None]), "cache_control": st.just({})},
    ),
    max_size=2,
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "User"])},
    optional={"content": TEXTS | BLOCKS | ODD, "name": ODD, "refusal": st.none()},
)
SPOKEN = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "user", "assistant"]), "content": TEXTS | BLOCKS}
)
NEEDED = {"model": TEXTS, "messages": st.lists(SPOKEN, max_size=4)}
PLAIN_MEMBERS = {
    "stream": st.booleans(),
    "stream_options": st.fixed_dictionaries({}, optional={"include_usage": st.booleans() | st.none()}),
    "stop": st.none() | TEXTS | st.lists(TEXTS, max_size=3),
}
NUMBERS = (
    "max_tokens", "max_completion_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "n",
)  # fmt: skip
PLAIN_MEMBERS |= dict.fromkeys(NUMBERS, SIZES)
EXTRA = ("tools", "user", "extra_body", "logprobs", "top_k", "reasoning_effort", "Model", "thinking")
ODD_MEMBERS = dict.fromkeys((*NEEDED, *PLAIN_MEMBERS, *EXTRA), ODD) | {
    "messages": st.lists(MESSAGES | ODD, max_size=3)
}


def written(*parts: dict) -> bytes:
    """One object with the members of all, so that some may stand twice."""
    texts = [json.dumps(part)[1:-1] for part in parts if part]
    return ("{" + ", ".join(texts) + "}").encode()


BODIES = st.builds(
    written,
    st.fixed_dictionaries(NEEDED, optional=PLAIN_MEMBERS),
    st.just({}) | st.fixed_dictionaries({}, optional=ODD_MEMBERS).filter(lambda odd: len(odd) < 3),
)


def long_way(read, *given) -> str:
    try:
        return repr(read(*given))  # which tells 1 from 1.0 and from True
    except WireError as error:
        return repr(error.failure)


def check(body: bytes) -> tuple[bool, bool]:
    """Whether (request, head) are read by type; and if they are, they are the same as those of the long way."""
    wire = WireRequest(method="POST", path="/v1/chat/completions", body=body)
    request, head = plain_request(body), plain_head(body)
    assert request is None or repr(request) == long_way(decode_any_request, wire, BOX)
    assert head is None or (repr(head), head) == (long_way(read_any_head, wire), read_any_head(wire))
    return request is not None, head is not None


@given(BODIES)
def test_what_is_read_by_type_is_what_the_long_way_reads(body):
    check(body)


@pytest.mark.parametrize("row", ASKED, ids=by_id)
def test_a_recorded_request_reads_the_same_both_ways(row):
    check(json.dumps(loaded(row)["request"]["body"]).encode())


ORDINARY = [
    {},
    {"stream": True},
    {"stream": False, "stream_options": {"include_usage": True}},
    {"max_tokens": 5, "temperature": 1, "top_p": 0.5, "n": 1, "seed": 7},
    {"max_completion_tokens": 5, "frequency_penalty": 0, "presence_penalty": -1.5},
    {"temperature": None, "stream": None, "stop": None, "max_tokens": None},
    {"stop": "\n"},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
    {"messages": [{"role": "user", "content": ENVELOPE_PREFIX}]},
    {
        "messages": [
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": "Grüße 😀"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "And?"},
        ]
    },
]


@pytest.mark.parametrize("members", ORDINARY, ids=str)
def test_an_ordinary_request_is_read_by_type(members):
    assert check(posted(**members).body) == (True, True)


@pytest.mark.parametrize(
    "members",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ENVELOPE_PREFIX}]}]},
        {"stop": ["a", "b"]},
    ],
    ids=str,
)
def test_where_an_envelope_could_be_only_the_request_is_read_by_type(members):
    assert check(posted(**members).body) == (True, False)


@pytest.mark.parametrize(
    "members",
    [
        {"model": ""},
        {"model": None},
        {"messages": None},
        {"messages": "hi"},
        {"stream": 1},
        {"stream_options": {"include_obfuscation": False}},
        {"max_tokens": True},
        {"n": 1.5},
        {"tools": []},
        {"user": "u"},
        {"extra_body": {"top_k": 1}},
        {"messages": [{"role": "user", "content": "Hi", "name": "Ann"}]},
        {"messages": [{"role": "user", "content": "a" * PLAIN_BYTES_MAX}]},
    ],
    ids=lambda members: str(members)[:60],
)
def test_what_is_not_plain_goes_the_long_way(members):
    assert check(posted(**members).body) == (False, False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"{",
        b'{"model":"m","messages":[{"role":"user","content":"\\ud83d"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}]} x',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"temperature":NaN}',
        b'{"model":"m","messages":[{"role":"user","content":"\xff"}]}',
        b'{"model":"m","messages":' + b"[" * 500 + b"]" * 500 + b"}",
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
def test_what_is_no_chat_body_is_left_to_the_long_way_to_say(body):
    assert check(body) == (False, False)


def test_a_name_written_with_an_escape_or_twice_counts_as_it_does_on_the_long_way():
    message = b'"messages":[{"role":"user","content":"a"}]'
    assert check(b'{"mod\\u0065l":"m",' + message + b"}") == (True, True)
    assert check(b'{"model":"a","model":"b",' + message + b',"n":2,"n":null}') == (True, True)
