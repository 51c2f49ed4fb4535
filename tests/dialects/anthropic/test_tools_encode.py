import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.operations.chat.parts import CacheMark
from allgate.operations.chat.tools import Builtin, Custom, Function, Grammar, ToolChoice
from dialects.anthropic.exchange import (
    FOREIGN,
    assistant,
    call_to,
    decoded,
    encoded,
    note_paths,
    result,
    use,
    user,
)

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]}


def tools(*declared, **narrowed) -> list[dict]:
    return encoded(changed(FOREIGN, tools=declared), **narrowed)["tools"]


def test_regression_83_a_function_always_has_an_object_for_a_schema():
    assert tools(Function(name="f"))[0] == {"name": "f", "input_schema": {"type": "object", "properties": {}}}


def test_a_foreign_schema_is_adapted_and_an_own_one_is_not():
    root = {"anyOf": [SCHEMA, {"type": "object", "properties": {"b": {}}}]}
    assert tools(Function(name="f", schema=root))[0]["input_schema"]["type"] == "object"
    own = decoded(tools=[{"name": "f", "input_schema": root}])
    assert encoded(own)["tools"][0]["input_schema"] == root


def test_strict_is_sent_where_the_model_has_it():
    strict = Function(name="f", schema=SCHEMA, strict=True)
    written = tools(strict)[0]
    assert written["strict"] is True
    assert written["input_schema"]["additionalProperties"] is False
    assert "strict" not in tools(strict, strict_tools=False)[0]
    assert "strict" not in tools(changed(strict, strict=None))[0]


def test_a_recursive_strict_schema_is_sent_without_strict():
    tree = {"type": "object", "properties": {"child": {"$ref": "#"}}, "$defs": {}}
    request = changed(FOREIGN, tools=(Function(name="f", schema=tree, strict=True),))
    assert "strict" not in encoded(request)["tools"][0]
    assert "tools.f.strict" in note_paths(request)


def test_regression_62_a_custom_tool_is_a_function_with_one_string():
    grammar = Grammar(syntax="lark", definition="start: x")
    written = tools(Custom(name="apply_patch", description="Edit.", grammar=grammar))[0]
    assert written["input_schema"]["properties"] == {"input": {"type": "string"}}
    assert "start: x" in written["description"]


def test_names_are_fitted_and_namespaces_flattened():
    names = [tool["name"] for tool in tools(Function(name="a.b"), Function(name="sleep", namespace="clock"))]
    assert names == ["a_b", "clock__sleep"]


def test_regression_82_names_that_become_equal_stay_apart():
    first, second = (tool["name"] for tool in tools(Function(name="a.b"), Function(name="a:b")))
    assert first != second


def test_built_ins_of_other_vendors_become_this_one_s():
    config = {"context_size": "low", "user_location": {"city": "Ulm"}, "allowed_domains": ["e.x"]}
    search = Builtin(kind="web_search", runs="server", config=config, dialect="openai_responses")
    assert tools(search, Builtin(kind="code_execution", runs="server"), Builtin(kind="web_fetch", runs="server")) == [
        {
            "type": "web_search_20250305", "name": "web_search", "max_uses": 1, "allowed_domains": ["e.x"],
            "user_location": {"type": "approximate", "city": "Ulm"},
        },
        {"type": "code_execution_20250825", "name": "code_execution"},
        {"type": "web_fetch_20250910", "name": "web_fetch"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "uses"),
    [({}, None), ({"context_size": "medium"}, 5), ({"context_size": "high"}, 10), ({"max_uses": 3}, 3)],
)
def test_a_search_size_comes_to_a_number_of_searches(config, uses):
    assert tools(Builtin(kind="web_search", runs="server", config=config))[0].get("max_uses") == uses


def test_an_own_built_in_is_sent_as_it_was():
    raw = {
        "type": "computer_20251124",
        "name": "computer",
        "display_width_px": 1,
        "cache_control": {"type": "ephemeral"},
    }
    assert encoded(decoded(tools=[raw]))["tools"] == [raw]


