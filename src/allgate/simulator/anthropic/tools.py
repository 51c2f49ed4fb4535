"""Tools, tool choice and output configuration of a Messages request. Raises `Rejected` only."""

import re
from typing import cast

from allgate.simulator.answer import Tool
from allgate.simulator.anthropic.blocks import array, extra, mapping, missing, shape
from allgate.simulator.anthropic.models import Claude
from allgate.simulator.exchange import Rejected
from allgate.simulator.reading import items, part
from allgate.simulator.schema import flaw
from allgate.wire.json import Json, JsonObject

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TOOL_KEYS = frozenset(
    {
        "type", "name", "description", "input_schema", "cache_control", "strict", "defer_loading", "allowed_callers",
        "eager_input_streaming", "input_examples",
    }
)  # fmt: skip
_SERVER = re.compile(
    r"(web_search|web_fetch|code_execution|tool_search_tool_(bm25|regex)|mcp_toolset|bash|text_editor|computer|memory|"
    r"browser_toolset|computer_toolset)(_\d{8})?"
)
_SERVER_KEYS = {
    "web_search": {"max_uses", "allowed_domains", "blocked_domains", "user_location", "response_inclusion"},
    "web_fetch": {
        "max_uses",
        "allowed_domains",
        "blocked_domains",
        "citations",
        "max_content_tokens",
        "use_cache",
    },
}
_EVERYWHERE = frozenset({"type", "name", "cache_control", "allowed_callers", "defer_loading", "strict"})


def _command(*names: str) -> JsonObject:
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": list(names),
    }


# What Anthropic's own client-run tools are called with.
_CLIENT_RUN: dict[str, JsonObject] = {
    "bash": _command("command"),
    "text_editor": _command("command", "path"),
    "memory": _command("command", "path"),
    "computer": _command("action"),
}

# What the schema compiler of structured outputs does not take.
_UNSUPPORTED = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "oneOf",
        "maxItems", "uniqueItems", "prefixItems", "contains", "propertyNames", "patternProperties", "if", "then", "else",
        "not", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems",
    }
)  # fmt: skip


def read_tools(body: JsonObject) -> tuple[Tool, ...]:
    """The declared tools; one that Anthropic runs has no schema. Raises: Rejected."""
    declared = body.get("tools")
    if declared is None:
        return ()
    tools = tuple(_tool(tool, place) for place, tool in enumerate(array(declared, "tools")))
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise Rejected("tools: Tool names must be unique.")
    return tools


def read_choice(body: JsonObject, tools: tuple[Tool, ...], claude: Claude) -> tuple[str | None, bool, bool]:
    """(forced tool: a name, "*" or None; may it call at all; may it call in parallel). Raises: Rejected."""
    choice = part(body, "tool_choice")
    if not choice:
        return None, True, True
    kind = choice.get("type")
    allowed = {"auto": (), "any": (), "tool": ("name",), "none": ()}.get(str(kind))
    if allowed is None:
        raise Rejected(
            f"tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'auto', 'any', "
            "'tool', 'none'"
        )
    for name in choice:
        if name not in ("type", *allowed) and (name != "disable_parallel_tool_use" or kind == "none"):
            raise extra(f"tool_choice.{kind}.{name}")
    if not tools and kind != "none":
        raise Rejected("tool_choice may only be specified while providing tools.")
    if kind in ("any", "tool") and not claude.forced_tools:
        raise Rejected(f'tool_choice: "{kind}" is not supported for this model.')
    forced = "*" if kind == "any" else None
    if kind == "tool":
        if "name" not in choice:
            raise missing("tool_choice.tool.name")
        forced = str(choice["name"])
        if forced not in {tool.name for tool in tools}:
            raise Rejected(f"Tool '{forced}' not found in provided tools")
    return forced, kind != "none", choice.get("disable_parallel_tool_use") is not True


def read_output(body: JsonObject, claude: Claude, betas: tuple[str, ...]) -> JsonObject | None:
    """The schema that the answer must fit, if there is one. Raises: Rejected."""
    config = part(body, "output_config")
    for name in config:
        budgeted = name == "task_budget" and any(beta.startswith("task-budgets-") for beta in betas)
        if name not in ("effort", "format") and not budgeted:
            raise extra(f"output_config.{name}")
    _check_effort(body, config.get("effort"), claude)
    wanted = part(config, "format") or part(body, "output_format")
    if not wanted:
        return None
    if wanted.get("type") != "json_schema":
        raise Rejected("output_config.format.type: Input should be 'json_schema'")
    if not isinstance(wanted.get("schema"), dict):
        raise missing("output_config.format.schema")
    broken = flaw(wanted["schema"])
    if broken is not None:
        raise Rejected(f"output_config.format.schema: Invalid schema: {broken}")
    _check_compiles(wanted["schema"], "output_config.format.schema")
    messages = items(body, "messages")
    if messages and messages[-1].get("role") == "assistant":
        raise Rejected(
            "output_config.format: structured outputs cannot be combined with a prefilled assistant message"
        )
    return cast(JsonObject, wanted["schema"])


