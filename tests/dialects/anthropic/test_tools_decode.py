import pytest

from allgate.dialects.anthropic.tools_decode import tool_features
from allgate.operations.chat.features import features_of
from allgate.operations.chat.parts import CacheMark
from allgate.operations.chat.tools import Builtin, Function, ToolChoice
from dialects.anthropic.exchange import decoded

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
SEARCH = {
    "type": "web_search_20250305", "name": "web_search", "max_uses": 5, "allowed_domains": ["e.x"],
    "user_location": {"type": "approximate", "city": "Ulm", "country": None},
}  # fmt: skip


def tool_of(raw: dict):
    return decoded(tools=[raw]).tools[0]


def test_a_function_is_read_with_all_it_says():
    raw = {
        "type": "custom", "name": "f", "description": "d", "input_schema": SCHEMA, "strict": True, "defer_loading": True,
        "input_examples": [{"a": "x"}], "cache_control": {"type": "ephemeral"}, "allowed_callers": ["direct"],
    }  # fmt: skip
    assert tool_of(raw) == Function(
        name="f", description="d", schema=SCHEMA, strict=True, deferred=True, examples=({"a": "x"},), cache=CacheMark(),
        extra={"anthropic": {"allowed_callers": ["direct"], "type": "custom"}},
    )  # fmt: skip


def test_regression_83_a_function_may_have_no_schema():
    assert tool_of({"name": "f"}) == Function(name="f")


def test_web_search_is_read_in_the_common_words():
    tool = tool_of(SEARCH)
    assert isinstance(tool, Builtin)
    assert (tool.kind, tool.runs, tool.name, tool.raw) == ("web_search", "server", "web_search", SEARCH)
    assert tool.config == {
        "max_uses": 5, "allowed_domains": ["e.x"], "context_size": "medium", "user_location": {"city": "Ulm"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("uses", "size"), [(0, "low"), (1, "low"), (2, "medium"), (7, "medium"), (8, "high")]
)
def test_the_number_of_searches_comes_to_a_size(uses, size):
    assert tool_of({**SEARCH, "max_uses": uses}).config["context_size"] == size


@pytest.mark.parametrize(
    ("tool_type", "kind", "runs"),
    [
        ("web_search_20260209", "web_search", "server"),
        ("web_fetch_20250910", "web_fetch", "server"),
        ("code_execution_20250825", "code_execution", "server"),
        ("tool_search_tool_bm25_20251119", "tool_search", "server"),
        ("mcp_toolset", "mcp", "server"),
        ("bash_20250124", "bash", "client"),
        ("text_editor_20250728", "text_editor", "client"),
        ("memory_20250818", "memory", "client"),
        ("computer_20251124", "computer", "client"),
        ("computer_toolset_20260801", "computer", "client"),
        ("browser_toolset_20260801", "other", "client"),
    ],
)
def test_typed_tools_are_known_by_how_their_name_begins(tool_type, kind, runs):
    tool = tool_of({"type": tool_type, "name": "n"})
    assert isinstance(tool, Builtin)
    assert (tool.kind, tool.runs) == (kind, runs)
    assert tool_features([{"type": tool_type}]) == features_of(
        decoded(tools=[{"type": tool_type, "name": "n"}])
    )


def test_an_mcp_server_without_a_toolset_is_a_tool_too():
    servers = [{"type": "url", "name": "wiki", "url": "https://e.x"}]
    assert decoded(mcp_servers=servers).tools == (
        Builtin(kind="mcp", runs="server", name="wiki", dialect="anthropic"),
    )
    toolset = {"type": "mcp_toolset", "mcp_server_name": "wiki"}
    assert len(decoded(mcp_servers=servers, tools=[toolset]).tools) == 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"type": "auto"}, ToolChoice(mode="auto")),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice(mode="any", parallel=False)),
        ({"type": "none"}, ToolChoice(mode="none")),
        ({"type": "tool", "name": "f"}, ToolChoice(mode="tool", names=("f",))),
        ({"type": "novel"}, ToolChoice(raw={"type": "novel"}, raw_dialect="anthropic")),
        (None, None),
    ],
)
def test_the_choice_is_read(raw, expected):
    assert decoded(tool_choice=raw).tool_choice == expected
