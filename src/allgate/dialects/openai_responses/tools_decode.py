"""`tools` and `tool_choice` of a request.

A namespace is not a tool but a place: its tools are decoded one by one with its name on them, and what else it says
(its description) stays on the first of them. Tools that an input item declares (`additional_tools`, found by a
`tool_search`) can be called like any other, so they join the list, marked with where they were declared.
"""

from collections.abc import Iterator
from typing import Literal

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.openai_responses.own import NAME, NAMESPACE, ORIGIN, rest
from allgate.dialects.passes.lenient import object_of, text_or_none, texts_of
from allgate.operations.chat.tools import Builtin, BuiltinKind, Custom, Function, Grammar, Tool, ToolChoice
from allgate.wire.json import (
    Json,
    JsonObject,
    list_at,
    object_at,
    optional_bool,
    optional_object,
    optional_text,
    text_at,
)

_FUNCTION = frozenset({"type", "name", "description", "parameters", "strict", "defer_loading", "function"})
_CUSTOM = frozenset({"type", "name", "description", "format", "defer_loading"})
_NAMESPACE = frozenset({"type", "name", "tools"})

Runs = Literal["server", "client"]
_BUILTINS: dict[str, tuple[BuiltinKind, Runs]] = {
    "web_search": ("web_search", "server"),
    "file_search": ("file_search", "server"),
    "code_interpreter": ("code_execution", "server"),
    "image_generation": ("image_generation", "server"),
    "mcp": ("mcp", "server"),
    "computer": ("computer", "client"),
    "computer_use": ("computer", "client"),
    "computer_use_preview": ("computer", "client"),
    "local_shell": ("local_shell", "client"),
    "apply_patch": ("apply_patch", "client"),
}
_CONTEXT_SIZES = ("low", "medium", "high")


def decode_tools(value: Json, path: str) -> tuple[Tool, ...]:
    """The tools of an array. Raises: WireError naming `path`."""
    tools: list[Tool] = []
    for index, item in enumerate(list_at(value, path)):
        at = f"{path}[{index}]"
        tool = object_at(item, at)
        tools += _namespace(tool, at) if tool.get("type") == "namespace" else [_tool(tool, at, None)]
    return tuple(tools)


def _namespace(namespace: JsonObject, path: str) -> list[Tool]:
    """The tools of a namespace; the first one keeps what else the namespace says."""
    name = text_at(namespace.get("name"), f"{path}.name")
    inner = list_at(namespace.get("tools", []), f"{path}.tools")
    tools = [
        _tool(object_at(child, f"{path}.tools[{place}]"), f"{path}.tools[{place}]", name)
        for place, child in enumerate(inner)
    ]
    said = {key: member for key, member in namespace.items() if key not in _NAMESPACE}
    return [_marked(tools[0], {NAMESPACE: said}), *tools[1:]] if tools and said else tools


def _marked(tool: Tool, members: JsonObject) -> Tool:
    return changed(tool, extra={**tool.extra, NAME: {**tool.extra.get(NAME, {}), **members}})


def declared_in_item(value: Json, path: str, item_type: str) -> tuple[Tool, ...]:
    """The tools that an input item declares, marked as such."""
    return tuple(_marked(tool, {ORIGIN: item_type}) for tool in decode_tools(value, path))


