"""A plain request is read by type, and as the long way reads it; what is not plain goes the long way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.dialects.anthropic import plain_request
from allgate.dialects.anthropic.plain_request import PLAIN_BYTES_MAX, decode_request
from allgate.dialects.anthropic.request_decode import ATTRIBUTION, decode_any_request
from allgate.wire.message import WireRequest
from dialects.anthropic.exchange import BOX, decoded
from dialects.anthropic.near_plain import near, outcome
from dialects.anthropic.test_recordings import ASKED, by_id, wire

TEXTS = st.sampled_from(
    [*['"hi"', '"日本"'] * 10, '"a\\n\\u00e9"', '""', '"  "', '"\\ud83d"', f'"{ATTRIBUTION} x"']
)
BLOCKS = near({"type": st.just('"text"'), "text": TEXTS})


def listed(texts: list[str]) -> str:
    return f"[{','.join(texts)}]"


CONTENTS = st.one_of(
    TEXTS, TEXTS, BLOCKS.map(lambda block: f"[{block}]"), st.lists(BLOCKS, max_size=2).map(listed)
)
MESSAGES = near(
    {"role": st.sampled_from([*['"user"'] * 6, *['"assistant"'] * 2, '"system"']), "content": CONTENTS}
)
NUMBERS = st.sampled_from(["1", "1.0", "0.5", "1000", "0"])
BODIES = near(
    {
        "model": st.just('"m"'),
        "max_tokens": st.sampled_from(["1", "1", "1000", "5.0"]),
        "system": CONTENTS,
        "messages": st.lists(MESSAGES, min_size=1, max_size=2).map(listed),
        "temperature": NUMBERS,
        "top_p": NUMBERS,
        "top_k": st.just("5"),
        "stop_sequences": st.sampled_from(["[]", '["a"]', '["a",""]']),
        "stream": st.sampled_from(["true", "false"]),
    }
)
HEADERS = st.sampled_from(
    [
        (),
        ((b"anthropic-version", b"2023-06-01"),),
        ((b"anthropic-version", b"2026-10-21"), (b"anthropic-beta", b"a, b"), (b"anthropic-beta", b"a")),
    ]
)


def both_ways(request: WireRequest) -> tuple[object, object]:
    return outcome(lambda: decode_request(request, BOX)), outcome(lambda: decode_any_request(request, BOX))


@settings(max_examples=400, deadline=None)
@given(BODIES, HEADERS)
def test_both_ways_read_the_same_request_or_refuse_it_in_the_same_words(body, headers):
    shorter, longer = both_ways(
        WireRequest(method="POST", path="", headers=headers, body=body.encode("utf-8", "surrogatepass"))
    )
    assert shorter == longer


@pytest.mark.parametrize("row", ASKED, ids=by_id)
def test_both_ways_read_a_recorded_request_alike(row):
    shorter, longer = both_ways(wire(row))
    assert shorter == longer


@pytest.fixture
def only_by_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the long way: what is not read by type fails."""
    monkeypatch.delattr(plain_request, "decode_any_request")


TURNS = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": [{"type": "text", "text": "ho"}]},
    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
]


@pytest.mark.usefixtures("only_by_type")
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"system": "Be kind."},
        {"system": [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be brief."}]},
        {"messages": TURNS},
        {"temperature": 1, "top_p": 0.5, "top_k": 5, "stop_sequences": ["a"], "stream": True},
        {"temperature": None, "max_tokens": None},
    ],
    ids=str,
)
def test_what_an_ordinary_call_of_an_sdk_sends_is_read_by_type(members):
    assert decoded(**members).turns


@pytest.mark.usefixtures("only_by_type")
@pytest.mark.parametrize(
    "members",
    [
        {"tools": []},
        {"thinking": {"type": "disabled"}},
        {"metadata": {"user_id": "u"}},
        {"system": [{"type": "text", "text": f"{ATTRIBUTION} cc_version=1"}]},
        {"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
        {"messages": [{"role": "user", "content": "a" * PLAIN_BYTES_MAX}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}] * 2}]},
        {"messages": [*TURNS, {"role": "system", "content": "now"}]},
    ],
    ids=lambda members: str(members)[:60],
)
def test_anything_else_goes_the_long_way(members):
    with pytest.raises(NameError):
        decoded(**members)
