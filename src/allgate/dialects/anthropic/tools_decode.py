"""Tools and tool choice of a request."""

from allgate.dialects.anthropic.block_members import extra_of, mark_of
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.passes.lenient import count_of, object_of, objects_of
from allgate.operations.chat.tools import Builtin, BuiltinKind, Function, Tool, ToolChoice
from allgate.wire.json import (
    Json,
    JsonObject,
    list_at,
    object_at,
    optional_bool,
    optional_list,
    optional_object,
    optional_text,
    text_at,
)

# How a typed tool's name begins → (kind, who runs it). Version dates follow: "web_search_20250305".
_TYPED: tuple[tuple[str, BuiltinKind, bool], ...] = (
    ("web_search", "web_search", True),
    ("web_fetch", "web_fetch", True),
    ("code_execution", "code_execution", True),
    ("tool_search_tool", "tool_search", True),
    ("mcp_toolset", "mcp", True),
    ("bash", "bash", False),
    ("text_editor", "text_editor", False),
    ("memory", "memory", False),
    ("computer", "computer", False),
)

_FUNCTION_MEMBERS = frozenset(
    {
        "type",
        "name",
        "description",
        "input_schema",
        "strict",
        "defer_loading",
        "input_examples",
        "cache_control",
    }
)
_SEARCH_MEMBERS = ("max_uses", "allowed_domains", "blocked_domains")
_LOCATION_MEMBERS = ("city", "country", "region", "timezone")


def kind_of(tool_type: str) -> tuple[BuiltinKind, bool]:
    """(kind, does the provider run it?) of a typed tool; an unknown one is taken for a client's."""
    for beginning, kind, server in _TYPED:
        if tool_type.startswith(beginning):
            return kind, server
    return "other", False


def decode_tools(body: JsonObject) -> tuple[Tool, ...]:
    """The declared tools, and one for each MCP server that no toolset names (the older form of that beta)."""
    tools = [
        _tool(object_at(raw, f"tools.{place}"), f"tools.{place}")
        for place, raw in enumerate(optional_list(body, "tools") or ())
    ]
    named = any(isinstance(tool, Builtin) and tool.kind == "mcp" for tool in tools)
    servers = [] if named else objects_of(body.get("mcp_servers"))
    return (*tools, *(_mcp_server(server) for server in servers))


def _tool(raw: JsonObject, path: str) -> Tool:
    kind = optional_text(raw, "type", f"{path}.type")
    if kind is None or kind == "custom":
        return _function(raw, path)
    mark, _ = mark_of(raw)
    builtin, server = kind_of(kind)
    return Builtin(
        kind=builtin,
        runs="server" if server else "client",
        name=optional_text(raw, "name", f"{path}.name"),
        config=_search_config(raw) if builtin == "web_search" else {},
        raw={key: value for key, value in raw.items() if key != "cache_control"},
        dialect=DIALECT,
        cache=mark,
    )


def _function(raw: JsonObject, path: str) -> Function:
    mark, more = mark_of(raw)
    if raw.get("type") == "custom":
        more = {**more, "type": "custom"}
    return Function(
        name=text_at(raw.get("name"), f"{path}.name"),
        description=optional_text(raw, "description", f"{path}.description"),
        schema=optional_object(raw, "input_schema", f"{path}.input_schema"),
        strict=optional_bool(raw, "strict", f"{path}.strict"),
        deferred=bool(optional_bool(raw, "defer_loading", f"{path}.defer_loading")),
        examples=tuple(optional_list(raw, "input_examples", f"{path}.input_examples") or ()),
        cache=mark,
        extra=extra_of(raw, _FUNCTION_MEMBERS, more),
    )


def _mcp_server(server: JsonObject) -> Builtin:
    return Builtin(kind="mcp", runs="server", name=optional_text(server, "name"), dialect=DIALECT)


def _search_config(raw: JsonObject) -> JsonObject:
    """The canonical members. The size is what `max_uses` comes to in the dialects that know sizes only."""
    config: JsonObject = {key: raw[key] for key in _SEARCH_MEMBERS if raw.get(key) is not None}
    uses = count_of(raw.get("max_uses"))
    if uses is not None:
        config["context_size"] = "low" if uses <= 1 else "medium" if uses < 8 else "high"
    location = object_of(raw.get("user_location"))
    if place := {key: location[key] for key in _LOCATION_MEMBERS if location.get(key) is not None}:
        config["user_location"] = place
    return config


def decode_choice(raw: Json) -> ToolChoice | None:
    """`tool_choice`. Raises: WireError: not an object with a type."""
    if raw is None:
        return None
    choice = object_at(raw, "tool_choice")
    kind = text_at(choice.get("type"), "tool_choice.type")
    disabled = optional_bool(choice, "disable_parallel_tool_use", "tool_choice.disable_parallel_tool_use")
    parallel = None if disabled is None else not disabled
    match kind:
        case "auto" | "any" | "none":
            return ToolChoice(mode=kind, parallel=parallel)
        case "tool":
            return ToolChoice(
                mode="tool", names=(text_at(choice.get("name"), "tool_choice.name"),), parallel=parallel
            )
        case _:
            return ToolChoice(parallel=parallel, raw=choice, raw_dialect=DIALECT)


def tool_features(tools: Json) -> frozenset[str]:
    """The feature words of raw `tools`, for the head: no schema is looked at. Never fails."""
    found: set[str] = set()
    for tool in list_at(tools, "tools") if isinstance(tools, list) else ():
        kind = object_of(tool).get("type")
        builtin, server = kind_of(kind) if isinstance(kind, str) and kind != "custom" else ("other", False)
        found.add(builtin if server and builtin != "tool_search" else "tools")
    return frozenset(found)