def _tool(tool: Json, place: int) -> Tool:
    path = f"tools.{place}"
    found = mapping(tool, path)
    kind = found.get("type")
    if kind not in (None, "custom"):
        return _server_tool(found, str(kind), path)
    path = f"{path}.custom"
    for name in ("name", "input_schema"):
        if name not in found:
            raise missing(f"{path}.{name}")
    for name in found:
        if name not in _TOOL_KEYS:
            raise extra(f"{path}.{name}")
    name = shape(found["name"], str, f"{path}.name", "string")
    if not _NAME.fullmatch(name):
        raise Rejected(f"{path}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    schema: Json = found["input_schema"]
    if not isinstance(schema, dict):
        raise Rejected(f"{path}.input_schema: Input does not match the expected shape.")
    root = cast(JsonObject, schema)
    if flaw(root) is not None:
        raise Rejected(
            f"{path}.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
            "(https://json-schema.org/draft/2020-12)."
        )
    if root.get("type") != "object":
        told = "Field required" if "type" not in root else "Input should be 'object'"
        raise Rejected(f"{path}.input_schema.type: {told}")
    if any(keyword in root for keyword in ("oneOf", "allOf", "anyOf")):
        raise Rejected(
            f"{path}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
        )
    if found.get("strict") is True:
        _check_compiles(root, f"{path}.input_schema")
    return Tool(name=name, schema=root)


def _server_tool(tool: JsonObject, kind: str, path: str) -> Tool:
    match = _SERVER.fullmatch(kind)
    if match is None:
        raise Rejected(
            f"{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'bash_20250124', "
            "'custom', 'text_editor_20250728', 'web_search_20250305', …"
        )
    if "name" not in tool and match[1] not in ("mcp_toolset", "browser_toolset", "computer_toolset"):
        raise missing(f"{path}.{kind}.name")
    keys = _SERVER_KEYS.get(match[1])
    for name in tool:
        if keys is not None and name not in keys | _EVERYWHERE:
            raise extra(f"{path}.{kind}.{name}")
    if tool.get("allowed_domains") and tool.get("blocked_domains"):
        raise Rejected(f"{path}.{kind}: only one of `allowed_domains` and `blocked_domains` may be given")
    schema = _CLIENT_RUN.get(match[1])
    name = tool.get("name") or tool.get("mcp_server_name") or kind
    return Tool(name=str(name), schema=schema, hosted=schema is None)


def _check_effort(body: JsonObject, effort: Json, claude: Claude) -> None:
    if effort is None:
        return
    if not claude.efforts:
        raise Rejected("This model does not support the effort parameter.")
    if effort not in claude.efforts:
        listed = ", ".join(sorted(claude.efforts))
        raise Rejected(f"This model does not support effort level '{effort}'. Supported levels: {listed}.")
    off = part(body, "thinking").get("type") == "disabled"
    if off and effort in ("xhigh", "max") and str(body.get("model")).startswith("claude-opus-5"):
        raise Rejected(f"output_config.effort: '{effort}' requires thinking on this model")


def _check_compiles(node: Json, path: str) -> None:
    """The subset of JSON Schema that Anthropic compiles into a grammar."""
    if isinstance(node, list):
        for child in cast(list[Json], node):
            _check_compiles(child, path)
    if not isinstance(node, dict):
        return
    found = cast(JsonObject, node)
    if found.get("type") == "object" and found.get("additionalProperties") is not False:
        raise Rejected(f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false")
    refused = sorted(_UNSUPPORTED & set(found))
    if refused:
        raise Rejected(
            f"{path}: For '{found.get('type')}' type, properties {', '.join(refused)} are not supported"
        )
    if found.get("minItems") not in (None, 0, 1):
        raise Rejected(f"{path}: For 'array' type, 'minItems' values other than 0 or 1 are not supported")
    for keyword in ("properties", "$defs", "definitions"):
        for child in part(found, keyword).values():
            _check_compiles(child, path)
    for keyword in ("items", "anyOf", "allOf"):
        _check_compiles(found.get(keyword), path)