def without_repeats(tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    """The first of the named tools that share name and namespace: histories declare the same ones again."""
    found: dict[object, Tool] = {}
    for place, tool in enumerate(tools):
        found.setdefault(place if isinstance(tool, Builtin) else (tool.name, tool.namespace), tool)
    return tuple(found.values())


def _tool(tool: JsonObject, path: str, namespace: str | None) -> Tool:
    kind = text_at(tool.get("type", "function"), f"{path}.type")
    if kind == "function":
        return _function(tool, path, namespace)
    if kind == "custom":
        return _custom(tool, path, namespace)
    return _builtin(tool, kind, path)


def _function(tool: JsonObject, path: str, namespace: str | None) -> Function:
    nested = optional_object(tool, "function", f"{path}.function") or tool  # the Chat spelling
    return Function(
        name=_name(nested, path),
        description=optional_text(nested, "description", f"{path}.description"),
        schema=optional_object(nested, "parameters", f"{path}.parameters"),
        strict=optional_bool(nested, "strict", f"{path}.strict"),
        namespace=namespace,
        deferred=bool(optional_bool(tool, "defer_loading", f"{path}.defer_loading")),
        extra=rest(tool, _FUNCTION | nested.keys() if nested is not tool else _FUNCTION),
    )


def _custom(tool: JsonObject, path: str, namespace: str | None) -> Custom:
    form = optional_object(tool, "format", f"{path}.format") or {}
    grammar: Grammar | None = None
    if form.get("type") == "grammar":
        syntax = form.get("syntax")
        if syntax not in ("lark", "regex"):
            raise wire_error(f"Invalid value for '{path}.format.syntax'", param=f"{path}.format.syntax")
        definition = text_at(form.get("definition"), f"{path}.format.definition")
        grammar = Grammar(syntax=syntax, definition=definition)
    return Custom(
        name=_name(tool, path),
        description=optional_text(tool, "description", f"{path}.description"),
        grammar=grammar,
        namespace=namespace,
        deferred=bool(optional_bool(tool, "defer_loading", f"{path}.defer_loading")),
        extra=rest(tool, _CUSTOM),
    )


def _name(tool: JsonObject, path: str) -> str:
    if not tool.get("name"):
        raise wire_error(f"Missing required parameter: '{path}.name'", param=f"{path}.name", code="missing_required_parameter")  # fmt: skip
    return text_at(tool["name"], f"{path}.name")


def builtin_kind(tool: JsonObject) -> tuple[BuiltinKind, Runs]:
    """What a built-in tool is, and who runs it."""
    kind = text_or_none(tool.get("type")) or ""
    if kind.startswith("web_search"):
        return "web_search", "server"
    if kind == "tool_search":
        return "tool_search", "client" if tool.get("execution") == "client" else "server"
    if kind == "shell":
        container = text_or_none(object_of(tool.get("environment")).get("type")) or "local"
        return "shell", "server" if container.startswith("container") else "client"
    return _BUILTINS.get(kind, ("other", "server"))


def _builtin(tool: JsonObject, wire_type: str, path: str) -> Builtin:
    kind, runs = builtin_kind(tool)
    config: JsonObject = dict(_search_config(tool, path)) if kind == "web_search" else {}
    name = wire_type if kind == "other" else kind
    optional = is_optional(kind, runs, external_web_access=tool.get("external_web_access"))
    return Builtin(kind=kind, runs=runs, name=name, config=config, raw=tool, dialect=NAME, optional=optional)


def is_optional(kind: BuiltinKind, runs: Runs, *, external_web_access: Json) -> bool:
    """Whether a client works without this built-in: Codex alone sends that member of a web search, with every request;
    without a tool search all tools are declared at once."""
    if kind == "web_search":
        return external_web_access is not None
    return kind == "tool_search" and runs == "server"


def _search_config(tool: JsonObject, path: str) -> Iterator[tuple[str, Json]]:
    """The canonical settings of a web search; the rest stays in `raw`."""
    size = tool.get("search_context_size")
    if size in _CONTEXT_SIZES:
        yield "context_size", size
    filters = optional_object(tool, "filters", f"{path}.filters") or {}
    for name in ("allowed_domains", "blocked_domains"):
        if domains := texts_of(filters.get(name)):
            yield name, list(domains)
    place = object_of(tool.get("user_location"))
    known = {key: place[key] for key in ("city", "country", "region", "timezone") if place.get(key)}
    if known:
        yield "user_location", known
    if isinstance(tool.get("external_web_access"), bool):
        yield "external_web_access", tool["external_web_access"]


def decode_tool_choice(value: Json, parallel: bool | None) -> ToolChoice | None:
    """`tool_choice` and `parallel_tool_calls`; None where neither was said. Raises: WireError."""
    if value is None:
        return None if parallel is None else ToolChoice(parallel=parallel)
    if isinstance(value, str):
        modes: dict[str, Literal["auto", "any", "none"]] = {"auto": "auto", "required": "any", "none": "none"}
        if value not in modes:
            raise wire_error(
                f"Invalid value: '{value}'. Supported values are: 'none', 'auto', and 'required'",
                param="tool_choice",
            )
        return ToolChoice(mode=modes[value], parallel=parallel)
    return _chosen(object_at(value, "tool_choice"), parallel)


def _chosen(choice: JsonObject, parallel: bool | None) -> ToolChoice:
    kind = choice.get("type")
    if kind == "allowed_tools":
        entries = [
            object_at(tool, "tool_choice.tools") for tool in list_at(choice.get("tools"), "tool_choice.tools")
        ]
        mode = "any" if choice.get("mode") == "required" else "auto"
        names = tuple(name for entry in entries if (name := _chosen_name(entry)))
        return ToolChoice(
            mode="allowed", names=names, allowed_mode=mode, parallel=parallel, raw=choice, raw_dialect=NAME
        )
    if kind in ("function", "custom"):
        nested = object_of(choice.get(kind)) or choice  # the Chat spelling
        return ToolChoice(
            mode="tool", names=(text_at(nested.get("name"), "tool_choice.name"),), parallel=parallel
        )
    name = _chosen_name(choice)
    return ToolChoice(
        mode="tool" if name else None,
        names=(name,) if name else (),
        parallel=parallel,
        raw=choice,
        raw_dialect=NAME,
    )


def _chosen_name(entry: JsonObject) -> str | None:
    """The name of the tool an entry means; a built-in is called by its kind."""
    if entry.get("type") in ("function", "custom"):
        return text_or_none(entry.get("name"))
    kind, _ = builtin_kind(entry)
    return text_or_none(entry.get("type")) if kind == "other" else kind
