"""Tools and how to choose among them, as chat deployments are sent them."""

import pytest

from allgate.operations.chat.parts import (
    ToolCall,
)
from allgate.operations.chat.request import (
    ChatRequest,
)
from allgate.operations.chat.tools import Builtin, Custom, Function, Grammar, ToolChoice
from dialects.openai_chat.exchange import (
    RESULT,
    SCHEMA,
    USER,
    asking,
    assistant,
    encoded,
    note_paths,
    tool_turn,
    unsupported_param,
)


def test_tools_in_chat_s_words():
    """Regression 83: a function without parameters has an empty object of them."""
    request = asking(
        tools=(
            Function(name="f", description="d", schema=SCHEMA, strict=True),
            Function(name="bare"),
            Function(name="my.tool", strict=True, schema={"type": "object", "properties": {"b": {}}}),
        )
    )
    first, bare, renamed = (tool["function"] for tool in encoded(request)["tools"])
    assert first == {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}
    assert bare == {"name": "bare", "parameters": {"type": "object", "properties": {}}}
    assert (renamed["name"], renamed["strict"]) == ("my_tool", False)


def test_names_that_become_equal_stay_apart():
    """Regression 82."""
    names = [
        tool["function"]["name"]
        for tool in encoded(asking(tools=(Function(name="a.b"), Function(name="a:b"))))["tools"]
    ]
    assert len(set(names)) == 2


def test_a_custom_tool_is_native_or_a_function():
    """Regressions 61 and 63: the grammar is told in words where it cannot be kept."""
    grammar = Grammar(syntax="lark", definition="start: x")
    request = asking(
        USER,
        assistant(ToolCall(call_id="c1", name="patch", input="***", input_kind="text")),
        tool_turn(RESULT),
        tools=(Custom(name="patch", description="d", grammar=grammar),),
        tool_choice=ToolChoice(mode="tool", names=("patch",)),
    )
    native = encoded(request, custom_tools=True)
    assert native["tools"][0]["custom"]["format"]["grammar"] == {"syntax": "lark", "definition": "start: x"}
    assert native["messages"][1]["tool_calls"][0]["custom"] == {"name": "patch", "input": "***"}
    assert native["tool_choice"] == {"type": "custom", "custom": {"name": "patch"}}
    wrapped = encoded(request)
    assert "start: x" in wrapped["tools"][0]["function"]["description"]
    assert wrapped["messages"][1]["tool_calls"][0]["function"] == {
        "name": "patch",
        "arguments": '{"input":"***"}',
    }
    assert wrapped["tool_choice"] == {"type": "function", "function": {"name": "patch"}}


TOOL = (Function(name="f"),)


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (ToolChoice(mode="auto"), {"tool_choice": "auto"}),
        (ToolChoice(mode="none"), {"tool_choice": "none"}),
        (ToolChoice(mode="any", parallel=False), {"tool_choice": "required", "parallel_tool_calls": False}),
        (
            ToolChoice(mode="tool", names=("f",)),
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        (ToolChoice(parallel=True), {"parallel_tool_calls": True}),
    ],
)
def test_the_choice_among_tools(choice, wire):
    found = encoded(asking(tools=TOOL, tool_choice=choice))
    assert {name: found[name] for name in ("tool_choice", "parallel_tool_calls") if name in found} == wire
    bare = encoded(asking(tool_choice=choice))
    assert "tool_choice" not in bare
    assert "parallel_tool_calls" not in bare


def test_only_allowed_tools_are_declared():
    choice = ToolChoice(mode="allowed", names=("f",), allowed_mode="any")
    found = encoded(asking(tools=(*TOOL, Function(name="g")), tool_choice=choice))
    assert [tool["function"]["name"] for tool in found["tools"]] == ["f"]
    assert found["tool_choice"] == "required"


def test_what_a_deployment_cannot_force_becomes_auto_and_is_noted():
    request = asking(tools=TOOL, tool_choice=ToolChoice(mode="any"))
    assert encoded(request, forced_tools=False)["tool_choice"] == "auto"
    assert "tool_choice" in note_paths(request, forced_tools=False)


def test_a_switch_for_parallel_calls_that_is_missing_is_noted():
    request = asking(tools=TOOL, tool_choice=ToolChoice(mode="auto", parallel=False))
    assert "parallel_tool_calls" not in encoded(request, parallel_tools_switch=False)
    assert "parallel_tool_calls" in note_paths(request, parallel_tools_switch=False)


def search(**config) -> ChatRequest:
    return asking(tools=(Builtin(kind="web_search", runs="server", config=config),))


@pytest.mark.parametrize(
    ("uses", "size"), [(1, "low"), (5, "medium"), (7, "medium"), (8, "high"), (10, "high")]
)
def test_a_web_search_asks_in_the_deployment_s_way(uses, size):
    """Requirement B12: low, medium and high are at most 1, 5 and 10 searches."""
    request = search(max_uses=uses, user_location={"city": "Bern"})
    place = {"type": "approximate", "approximate": {"city": "Bern"}}
    found = encoded(request, hosted=("web_search",), web_search_style="options")
    assert found["web_search_options"] == {"search_context_size": size, "user_location": place}
    assert "tools" not in found
    (tool,) = encoded(request, hosted=("web_search",), web_search_style="tool")["tools"]
    assert tool == {
        "type": "web_search",
        "search_context_size": size,
        "user_location": {"type": "approximate", "city": "Bern"},
    }


def test_a_hosted_tool_that_is_missing_is_refused():
    assert unsupported_param(search()) == "tools"


@pytest.mark.parametrize(
    "tool",
    [
        Builtin(kind="web_search", runs="server", optional=True),
        Builtin(kind="tool_search", runs="server"),
        Builtin(kind="google_maps", runs="server"),
    ],
)
def test_a_hosted_tool_that_only_helps_is_left_out_with_a_note(tool):
    """Codex declares a web search with every request and works without."""
    request = asking(tools=(*TOOL, tool))
    assert [one["type"] for one in encoded(request)["tools"]] == ["function"]
    assert f"tools.{tool.kind}" in note_paths(request)


def test_a_client_run_tool_is_offered_as_a_function():
    (tool,) = encoded(asking(tools=(Builtin(kind="bash", runs="client", name="bash"),)))["tools"]
    assert tool["function"]["name"] == "bash"
    assert "command" in tool["function"]["parameters"]["properties"]


def test_tools_without_any_ability_for_them_are_refused():
    assert unsupported_param(asking(tools=TOOL), tools=False) == "tools"