def test_an_mcp_server_of_another_dialect_is_declared_with_its_toolset():
    raw = {
        "server_label": "wiki",
        "server_url": "https://e.x",
        "authorization": "t",
        "allowed_tools": ["ask"],
    }
    request = changed(
        FOREIGN, tools=(Builtin(kind="mcp", runs="server", raw=raw, dialect="openai_responses"),)
    )
    body = encoded(request)
    assert body["mcp_servers"] == [
        {"type": "url", "name": "wiki", "url": "https://e.x", "authorization_token": "t"}
    ]
    assert body["tools"] == [
        {
            "type": "mcp_toolset", "mcp_server_name": "wiki", "default_config": {"enabled": False},
            "configs": {"ask": {"enabled": True}},
        }
    ]  # fmt: skip
    assert b"mcp-client" in dict(call_to(request).headers)[b"anthropic-beta"]


@pytest.mark.parametrize("kind", ["file_search", "image_generation", "web_search", "mcp"])
def test_a_built_in_that_nobody_here_runs_is_refused(kind):
    with pytest.raises(WireError) as caught:
        tools(Builtin(kind=kind, runs="server"), hosted=())
    assert caught.value.failure.code == "unsupported_parameter"


def test_a_search_that_the_client_works_without_is_left_out_with_a_note():
    search = Builtin(kind="web_search", runs="server", optional=True)
    request = changed(FOREIGN, tools=(search,))
    assert "tools" not in encoded(request, hosted=())
    assert "tools.web_search" in note_paths(request, hosted=())


def test_a_client_s_built_in_becomes_a_function():
    request = changed(
        FOREIGN, tools=(Builtin(kind="local_shell", runs="client", dialect="openai_responses"),)
    )
    written = encoded(request)["tools"][0]
    assert written["name"] == "local_shell"
    assert "command" in written["input_schema"]["properties"]
    assert "tools.local_shell" in note_paths(request)


def test_regression_71_examples_are_for_their_own_dialect():
    assert "input_examples" not in tools(Function(name="f", examples=({"a": 1},)))[0]
    assert encoded(decoded(tools=[{"name": "f", "input_examples": [{"a": 1}]}]))["tools"][0][
        "input_examples"
    ] == [{"a": 1}]


DEFERRED = [{"name": name, "input_schema": SCHEMA, "defer_loading": True} for name in ("Grep", "Glob")]


def test_deferred_tools_stay_deferred_where_tools_can_be_found():
    assert encoded(decoded(tools=DEFERRED))["tools"] == DEFERRED


def test_regression_72_elsewhere_those_that_were_found_are_declared():
    found = result(content=[{"type": "tool_reference", "tool_name": "Grep"}])
    plain = {"name": "Read", "input_schema": SCHEMA}
    request = decoded(messages=[user("go"), assistant(use()), user(found)], tools=[plain, *DEFERRED])
    written = encoded(request, hosted=())["tools"]
    assert [tool["name"] for tool in written] == ["Read", "Grep"]
    assert "defer_loading" not in written[1]
    assert "tools" in note_paths(request, hosted=())


def test_a_breakpoint_on_a_tool_is_kept():
    assert tools(Function(name="f", cache=CacheMark()))[0]["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice(mode="auto"), {"type": "auto"}),
        (ToolChoice(mode="any"), {"type": "any"}),
        (ToolChoice(mode="none", parallel=False), {"type": "none"}),
        (ToolChoice(mode="tool", names=("my.f",)), {"type": "tool", "name": "my_f"}),
        (ToolChoice(parallel=False), {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(mode="any", parallel=True), {"type": "any", "disable_parallel_tool_use": False}),
        (ToolChoice(mode="allowed", names=("my.f",), allowed_mode="any"), {"type": "any"}),
        (ToolChoice(mode="allowed", names=("my.f",), allowed_mode="auto"), {"type": "auto"}),
        (ToolChoice(raw={"type": "novel"}, raw_dialect="anthropic"), {"type": "novel"}),
    ],
)
def test_the_choice_is_written(choice, expected):
    body = encoded(changed(FOREIGN, tools=(Function(name="my.f"), Function(name="g")), tool_choice=choice))
    assert body["tool_choice"] == expected
    assert [tool["name"] for tool in body["tools"]] == (
        ["my_f"] if choice.mode == "allowed" else ["my_f", "g"]
    )


def test_a_choice_that_says_nothing_writes_nothing():
    assert "tool_choice" not in encoded(
        changed(FOREIGN, tools=(Function(name="f"),), tool_choice=ToolChoice())
    )
