"""Tools and how to choose among them, as chat clients write them."""

import pytest

from allgate.operations.chat.tools import Builtin, Custom, Function, Grammar, ToolChoice
from dialects.openai_chat.exchange import decoded


def test_function_and_custom_tools():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    function = {"name": "f", "description": "d", "parameters": schema, "strict": True}
    grammar = {"syntax": "lark", "definition": "start: x"}
    request = decoded(
        tools=[
            {"type": "function", "function": function},
            {"type": "function", **function, "name": "flat"},
            {"type": "function", "function": {"name": "bare"}},
            {"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": grammar}}},
            {"type": "custom", "custom": {"name": "t", "description": "d", "format": {"type": "text"}}},
        ]
    )
    full = Function(name="f", description="d", schema=schema, strict=True)
    assert request.tools == (
        full,
        Function(name="flat", description="d", schema=schema, strict=True),
        Function(name="bare"),
        Custom(name="c", grammar=Grammar(syntax="lark", definition="start: x")),
        Custom(name="t", description="d"),
    )


@pytest.mark.parametrize(
    ("tool", "kind"),
    [
        ({"type": "web_search"}, "web_search"),
        ({"type": "web_search_preview"}, "web_search"),
        ({"type": "web_search_20250305", "name": "web_search", "max_uses": 3}, "web_search"),
        ({"type": "openrouter:web_search"}, "web_search"),
        ({"googleSearch": {}}, "web_search"),
        ({"google_search": {}}, "web_search"),
        ({"codeExecution": {}}, "code_execution"),
        ({"urlContext": {}}, "web_fetch"),
        ({"type": "function", "function": {"name": "googleSearch", "parameters": {}}}, "web_search"),
        ({"type": "function", "function": {"name": "codeExecution"}}, "code_execution"),
        ({"type": "function", "function": {"name": "urlContext"}}, "web_fetch"),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, "code_execution"),
        ({"type": "file_search"}, "file_search"),
        ({"type": "mcp", "server_label": "s"}, "mcp"),
        ({"type": "teleport"}, "other"),
    ],
)
def test_hosted_tools_in_every_spelling(tool, kind):
    """Requirement B12."""
    (found,) = decoded(tools=[tool]).tools
    assert isinstance(found, Builtin)
    assert (found.kind, found.runs, found.raw, found.dialect) == (kind, "server", tool, "openai_chat")


def test_web_search_options_are_a_hosted_search():
    place = {"type": "approximate", "approximate": {"city": "Bern", "country": "CH"}}
    options = {"search_context_size": "medium", "user_location": place}
    (tool,) = decoded(web_search_options=options).tools
    assert isinstance(tool, Builtin)
    assert tool.config == {"context_size": "medium", "user_location": {"city": "Bern", "country": "CH"}}
    assert len(decoded(web_search_options={}, tools=[{"type": "web_search"}]).tools) == 1


TOOLS = [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", ToolChoice(mode="auto")),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="any")),
        ("any", ToolChoice(mode="any")),
        ({"type": "auto"}, ToolChoice(mode="auto")),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice(mode="any", parallel=False)),
        ({"type": "tool", "name": "f"}, ToolChoice(mode="tool", names=("f",))),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice(mode="tool", names=("f",))),
        ({"type": "function", "name": "f"}, ToolChoice(mode="tool", names=("f",))),
        ({"type": "custom", "custom": {"name": "f"}}, ToolChoice(mode="tool", names=("f",))),
    ],
)
def test_tool_choice_in_openai_s_and_anthropic_s_words(choice, expected):
    """Requirement B4."""
    assert decoded(tools=TOOLS, tool_choice=choice).tool_choice == expected


def test_allowed_tools_and_parallel_calls():
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}
    wire = {"type": "allowed_tools", "allowed_tools": allowed}
    choice = decoded(tools=TOOLS, tool_choice=wire, parallel_tool_calls=False).tool_choice
    assert choice == ToolChoice(
        mode="allowed", names=("f",), allowed_mode="any", parallel=False, raw=wire, raw_dialect="openai_chat"
    )
    assert decoded(tools=TOOLS, parallel_tool_calls=True).tool_choice == ToolChoice(parallel=True)


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    "said",
    [
        {"content": "Hi"},
        {"content": [{"type": "text", "text": "Hi"}]},
        {"content": None, "tool_calls": [CALL, {**CALL, "id": "c2"}]},
        {"content": "Let me see.", "tool_calls": [CALL]},
        {"tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "f", "input": "x"}}]},
        {"content": "Hi", "tool_calls": None},
        {"content": "Hi", "tool_calls": []},
    ],
    ids=str,
)
def test_an_assistant_who_only_says_and_calls_is_read_as_one_who_also_could_refuse(said):
    def history(**beside):
        ask = {"role": "user", "content": "hi"}
        return decoded(messages=[ask, {"role": "assistant", **said, **beside}, ask])

    assert history() == history(refusal=None)
