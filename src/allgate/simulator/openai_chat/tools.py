"""Tools and tool choice of a chat request, the legacy `functions` among them. Raises `Rejected` only."""

from typing import cast

from allgate.simulator.answer import Tool
from allgate.simulator.exchange import Rejected
from allgate.simulator.openai.checks import (
    function_schema,
    invalid_value,
    mapping,
    missing,
    tool_name,
)
from allgate.simulator.reading import items, part, word
from allgate.wire.json import Json, JsonObject

TOOLS_MAX = 128
"""Tools OpenAI takes."""


def read_tools(body: JsonObject) -> tuple[Tool, ...]:
    """The declared tools and functions. Raises: Rejected."""
    declared = items(body, "tools")
    if body.get("tools") == []:
        raise Rejected(
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="tools",
            code="empty_array",
        )
    if len(declared) > TOOLS_MAX:
        raise Rejected(
            f"Invalid 'tools': array too long. Expected an array with maximum length {TOOLS_MAX}, but got an array "
            f"with length {len(declared)} instead.",
            param="tools",
            code="array_above_max_length",
        )
    legacy = items(body, "functions")
    return tuple(
        [_tool(tool, f"tools[{place}]") for place, tool in enumerate(declared)]
        + [_function(function, f"functions[{place}]") for place, function in enumerate(legacy)]
    )


def read_choice(body: JsonObject, tools: tuple[Tool, ...]) -> str | None:
    """The tool that must be called: its name, "*" for any, None for none. Raises: Rejected."""
    wanted: Json = body.get("tool_choice") if body.get("tools") else body.get("function_call")
    if wanted in (None, "auto", "none"):
        return None
    if wanted == "required" and body.get("tools"):
        return "*"
    if not isinstance(wanted, dict):
        raise invalid_value("tool_choice", str(wanted), ("none", "auto", "required"))
    found = cast(JsonObject, wanted)
    if not body.get("tools"):
        return _declared(word(found, "name"), tools, "function_call")
    kind = word(found, "type") or ""
    if kind == "allowed_tools":
        return "*" if part(found, "allowed_tools").get("mode") == "required" else None
    if kind not in ("function", "custom"):
        raise invalid_value("tool_choice.type", kind, ("function", "allowed_tools", "custom"))
    return _declared(word(part(found, kind), "name"), tools, "tool_choice")


def _tool(tool: Json, param: str) -> Tool:
    mapping(tool, param)
    kind = word(tool, "type")
    if kind is None:
        raise missing(f"{param}.type")
    if kind not in ("function", "custom"):
        raise invalid_value(f"{param}.type", str(kind), ("function", "custom"))
    if not isinstance(tool.get(kind), dict):
        raise missing(f"{param}.{kind}")
    if kind == "custom":
        return Tool(name=tool_name(tool["custom"].get("name"), f"{param}.custom.name"), custom=True)
    return _function(tool["function"], f"{param}.function")


def _function(function: Json, param: str) -> Tool:
    mapping(function, param)
    name = tool_name(function.get("name"), f"{param}.name")
    for field in function:
        if field not in ("name", "description", "parameters", "strict"):
            raise Rejected(
                f"Unknown parameter: '{param}.{field}'.", param=f"{param}.{field}", code="unknown_parameter"
            )
    strict = function.get("strict") is True
    return Tool(
        name=name,
        schema=function_schema(function.get("parameters"), name, f"{param}.parameters", strict=strict),
    )


def _declared(name: str | None, tools: tuple[Tool, ...], param: str) -> str:
    if name is None:
        raise missing(f"{param}.function.name")
    if name not in {tool.name for tool in tools}:
        raise Rejected(
            f"Invalid value for '{param}': no function named '{name}' was specified in the 'tools' parameter.",
            param=param,
        )
    return name
