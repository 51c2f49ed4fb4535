"""A plain conversation is in normal form already, and is told from one that is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.value import changed
from allgate.operations.chat.normal import normal_form
from allgate.operations.chat.notes import dropped
from allgate.operations.chat.parts import CacheMark, Media, Text, Thinking, Url
from allgate.operations.chat.plain import is_ordinary, plain_conversation, spoken_in, texts_in
from allgate.operations.chat.request import (
    AudioOut,
    CacheHints,
    ChatRequest,
    Identity,
    ImageOut,
    OutputFormat,
    Reasoning,
    Sampling,
    State,
    Turn,
)
from allgate.operations.chat.tools import Function, ToolChoice

SPOKEN = st.lists(
    st.tuples(st.sampled_from(["system", "developer", "user", "assistant", "tool"]), st.sampled_from(["", "a", "b"])),
    max_size=6,
)  # fmt: skip
PLAIN = ChatRequest(
    dialect="openai_chat",
    model="m",
    system=(Text(text="Be kind."),),
    turns=(Turn(role="user", parts=(Text(text="Hi"),)), Turn(role="assistant", parts=(Text(text="Ho"),))),
    sampling=Sampling(temperature=1, max_tokens=5),
    stream=True,
)


@given(SPOKEN)
def test_a_plain_conversation_is_what_normal_form_makes_of_it(spoken):
    found = plain_conversation(spoken)
    if found is not None:
        turns = [Turn(role=role, parts=(Text(text=text),)) for role, text in spoken]
        assert (*found, ()) == normal_form((), turns)


@pytest.mark.parametrize(
    "spoken",
    [
        [],
        [("system", "a")],
        [("user", "")],
        [("user", "a"), ("system", "b")],
        [("user", "a"), ("assistant", "b"), ("assistant", "c")],
        [("tool", "a"), ("user", "b")],
    ],
)
def test_what_normal_form_has_work_with_is_not_plain(spoken):
    assert plain_conversation(spoken) is None


def test_the_words_of_a_plain_request_are_told():
    assert spoken_in(PLAIN) == [("user", "Hi"), ("assistant", "Ho")]


def test_the_texts_are_told_whatever_is_wished_beside():
    assert texts_in(changed(PLAIN, tools=(Function(name="f"),))) == spoken_in(PLAIN)
    assert texts_in(changed(PLAIN, system=(Text(text="a", cache=CacheMark()),))) is None


@pytest.mark.parametrize(
    "beside",
    [
        {"tools": (Function(name="f"),)},
        {"tool_choice": ToolChoice(mode="auto")},
        {"reasoning": Reasoning(effort="low")},
        {"output": OutputFormat(kind="json_object")},
        {"modalities": ("text",)},
        {"extra": {"openai_chat": {"x": 1}}},
        {"notes": (dropped("a", "b"),)},
        {"service_tier": "flex"},
        {"safety": []},
        {"audio_out": AudioOut()},
        {"image_out": ImageOut()},
        {"cache": CacheHints(key="k")},
        {"identity": Identity(user="u")},
        {"state": State(store=True)},
        {"system": (Text(text="a", cache=CacheMark()),)},
        {"turns": (Turn(role="user", parts=(Text(text="a"), Text(text="b"))),)},
        {"turns": (Turn(role="user", parts=(Thinking(text="a"),)),)},
        {"turns": (Turn(role="user", parts=(Media(kind="image", source=Url(url="https://a.b/c")),)),)},
        {"turns": (Turn(role="user", parts=(Text(text="a", id="i"),)),)},
        {"turns": (Turn(role="user", parts=(Text(text="a", extra={"anthropic": {"x": 1}}),)),)},
        {"turns": (Turn(role="user", parts=(Text(text="a"),), name="Ann"),)},
        {"turns": (Turn(role="user", parts=(Text(text="a"),), id="i"),)},
        {"turns": (Turn(role="assistant", parts=(Text(text="a"),), phase="final"),)},
        {"turns": (Turn(role="user", parts=(Text(text="a"),), extra={"gemini": {"x": 1}}),)},
    ],
    ids=str,
)
def test_anything_beside_words_and_sampling_is_not_plain(beside):
    assert spoken_in(changed(PLAIN, **beside)) is None


def test_the_wish_not_to_be_stored_is_plain_for_who_asks_for_it_beside():
    unkept = changed(PLAIN, state=State(store=False))
    assert spoken_in(unkept) is None
    assert spoken_in(unkept, unkept=True) == spoken_in(PLAIN, unkept=True) == spoken_in(PLAIN)
    assert spoken_in(changed(PLAIN, state=State(store=False, background=True)), unkept=True) is None


@pytest.mark.parametrize(
    "field", sorted({*Sampling.__struct_fields__} - {"temperature", "top_p", "max_tokens"})
)
def test_sampling_that_says_more_than_length_and_warmth_is_not_ordinary(field):
    ordinary = Sampling(temperature=0.5, top_p=1, max_tokens=5)
    said: dict[str, object] = {"stop": ("a",), "logit_bias": {"1": 2}, "logprobs": False}
    assert is_ordinary(Sampling())
    assert is_ordinary(ordinary)
    assert not is_ordinary(changed(ordinary, **{field: said.get(field, 1)}))


def test_every_field_of_a_request_was_thought_of():
    """A field that is added to ChatRequest must be named here: either `spoken_in` asks for it, or an encoder does."""
    asked = {
        "tools",
        "tool_choice",
        "reasoning",
        "output",
        "modalities",
        "extra",
        "notes",
        "service_tier",
        "safety",
    }
    asked |= {"audio_out", "image_out", "cache", "identity", "state", "turns", "system"}
    for_encoders = {"dialect", "model", "sampling", "stream", "stream_usage", "betas", "api_version"}
    assert asked | for_encoders == set(ChatRequest.__struct_fields__)
