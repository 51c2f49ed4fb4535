"""A custom tool travels as a function and comes back as raw text, whole and in any slicing."""

import itertools
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.passes.custom_tools import (
    StreamingUnwrap,
    as_function,
    custom_names,
    unwrap_input,
    wrap_input,
)
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.tools import Custom, Function, Grammar


def streamed(arguments: str, *cuts: int) -> str:
    unwrap = StreamingUnwrap()
    ends = [0, *sorted(cuts), len(arguments)]
    pieces = [arguments[start:end] for start, end in itertools.pairwise(ends)]
    return "".join(map(unwrap.feed, pieces)) + unwrap.close()


def test_a_custom_tool_becomes_a_function_that_tells_its_grammar():
    tool = Custom(name="apply_patch", description="Edit files.", namespace="functions",
                  grammar=Grammar(syntax="lark", definition="start: PATCH"))  # fmt: skip
    function = as_function(tool)
    assert (function.name, function.namespace) == ("apply_patch", "functions")
    assert function.schema["required"] == ["input"]
    assert "Edit files." in function.description
    assert "lark grammar:\nstart: PATCH" in function.description


def test_custom_names_are_those_of_the_declared_custom_tools():
    tools = (Custom(name="exec", namespace="functions"), Function(name="wait"), Custom(name="apply_patch"))
    request = ChatRequest(dialect="x", model="m", turns=(), tools=tools)
    assert custom_names(request) == {("exec", "functions"), ("apply_patch", None)}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input": "a\\nb"}', "a\nb"),
        (' {\n "input" : "x" }', "x"),
        ('{"input": ""}', ""),
        ('{"patch": "*** Begin Patch"}', "*** Begin Patch"),
        ('{"command": ["apply_patch", "*** Begin Patch"]}', "*** Begin Patch"),
        ('{"a": 1, "input": "late"}', "late"),
        ('"just a string"', "just a string"),
        ("*** Begin Patch\n*** End Patch", "*** Begin Patch\n*** End Patch"),
        ("{}", ""),
        ("", ""),
        ('{"a": "1", "b": "2"}', '{"a": "1", "b": "2"}'),
        ('{"input": 5}', '{"input": 5}'),
        ('{"input": "cut off', "cut off"),
        ('{"input": "\\ud83d\\ude00\\u00e9"}', "😀é"),
        ('{"input": "\\ud83d"}', "\ufffd"),
        ('{"input": "\\ud83dx"}', "\ufffdx"),
        ('{"input": "\\ude00"}', "\ufffd"),
        ('{"input": "\\d+ \\"q\\" \\\\ \\u12"}', '\\d+ "q" \\ \\u12'),
        ('{"input": "a", "more": "b"}', "a"),
        (" " * 100 + '{"input": "far"}', "far"),
    ],
)
def test_whatever_a_model_writes_is_unwrapped_the_same_whole_and_in_every_slicing(arguments, text):
    """Regression 64: `{}` and foreign members were handed to Codex as they were."""
    assert unwrap_input(arguments) == text
    assert streamed(arguments, *range(len(arguments))) == text
    for cut in range(len(arguments)):
        assert streamed(arguments, cut) == text


def test_the_text_arrives_while_it_streams():
    unwrap = StreamingUnwrap()
    assert unwrap.feed('{"inp') == ""
    assert unwrap.feed('ut": "*** Be') == "*** Be"
    assert unwrap.feed("gin\\") == "gin"
    assert unwrap.feed("nPatch") == "\nPatch"
    assert unwrap.feed('"}') == ""
    assert unwrap.close() == ""


@given(st.text(), st.randoms(use_true_random=False))
def test_wrapping_and_unwrapping_give_the_text_back(text, dice: random.Random):
    text = text.encode("utf-8", "replace").decode()
    for arguments in (wrap_input(text), json.dumps({"input": text})):
        cuts = [dice.randrange(len(arguments)) for _ in range(4)]
        assert streamed(arguments, *cuts) == unwrap_input(arguments) == text


@given(st.text(alphabet='{}"\\:input aud83\n,[]', max_size=120), st.randoms(use_true_random=False))
def test_no_arguments_fail_and_no_slicing_matters(arguments, dice: random.Random):
    cuts = [dice.randrange(len(arguments) + 1) for _ in range(5)]
    assert streamed(arguments, *cuts) == unwrap_input(arguments)
    assert streamed('{"input": "' + arguments, *cuts) == unwrap_input('{"input": "' + arguments)
