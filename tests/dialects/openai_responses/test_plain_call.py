"""The body of a plain request is what the long way writes; for any other request there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.openai_responses.head import FIELDS, PATH
from allgate.dialects.openai_responses.plain_call import plain_body
from allgate.dialects.openai_responses.request_encode import encode_any_request, encode_request
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import Identity, Reasoning, Sampling, State, Turn
from dialects.openai_responses.exchange import FOREIGN, PLAIN, REQUEST, USER, VENDOR
from dialects.openai_responses.near_plain import varied

ORDINARY = changed(
    FOREIGN,
    system=(Text(text="Be kind."), Text(text="Be brief.")),
    sampling=Sampling(max_tokens=1000, temperature=1),
)
SAID = Turn(role="assistant", parts=(Text(text="A dog."),))


CONVERSED = changed(ORDINARY, turns=(USER, SAID, USER), stream=True, state=State(store=False))

WORDS = st.sampled_from(["", "a", "b\n\u00e9\U0001f600", "\ud83d", "x-anthropic-billing-header: a"]).map(
    lambda text: Text(text=text)
)
TURNS = st.builds(
    Turn,
    role=st.sampled_from(["user", "user", "assistant", "system", "developer"]),
    parts=st.lists(WORDS, min_size=1, max_size=2).map(tuple),
)
NUMBERS = st.sampled_from([None, 0, 1, 1.0, 0.5, 2, 2.5, -1, 15, 16, 100, 2000, 2**70])
REQUESTS = st.sampled_from([ORDINARY, CONVERSED, REQUEST]).flatmap(
    lambda request: varied(
        request,
        turns=st.lists(TURNS, min_size=1, max_size=3).map(lambda turns: (*turns, USER)),
        system=st.lists(WORDS, max_size=2).map(tuple),
        sampling=varied(
            Sampling(),
            max_tokens=NUMBERS,
            temperature=NUMBERS,
            top_p=NUMBERS,
            n=NUMBERS,
            stop=st.just(("a",)),
        ),
        state=st.sampled_from([State(), State(store=False), State(store=True)]),
        stream=st.booleans(),
    )
)
CAPS = st.sampled_from([PLAIN, VENDOR]).flatmap(
    lambda caps: varied(
        caps,
        sampling=st.booleans(),
        temperature_max=st.sampled_from([1.0, 2.0]),
        temperature_and_top_p=st.booleans(),
        output_max=st.sampled_from([None, 64, 2000]),
        output_default=st.sampled_from([None, 500]),
        thinking=st.sampled_from(["none", "effort"]),
        system_role=st.sampled_from(["system", "developer"]),
        mid_system=st.booleans(),
        prefill=st.booleans(),
    )
)


def at_length(request, caps: Caps) -> UpstreamCall | None:
    try:
        return encode_any_request(request, "up", caps)
    except WireError:
        return None


@given(REQUESTS, CAPS)
def test_what_is_written_in_one_step_is_what_is_written_at_length(request, caps):
    body = plain_body(request, "up", caps)
    if body is not None:
        assert at_length(request, caps) == UpstreamCall(path=PATH, body=body, headers=FIELDS[request.stream])


@pytest.mark.parametrize("caps", [PLAIN, VENDOR], ids=["a compatible server", "the vendor"])
@pytest.mark.parametrize(
    "request_",
    [FOREIGN, ORDINARY, CONVERSED],
    ids=["a question", "ordinary", "a conversation"],
)
def test_the_ordinary_request_is_written_in_one_step(request_, caps):
    body = plain_body(request_, "up", caps)
    assert body is not None
    assert encode_request(request_, "up", caps) == encode_any_request(request_, "up", caps)
    assert body == encode_any_request(request_, "up", caps).body


@pytest.mark.parametrize(
    "beside",
    [
        {"dialect": "openai_responses"},
        {"turns": (USER, SAID)},
        {"turns": (USER, Turn(role="system", parts=(Text(text="Be kind."),)), USER)},
        {"system": (Text(text="x-anthropic-billing-header: a"),)},
        {"sampling": Sampling(max_tokens=15)},
        {"sampling": Sampling(temperature=2.5)},
        {"sampling": Sampling(top_p=1.5)},
        {"sampling": Sampling(stop=("a",))},
        {"sampling": Sampling(n=2)},
        {"state": State(store=True)},
        {"reasoning": Reasoning(effort="low")},
        {"identity": Identity(user="u")},
    ],
    ids=str,
)
def test_what_is_not_plain_is_left_to_the_long_way(beside):
    assert plain_body(changed(ORDINARY, **beside), "up", PLAIN) is None


@pytest.mark.parametrize(
    "narrowed",
    [
        {"sampling": False},
        {"temperature_and_top_p": False},
        {"temperature_max": 0.5},
        {"output_max": 500},
    ],
    ids=str,
)
def test_what_a_deployment_does_not_take_is_left_to_the_long_way(narrowed):
    sampled = changed(ORDINARY, sampling=Sampling(max_tokens=1000, temperature=1, top_p=0.5))
    assert plain_body(sampled, "up", PLAIN) is not None
    assert plain_body(sampled, "up", changed(PLAIN, **narrowed)) is None


def test_a_default_of_the_deployment_is_left_to_the_long_way():
    assert plain_body(FOREIGN, "up", changed(PLAIN, output_default=500)) is None
