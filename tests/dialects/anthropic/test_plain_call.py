"""A plain request is written directly, and as the long way writes it; what is not plain goes the long way."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC, plain_call
from allgate.dialects.anthropic.plain_call import encode_request
from allgate.dialects.anthropic.request_encode import encode_any_request
from allgate.operations.chat.parts import CacheMark, Text
from allgate.operations.chat.request import ChatRequest, Identity, Reasoning, Sampling, State, Turn
from dialects.anthropic.exchange import ADAPTIVE, BOX, BUDGET, FOREIGN, REQUEST, USER, decoded
from dialects.anthropic.near_plain import outcome
from dialects.anthropic.test_recordings import READ, by_id, wire

SELDOM = st.sampled_from([*[False] * 15, True])
TEXTS = st.builds(
    lambda text, marked: Text(text=text, cache=CacheMark() if marked else None),
    st.sampled_from([*["hi", "a\n", "日本", "x" * 5000] * 4, "", " ", "\u2003", "\ud83d"]),
    SELDOM,
)


@st.composite
def conversations(draw: Callable[..., Any]) -> tuple[Turn, ...]:
    """Nearly always by turns, with one text each."""
    turns: list[Turn] = []
    for place in range(draw(st.sampled_from([1, 1, 3, 3, 2, 0]))):
        role = draw(st.sampled_from(["user", "assistant", "system", "tool"])) if draw(SELDOM) else None
        texts = (draw(TEXTS), draw(TEXTS)) if draw(SELDOM) else (draw(TEXTS),)
        role = role or ("assistant" if place % 2 else "user")
        turns.append(Turn(role=role, parts=texts, name="Ann" if draw(SELDOM) else None))
    return tuple(turns)


SAMPLING = st.builds(
    Sampling,
    temperature=st.sampled_from([None, 0, 1, 1.0, 1.7]),
    top_p=st.sampled_from([None, 0.5]),
    top_k=st.sampled_from([None, 5]),
    max_tokens=st.sampled_from([None, 1, 100_000]),
    stop=st.sampled_from([(), ("a",), (" ", "b")]),
    n=st.sampled_from([*[None] * 8, 1, 2]),
    seed=st.sampled_from([*[None] * 8, 0]),
    logprobs=st.sampled_from([*[None] * 8, False, True]),
)
REQUESTS = st.builds(
    ChatRequest,
    dialect=st.sampled_from(["anthropic", "openai_chat"]),
    model=st.just("public"),
    turns=conversations(),
    system=st.lists(TEXTS, max_size=2).map(tuple),
    sampling=SAMPLING,
    stream=st.booleans(),
    betas=st.sampled_from([(), ("a", "b")]),
    api_version=st.sampled_from([None, "2023-06-01", "2026-10-21"]),
    state=st.sampled_from([*[State()] * 6, State(store=False), State(store=False), State(store=True)]),
    identity=st.sampled_from([*[Identity()] * 8, Identity(user="u")]),
)
CAPS = st.sampled_from(
    [
        BUDGET,
        changed(ADAPTIVE, sampling=False, stop_max=1),
        changed(BUDGET, cache_policy="conversation"),
        changed(BUDGET, api_version="2026-10-21", prefill=False, mid_system=False, output_default=None),
    ]
)


@settings(max_examples=400, deadline=None)
@given(REQUESTS, CAPS)
def test_both_ways_write_the_same_call_or_refuse_in_the_same_words(request, caps):
    shorter = outcome(lambda: encode_request(request, "up", caps))
    assert shorter == outcome(lambda: encode_any_request(request, "up", caps))


@pytest.mark.parametrize("row", READ, ids=by_id)
@pytest.mark.parametrize("caps", [BUDGET, ADAPTIVE], ids=["budget", "adaptive"])
def test_both_ways_write_a_recorded_request_alike(row, caps):
    request = ANTHROPIC.decode_request(wire(row), BOX)
    shorter = outcome(lambda: encode_request(request, "up", caps))
    assert shorter == outcome(lambda: encode_any_request(request, "up", caps))


@pytest.fixture
def only_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the long way: what is not written directly fails."""
    monkeypatch.delattr(plain_call, "encode_any_request")


HISTORY = (USER, Turn(role="assistant", parts=(Text(text="ho"),)), USER)


@pytest.mark.usefixtures("only_directly")
@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        FOREIGN,
        decoded(system="Be kind.", stream=True),
        changed(FOREIGN, turns=HISTORY, system=(Text(text="Be kind."), Text(text="Be brief."))),
        changed(FOREIGN, sampling=Sampling(temperature=1.7, top_p=0.5, stop=("a",))),
        changed(FOREIGN, state=State(store=False)),
    ],
    ids=["own", "foreign", "stream", "history", "sampling", "unkept"],
)
def test_an_ordinary_request_is_written_directly(request_):
    assert encode_request(request_, "up", BUDGET).body


@pytest.mark.usefixtures("only_directly")
@pytest.mark.parametrize(
    "members",
    [
        {"reasoning": Reasoning(effort="low")},
        {"turns": (USER, USER)},
        {"turns": HISTORY[1:]},
        {"turns": HISTORY[:2]},
        {"turns": (Turn(role="user", parts=(Text(text=" "),)),)},
        {"system": (Text(text=" "),)},
        {"sampling": Sampling(n=1)},
        {"sampling": Sampling(seed=0)},
        {"sampling": Sampling(logprobs=False)},
        {"sampling": Sampling(top_logprobs=1)},
        {"sampling": Sampling(frequency_penalty=0)},
        {"sampling": Sampling(presence_penalty=0)},
        {"sampling": Sampling(logit_bias={})},
    ],
    ids=str,
)
def test_what_needs_a_repair_or_a_note_goes_the_long_way(members):
    with pytest.raises(NameError):
        encode_request(changed(FOREIGN, **members), "up", BUDGET)
