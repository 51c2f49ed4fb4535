"""Tools and tool choices of any dialect as a Responses server is offered them."""

import pytest

from allgate.core.value import changed
from allgate.operations.chat.tools import Builtin, Custom, Function, Grammar, ToolChoice
from dialects.openai_responses.exchange import ADD, PLAIN, encoded, foreign, note_paths, refused


def test_functions_say_that_they_are_not_strict():
    """Left out, `strict` means try: a schema that is legal elsewhere would be refused here."""
    exact = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    tools = (
        ADD,
        Function(name="b", schema=exact, strict=True),
        Function(name="c", strict=True, schema={"type": "object"}),
        Function(name="none"),
    )
    body = encoded(foreign(tools=tools))["tools"]
    assert [tool["strict"] for tool in body] == [False, True, False, False]
    assert body[3]["parameters"] == {"type": "object", "properties": {}}
    assert all("strict" not in tool for tool in encoded(foreign(tools=tools), strict_tools=False)["tools"])


def test_tools_of_other_dialects():
    tools = (
        Builtin(kind="web_search", runs="server", name="web_search", dialect="anthropic",
                config={"max_uses": 5, "allowed_domains": ["e.x"], "user_location": {"city": "Oslo"}}),
        Builtin(kind="code_execution", runs="server", name="code_execution", dialect="gemini"),
        Builtin(kind="bash", runs="client", name="bash", dialect="anthropic", raw={"type": "bash_20250124", "name": "bash"}),
        Custom(name="patch", grammar=Grammar(syntax="lark", definition="start: X")),
    )  # fmt: skip
    search, code, bash, patch = encoded(foreign(tools=tools))["tools"]
    assert search == {
        "type": "web_search", "search_context_size": "medium", "filters": {"allowed_domains": ["e.x"]},
        "user_location": {"type": "approximate", "city": "Oslo"},
    }  # fmt: skip
    assert code == {"type": "code_interpreter", "container": {"type": "auto"}}
    assert (bash["type"], bash["name"]) == ("function", "bash")
    assert patch["format"] == {"type": "grammar", "syntax": "lark", "definition": "start: X"}
    assert refused(foreign(tools=tools), PLAIN) == "tools"
    assert refused(foreign(tools=(Builtin(kind="computer", runs="client"),))) == "tools"


def test_a_fetch_is_a_search_which_opens_pages():
    fetch = Builtin(kind="web_fetch", runs="server", name="web_fetch", dialect="anthropic")
    search = Builtin(
        kind="web_search",
        runs="server",
        name="web_search",
        dialect="anthropic",
        config={"context_size": "low"},
    )
    assert encoded(foreign(tools=(fetch,)))["tools"] == [{"type": "web_search"}]
    assert encoded(foreign(tools=(fetch, search)))["tools"] == [
        {"type": "web_search", "search_context_size": "low"}
    ]


def test_names_of_other_dialects_are_made_to_fit():
    tools = (Function(name="a.b"), Function(name="a:b"))
    names = [tool["name"] for tool in encoded(foreign(tools=tools))["tools"]]
    assert names[0] == "a_b"
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (ToolChoice(mode="auto"), "auto"), (ToolChoice(mode="any"), "required"), (ToolChoice(mode="none"), "none"),
        (ToolChoice(mode="tool", names=("add",)), {"type": "function", "name": "add"}),
        (ToolChoice(mode="tool", names=("exec",)), {"type": "custom", "name": "exec"}),
        (ToolChoice(mode="allowed", names=("add",), allowed_mode="any"),
         {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "add"}]}),
        (ToolChoice(mode="tool", names=("web_search",)), {"type": "web_search"}),
    ],
)  # fmt: skip
def test_tool_choices(choice, wire):
    tools = (
        ADD,
        Custom(name="exec"),
        Builtin(kind="web_search", runs="server", name="web_search", dialect="gemini"),
    )
    body = encoded(foreign(tools=tools, tool_choice=changed(choice, parallel=False)))
    assert (body["tool_choice"], body["parallel_tool_calls"]) == (wire, False)
    assert "tool_choice" not in encoded(foreign(tool_choice=choice)), "without tools it means nothing"


def test_a_model_that_cannot_be_forced_is_asked():
    request = foreign(tools=(ADD,), tool_choice=ToolChoice(mode="any"))
    assert encoded(request, forced_tools=False)["tool_choice"] == "auto"
    assert "tool_choice" in note_paths(request, forced_tools=False)
