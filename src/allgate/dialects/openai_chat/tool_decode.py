"""Tools and the choice among them, in every spelling that reaches a chat endpoint.

Beside OpenAI's nested function and custom tools: the flat ones of Responses (editors send them), hosted tools by type
(`web_search*`, `code_interpreter`, …), Gemini's bare members (`{"googleSearch": {}}`), functions named googleSearch,
codeExecution or urlContext (how Gemini's hosted tools are asked for on chat), `web_search_options`, the legacy
`functions`, and Anthropic's words for `tool_choice`.
"""

from typing import Literal

from allgate.core.errors import wire_error
from allgate.dialects.openai_chat.content_decode import cache_mark
from allgate.dialects.openai_chat.own import NAME, rest
from allgate.dialects.passes.lenient import object_of, objects_of
from allgate.operations.chat.tools import Builtin, BuiltinKind, Custom, Function, Grammar, Tool, ToolChoice
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

# Hosted tools by the name that Gemini gives them; on chat they are asked for as members or as function names.
_GEMINI_TOOLS: dict[str, BuiltinKind] = {
    "googleSearch": "web_search",
    "google_search": "web_search",
    "codeExecution": "code_execution",
    "code_execution": "code_execution",
    "urlContext": "web_fetch",
    "url_context": "web_fetch",
}
_SPECIAL_FUNCTIONS = ("googleSearch", "codeExecution", "urlContext")

# Beginnings of a tool's `type` → what it is and who runs it.
_TYPES: tuple[tuple[str, BuiltinKind, Literal["server", "client"]], ...] = (
    ("web_search", "web_search", "server"),
    ("web_fetch", "web_fetch", "server"),
    ("code_interpreter", "code_execution", "server"),
    ("code_execution", "code_execution", "server"),
    ("file_search", "file_search", "server"),
    ("image_generation", "image_generation", "server"),
    ("mcp", "mcp", "server"),
    ("tool_search", "tool_search", "server"),
    ("computer", "computer", "client"),
    ("bash", "bash", "client"),
    ("text_editor", "text_editor", "client"),
    ("memory", "memory", "client"),
    ("local_shell", "local_shell", "client"),
    ("apply_patch", "apply_patch", "client"),
    ("shell", "shell", "client"),
)

TOOL_MEMBERS = frozenset(
    {"tools", "functions", "web_search_options", "tool_choice", "function_call", "parallel_tool_calls"}
)
"""Members of the body that are read here."""


def decode_tools(body: JsonObject) -> tuple[Tool, ...]:
    """What `tools`, `functions` and `web_search_options` declare. Raises: WireError naming the path."""
    tools = [
        _tool(value, f"tools[{place}]") for place, value in enumerate(optional_list(body, "tools") or ())
    ]
    for place, value in enumerate(optional_list(body, "functions") or ()):
        tools.append(_function(object_at(value, f"functions[{place}]"), {}, f"functions[{place}]"))
    options = optional_object(body, "web_search_options")
    if options is not None and not any(
        isinstance(tool, Builtin) and tool.kind == "web_search" for tool in tools
    ):
        tools.append(
            Builtin(
                kind="web_search", runs="server", config=_search_config(options), raw=options, dialect=NAME
            )
        )
    return tuple(tools)


def _tool(value: Json, path: str) -> Tool:
    source = object_at(value, path)
    kind = optional_text(source, "type", f"{path}.type")
    if kind == "function" or (kind is None and ("function" in source or "name" in source)):
        nested = optional_object(source, "function", f"{path}.function")
        inner = f"{path}.function" if nested is not None else path
        return _function(nested if nested is not None else source, source, inner)
    if kind == "custom":
        return _custom(source, path)
    if kind is None:
        return _gemini_tool(source, path)
    own_name = kind.rpartition(":")[2]  # OpenRouter writes `openrouter:web_search`
    for beginning, builtin, runs in _TYPES:
        if own_name.startswith(beginning):
            return _builtin(source, builtin, runs, path)
    return _builtin(source, "other", "server", path)


def _function(source: JsonObject, outer: JsonObject, path: str) -> Function | Builtin:
    name = text_at(source.get("name"), f"{path}.name")
    if name in _SPECIAL_FUNCTIONS:
        return Builtin(kind=_GEMINI_TOOLS[name], runs="server", name=name, raw=outer or source, dialect=NAME)
    if not name:
        raise wire_error(f"Invalid '{path}.name': it is empty", param=f"{path}.name")
    known = {
        "type",
        "name",
        "description",
        "parameters",
        "strict",
        "cache_control",
        "defer_loading",
        "function",
    }
    return Function(
        name=name,
        description=optional_text(source, "description", f"{path}.description"),
        schema=optional_object(source, "parameters", f"{path}.parameters"),
        strict=optional_bool(source, "strict", f"{path}.strict"),
        deferred=bool(optional_bool(outer, "defer_loading", f"{path}.defer_loading")),
        cache=cache_mark(outer, path) or cache_mark(source, path),
        extra=rest({**outer, **source}, known),
    )


