"""Tools and tool choice of a Responses request. Raises `Rejected` only."""

from collections.abc import Iterator
from typing import cast

from allgate.simulator.answer import Tool
from allgate.simulator.exchange import Rejected
from allgate.simulator.openai.checks import function_schema, invalid_type, invalid_value, missing, tool_name
from allgate.simulator.reading import items, part, word
from allgate.wire.json import Json, JsonObject

HOSTED = (
    "web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11", "file_search",
    "code_interpreter", "image_generation", "mcp", "computer", "computer_use_preview", "local_shell", "shell",
    "apply_patch", "tool_search", "programmatic_tool_calling",
)  # fmt: skip
_FUNCTION_KEYS = frozenset(
    {
        "type",
        "name",
        "description",
        "parameters",
        "strict",
        "defer_loading",
        "output_schema",
        "allowed_callers",
    }
)
_CHOICES = ("none", "auto", "required")


def read_tools(declared: list[Json]) -> tuple[Tool, ...]:
    """The declared tools, namespaces flattened. Raises: Rejected."""
    return tuple(
        tool for place, item in enumerate(declared) for tool in _tools(item, f"tools[{place}]", None)
    )


def read_choice(body: JsonObject, tools: tuple[Tool, ...]) -> tuple[str | None, bool]:
    """(forced tool: a name, "*" or None; may it call at all). Raises: Rejected."""
    choice: Json = body.get("tool_choice")
    match choice:
        case None | "auto" | "none":
            return None, choice != "none"
        case "required":
            _has_tools(tools)
            return "*", True
        case str():
            raise invalid_value("tool_choice", choice, _CHOICES)
        case dict():
            return _object_choice(cast(JsonObject, choice), tools), True
        case _:
            raise invalid_type("tool_choice", "one of a string or object", choice)


def _object_choice(choice: JsonObject, tools: tuple[Tool, ...]) -> str | None:
    kind = word(choice, "type")
    match kind:
        case "function" | "custom":
            if "function" in choice or choice.get("name") is None:
                raise missing("tool_choice.name")
            if word(choice, "name") not in {tool.name for tool in tools}:
                raise Rejected(f"Tool choice '{kind}' not found in 'tools' parameter.", param="tool_choice")
            return str(choice["name"])
        case "allowed_tools":
            if choice.get("mode") not in ("auto", "required"):
                raise invalid_value("tool_choice.mode", str(choice.get("mode")), ("auto", "required"))
            return "*" if choice["mode"] == "required" else None
        case _ if kind in HOSTED:
            if kind not in {tool.name for tool in tools if tool.hosted}:
                raise Rejected(f"Tool choice '{kind}' not found in 'tools' parameter.", param="tool_choice")
            return None
        case _:
            raise invalid_value(
                "tool_choice.type", str(kind), ("allowed_tools", "function", "custom", *HOSTED)
            )


def _has_tools(tools: tuple[Tool, ...]) -> None:
    if not tools:
        raise Rejected(
            "Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice"
        )


def _tools(tool: Json, param: str, namespace: str | None) -> Iterator[Tool]:
    if not isinstance(tool, dict):
        raise invalid_type(param, "an object", tool)
    found = cast(JsonObject, tool)
    kind = word(found, "type")
    match kind:
        case None:
            raise missing(f"{param}.type")
        case "function":
            yield _function(found, param, namespace)
        case "custom":
            name = tool_name(found.get("name"), f"{param}.name")
            form = part(found, "format")
            if form.get("type") == "grammar" and not isinstance(form.get("definition"), str):
                raise missing(f"{param}.format.definition")
            yield Tool(name=name, custom=True, namespace=namespace)
        case "namespace":
            inner = tool_name(found.get("name"), f"{param}.name")
            for place, child in enumerate(items(found, "tools")):
                yield from _tools(child, f"{param}.tools[{place}]", inner)
        case _ if kind in HOSTED:
            yield Tool(name=str(kind), hosted=True)
        case _:
            raise invalid_value(f"{param}.type", str(kind), ("function", "custom", "namespace", *HOSTED))


def _function(tool: JsonObject, param: str, namespace: str | None) -> Tool:
    name = tool_name(tool.get("name"), f"{param}.name")
    for key in tool:
        if key not in _FUNCTION_KEYS:
            raise Rejected(
                f"Unknown parameter: '{param}.{key}'.", param=f"{param}.{key}", code="unknown_parameter"
            )
    strict = tool.get("strict") is True
    schema = function_schema(tool.get("parameters"), name, f"{param}.parameters", strict=strict)
    return Tool(name=name, schema=schema, namespace=namespace)
