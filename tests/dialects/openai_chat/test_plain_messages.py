"""The messages of a plain talk are what the encoder of any messages makes of it, and need no note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.value import changed
from allgate.dialects.openai_chat.message_encode import MessageEncoder
from allgate.dialects.openai_chat.request_encode import plain_messages
from allgate.dialects.passes.tool_names import OPENAI_NAME, ToolNames
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.parts import CacheMark, Refusal, Seal, Text, Thinking
from allgate.operations.chat.request import Turn
from dialects.openai_chat.exchange import REQUEST, USER, assistant

SEAL = Seal(origin="gemini", scope="s", form="thought", value="v")
WORDS = st.builds(Text, text=st.sampled_from(["", "Hi", "\ud83d", "é\n"]))
TEXTS = WORDS | st.sampled_from(
    [
        Text(text="a", cache=CacheMark()),
        Text(text="a", seals=(SEAL,)),
        Text(text="a", extra={"openai_chat": {"x": 1}}),
        Text(text="a", id="i", logprobs=[1]),
    ]
)
PARTS = st.lists(WORDS, min_size=1, max_size=1) | st.lists(
    TEXTS | st.sampled_from([Thinking(text="t"), Refusal(text="no")]), max_size=2
)
TURNS = st.builds(
    Turn,
    role=st.sampled_from(["user", "user", "assistant", "system", "developer", "tool"]),
    parts=PARTS.map(tuple),
    name=st.sampled_from([None, None, None, "Ann"]),
    extra=st.sampled_from([{}, {}, {}, {"openai_chat": {"x": 1}}]),
)
REQUESTS = st.builds(
    lambda turns, last, system: changed(REQUEST, turns=(*turns, *last), system=tuple(system)),
    st.lists(TURNS, max_size=3),
    st.sampled_from([(), (USER,)]),
    st.lists(TEXTS, max_size=2),
)
CAPS = st.sampled_from(
    [CAPS_DEFAULT, changed(CAPS_DEFAULT, system_role="developer", mid_system=False, names=False)]
)


@given(REQUESTS, CAPS)
def test_plain_messages_are_those_of_the_long_way(request_, caps):
    plain = plain_messages(request_, caps)
    if plain is not None:
        notes = []
        names = ToolNames(request_, caps.tool_name_characters_max, OPENAI_NAME)
        assert plain == MessageEncoder(request_, caps, names, notes).messages("")
        assert list(map(list, plain)) == [["role", "content"]] * len(plain)
        assert not notes


def test_an_ordinary_talk_is_plain():
    talk = changed(
        REQUEST, system=(Text(text="A"), Text(text="B")), turns=(USER, assistant(Text(text="Ho")), USER)
    )
    assert plain_messages(talk, CAPS_DEFAULT) == [
        {"role": "system", "content": "A\n\nB"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Ho"},
        {"role": "user", "content": "hi"},
    ]


@pytest.mark.parametrize(
    "turns",
    [
        (),
        (USER, assistant(Text(text="to be continued"))),
        (USER, Turn(role="system", parts=(Text(text="later"),)), USER),
        (Turn(role="user", parts=(Text(text="a"), Text(text="b"))),),
    ],
    ids=len,
)
def test_what_chat_must_say_in_another_way_is_not_plain(turns):
    assert plain_messages(changed(REQUEST, turns=turns), CAPS_DEFAULT) is None
