"""tools and toolConfig → tools and their choice.

All functions of all tool objects become Functions; every other member of a tool object is a tool of Google's own. A
declaration's schema, response schema and behavior stay in `extra` as they were written.
"""

from collections.abc import Iterator

from allgate.core.value import changed
from allgate.dialects.gemini.members import many_at, members_of, optional_members
from allgate.dialects.gemini.schema_decode import from_json_schema, from_proto
from allgate.operations.chat.features import HOSTED_FEATURES
from allgate.operations.chat.tools import Builtin, BuiltinKind, Function, Tool, ToolChoice
from allgate.wire.json import Json, JsonObject, optional_list, optional_text, text_at

_KINDS: dict[str, BuiltinKind] = {
    "googleSearch": "web_search", "googleSearchRetrieval": "web_search", "enterpriseWebSearch": "web_search",
    "codeExecution": "code_execution", "urlContext": "web_fetch", "fileSearch": "file_search",
    "googleMaps": "google_maps", "computerUse": "computer", "mcpServers": "mcp",
}  # fmt: skip
_RUN_BY_CLIENT = frozenset({"computerUse"})


def tools_of(raw: Json) -> tuple[Tool, ...]:
    """The tools of a request, in order. Raises: WireError."""
    return tuple(
        tool for place, one in enumerate(many_at(raw, "tools")) for tool in _tools(one, f"tools[{place}]")
    )


def _tools(raw: Json, path: str) -> Iterator[Tool]:
    for key, value in members_of(raw, path).items():
        if key == "functionDeclarations":
            where = f"{path}.functionDeclarations"
            for place, declaration in enumerate(many_at(value or [], where)):
                yield _function(declaration, f"{where}[{place}]")
        elif value is not None:
            yield Builtin(
                kind=_KINDS.get(key, "other"),
                runs="client" if key in _RUN_BY_CLIENT else "server",
                name=key,
                config=_config(key, value),
                raw={key: value},
                dialect="gemini",
            )


def feature_of(key: str) -> str:
    """The feature word (`operations.chat.features`) of a member of a tool object."""
    kind = _KINDS.get(key, "other")
    return kind if key not in _RUN_BY_CLIENT and kind in HOSTED_FEATURES else "tools"


def _config(key: str, value: Json) -> JsonObject:
    if key != "googleSearch" or not isinstance(value, dict):
        return {}
    blocked = members_of(value, key).get("excludeDomains")
    return {"blocked_domains": blocked} if isinstance(blocked, list) else {}


def _function(raw: Json, path: str) -> Function:
    source = members_of(raw, path)
    schema: JsonObject | None = None
    if source.get("parametersJsonSchema") is not None:
        schema = from_json_schema(source["parametersJsonSchema"], f"{path}.parametersJsonSchema")
    elif source.get("parameters") is not None:
        schema = from_proto(source["parameters"], f"{path}.parameters")
    own = {key: value for key, value in source.items() if key not in ("name", "description")}
    return Function(
        name=text_at(source.get("name"), f"{path}.name"),
        description=optional_text(source, "description", f"{path}.description"),
        schema=schema,
        extra={"gemini": own} if own else {},
    )


def choice_of(tool_config: JsonObject) -> tuple[ToolChoice | None, JsonObject]:
    """The choice that functionCallingConfig says, and the other members of toolConfig.

    VALIDATED is an auto whose calls are held to their schemas.
    """
    rest = {key: value for key, value in tool_config.items() if key != "functionCallingConfig"}
    config = optional_members(tool_config, "functionCallingConfig", "toolConfig.functionCallingConfig")
    if not config:
        return None, rest
    path = "toolConfig.functionCallingConfig.allowedFunctionNames"
    allowed = tuple(text_at(name, path) for name in optional_list(config, "allowedFunctionNames", path) or ())
    mode = (optional_text(config, "mode", "toolConfig.functionCallingConfig.mode") or "").upper()
    choice = _choice(mode, allowed)
    return changed(choice, raw=config, raw_dialect="gemini"), rest


def _choice(mode: str, allowed: tuple[str, ...]) -> ToolChoice:
    match mode:
        case "NONE":
            return ToolChoice(mode="none")
        case "ANY" if len(allowed) == 1:
            return ToolChoice(mode="tool", names=allowed)
        case "ANY":
            return (
                ToolChoice(mode="allowed", names=allowed, allowed_mode="any")
                if allowed
                else ToolChoice(mode="any")
            )
        case "AUTO" | "VALIDATED":
            return (
                ToolChoice(mode="allowed", names=allowed, allowed_mode="auto")
                if allowed
                else ToolChoice(mode="auto")
            )
        case _:
            return ToolChoice()
