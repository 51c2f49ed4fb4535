"""Names go out as the target accepts them and come back as the client wrote them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.passes.tool_names import ANTHROPIC_NAME, GEMINI_NAME, OPENAI_NAME, ToolNames
from allgate.operations.chat.parts import ToolCall, ToolResult
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.tools import Builtin, Custom, Function, ToolChoice


def names_of(*tools, turns=(), choice=None, characters_max=64, pattern=OPENAI_NAME) -> ToolNames:
    request = ChatRequest(dialect="x", model="m", turns=turns, tools=tools, tool_choice=choice)
    return ToolNames(request, characters_max, pattern)


def test_an_accepted_name_keeps_itself():
    names = names_of(Function(name="get_weather"))
    assert names.sent("get_weather") == "get_weather"
    assert names.received("get_weather") == ("get_weather", None)


def test_a_namespace_is_flattened_and_comes_back():
    names = names_of(Function(name="sleep", namespace="clock"), Custom(name="exec", namespace="functions"))
    assert names.sent("sleep", "clock") == "clock__sleep"
    assert names.received("clock__sleep") == ("sleep", "clock")
    assert names.received("functions__exec") == ("exec", "functions")


def test_a_bare_or_dotted_answer_finds_the_only_tool_of_that_name():
    names = names_of(Function(name="sleep", namespace="clock"), Function(name="wait"))
    assert names.received("sleep") == ("sleep", "clock")
    assert names.received("clock.sleep") == ("sleep", "clock")
    assert names.received("functions.wait") == ("functions.wait", None)


def test_a_bare_name_of_two_namespaces_stays_bare():
    names = names_of(Function(name="sleep", namespace="clock"), Function(name="sleep", namespace="bed"))
    assert names.received("sleep") == ("sleep", None)


def test_a_call_of_the_history_without_its_namespace_is_the_same_tool():
    call = ToolCall(call_id="1", name="exec")
    names = names_of(
        Custom(name="exec", namespace="functions"), turns=(Turn(role="assistant", parts=(call,)),)
    )
    assert names.sent("exec") == names.sent("exec", "functions") == "functions__exec"


def test_names_that_become_equal_are_told_apart_by_a_hash():
    """Regression 82: `a.b` and `a:b` were sent under one name."""
    names = names_of(Function(name="a.b"), Function(name="a:b"), Function(name="a_b"))
    assert names.sent("a_b") == "a_b"
    assert re.fullmatch(r"a_b_[0-9a-f]{8}", names.sent("a.b"))
    assert names.sent("a:b") != names.sent("a.b")
    assert {names.received(names.sent(name)) for name in ("a.b", "a:b", "a_b")} == {
        ("a.b", None), ("a:b", None), ("a_b", None),
    }  # fmt: skip


def test_a_name_is_the_same_in_the_next_request():
    first = names_of(Function(name="a_b"), Function(name="a.b"))
    later = names_of(Function(name="new"), Function(name="a_b"), Function(name="c"), Function(name="a.b"))
    assert first.sent("a.b") == later.sent("a.b")


def test_long_names_are_cut_and_told_apart():
    one, two = "x" * 70 + "1", "x" * 70 + "2"
    names = names_of(Function(name=one), Function(name=two))
    assert len(names.sent(one)) == len(names.sent(two)) == 64
    assert names.received(names.sent(one)) == (one, None)
    assert names.received(names.sent(two)) == (two, None)


def test_namespaces_that_flatten_alike_are_told_apart():
    names = names_of(Function(name="b__c", namespace="a"), Function(name="c", namespace="a__b"))
    assert names.sent("b__c", "a") != names.sent("c", "a__b")
    assert names.received(names.sent("c", "a__b")) == ("c", "a__b")


def test_names_of_choice_and_history_are_part_of_the_map():
    turns = (
        Turn(role="assistant", parts=(ToolCall(call_id="1", name="old.tool"),)),
        Turn(role="tool", parts=(ToolResult(call_id="1", name="old.tool"),)),
    )
    names = names_of(
        Builtin(kind="bash", runs="client", name="bash"),
        turns=turns,
        choice=ToolChoice(mode="tool", names=("pick me",)),
    )
    assert names.received("old_tool") == ("old.tool", None)
    assert names.received("pick_me") == ("pick me", None)
    assert names.received("bash") == ("bash", None)


def test_gemini_names_begin_with_a_letter_and_keep_dots():
    names = names_of(Function(name="1st"), Function(name="a.b:c-d"), pattern=GEMINI_NAME)
    assert names.sent("1st") == "_1st"
    assert names.sent("a.b:c-d") == "a.b:c-d"


def test_what_nobody_declared_comes_back_as_it_is():
    assert names_of().received("invented") == ("invented", None)
    assert names_of().sent("in vented") == "in_vented"


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=80), st.none() | st.text(max_size=20)), max_size=12, unique=True),
    st.sampled_from([OPENAI_NAME, ANTHROPIC_NAME, GEMINI_NAME]),
)  # fmt: skip
def test_any_names_go_out_accepted_and_come_back(keys, pattern):
    keys = list(dict.fromkeys((name, namespace or None) for name, namespace in keys))
    names = names_of(*(Function(name=n, namespace=ns) for n, ns in keys), pattern=pattern)
    for name, namespace in keys:
        if namespace is None and sum(key[0] == name for key in keys) > 1:
            continue
        sent = names.sent(name, namespace)
        assert re.fullmatch(pattern, sent)
        assert len(sent) <= 64
        assert names.received(sent) == (name, namespace)