def _custom(source: JsonObject, path: str) -> Custom:
    """Nested in `custom`, with the grammar nested once more in `format.grammar`; the flat spelling is read too."""
    nested = optional_object(source, "custom", f"{path}.custom")
    inner = nested if nested is not None else source
    written = object_of(inner.get("format"))
    grammar = object_of(written.get("grammar")) or written
    syntax = grammar.get("syntax")
    return Custom(
        name=text_at(inner.get("name"), f"{path}.custom.name"),
        description=optional_text(inner, "description", f"{path}.custom.description"),
        grammar=Grammar(
            syntax=syntax,
            definition=text_at(grammar.get("definition"), f"{path}.custom.format.grammar.definition"),
        )
        if syntax in ("lark", "regex")
        else None,
        cache=cache_mark(source, path),
    )


def _gemini_tool(source: JsonObject, path: str) -> Builtin:
    for name, kind in _GEMINI_TOOLS.items():
        if name in source:
            return Builtin(kind=kind, runs="server", name=name, raw=source, dialect=NAME)
    raise wire_error(
        f"Missing required parameter: '{path}.type'.", param=f"{path}.type", code="missing_required_parameter"
    )


def _builtin(source: JsonObject, kind: BuiltinKind, runs: Literal["server", "client"], path: str) -> Builtin:
    return Builtin(
        kind=kind,
        runs=runs,
        name=optional_text(source, "name", f"{path}.name"),
        config=_search_config(source) if kind == "web_search" else {},
        raw=source,
        dialect=NAME,
        cache=cache_mark(source, path),
    )


def _search_config(source: JsonObject) -> JsonObject:
    """The canonical settings of a web search; `user_location` is nested once more on chat."""
    filters = object_of(source.get("filters"))
    place = object_of(source.get("user_location"))
    place = object_of(place.get("approximate")) or {
        key: value for key, value in place.items() if key != "type"
    }
    found: JsonObject = {
        "context_size": source.get("search_context_size"),
        "max_uses": source.get("max_uses"),
        "allowed_domains": source.get("allowed_domains") or filters.get("allowed_domains"),
        "blocked_domains": source.get("blocked_domains") or filters.get("blocked_domains"),
        "user_location": place or None,
        "external_web_access": source.get("external_web_access"),
    }
    return {key: value for key, value in found.items() if value is not None}


def decode_tool_choice(body: JsonObject) -> ToolChoice | None:
    """`tool_choice`, `function_call` and `parallel_tool_calls`; None where the client says nothing."""
    parallel = optional_bool(body, "parallel_tool_calls")
    choice: Json = body.get("tool_choice")
    if choice is not None:
        return _choice(choice, parallel)
    legacy: Json = body.get("function_call")
    if legacy is not None:
        if isinstance(legacy, str):
            return _choice_word(legacy, parallel, "function_call")
        name = text_at(object_at(legacy, "function_call").get("name"), "function_call.name")
        return ToolChoice(mode="tool", names=(name,), parallel=parallel)
    return None if parallel is None else ToolChoice(parallel=parallel)


def _choice(value: Json, parallel: bool | None) -> ToolChoice:
    if isinstance(value, str):
        return _choice_word(value, parallel, "tool_choice")
    source = object_at(value, "tool_choice")
    kind = text_at(source.get("type"), "tool_choice.type")
    if optional_bool(source, "disable_parallel_tool_use", "tool_choice.disable_parallel_tool_use"):
        parallel = False
    match kind:
        case "auto" | "any" | "none" | "required":
            return _choice_word(kind, parallel, "tool_choice.type")
        case "function" | "custom" | "tool":
            inner = object_of(source.get(kind)) or source
            name = text_at(inner.get("name"), f"tool_choice.{kind}.name")
            return ToolChoice(mode="tool", names=(name,), parallel=parallel)
        case "allowed_tools":
            return _allowed(source, parallel)
        case _:
            return ToolChoice(parallel=parallel, raw=source, raw_dialect=NAME)


def _choice_word(word: str, parallel: bool | None, path: str) -> ToolChoice:
    match word:
        case "auto" | "none":
            return ToolChoice(mode=word, parallel=parallel)
        case "required" | "any":
            return ToolChoice(mode="any", parallel=parallel)
        case _:
            raise wire_error(
                f"Invalid value for '{path}': '{word}'. Supported values are: 'none', 'auto', 'required' and 'any'.",
                param=path,
                code="invalid_value",
            )


def _allowed(source: JsonObject, parallel: bool | None) -> ToolChoice:
    inner = object_of(source.get("allowed_tools")) or source
    tools = list_at(inner.get("tools"), "tool_choice.allowed_tools.tools")
    names = tuple(_tool_name(tool) for tool in objects_of(tools))
    return ToolChoice(
        mode="allowed",
        names=tuple(filter(None, names)),
        allowed_mode="any" if inner.get("mode") in ("required", "any") else "auto",
        parallel=parallel,
        raw=source,
        raw_dialect=NAME,
    )


def _tool_name(tool: JsonObject) -> str:
    inner = object_of(tool.get("function")) or object_of(tool.get("custom")) or tool
    name: Json = inner.get("name")
    return name if isinstance(name, str) else ""
