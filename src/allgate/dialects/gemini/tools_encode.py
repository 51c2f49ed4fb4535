"""Tools and their choice → tools and toolConfig.

All functions go into one tool object, each tool of Google's own into one of its own. A schema that a Gemini client
wrote goes back as it was; any other is adapted to the grammar that the deployment takes. Functions beside hosted tools
are only possible where Caps say so; elsewhere the functions win, because the client waits for their calls.
"""

from collections.abc import Iterator
from typing import TypeGuard

from allgate.core.errors import unsupported
from allgate.core.value import Value
from allgate.dialects.passes import client_tools, custom_tools
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.schemas import for_gemini_json, for_gemini_proto
from allgate.dialects.passes.tool_names import ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.features import HOSTED_FEATURES
from allgate.operations.chat.notes import Note, converted, dropped
from allgate.operations.chat.parts import Opaque, Text, ToolCall, ToolResult
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.tools import Builtin, BuiltinKind, Custom, Function, Tool, ToolChoice
from allgate.wire.json import JsonObject

_HOSTED: dict[BuiltinKind, str] = {
    "web_search": "googleSearch", "code_execution": "codeExecution", "web_fetch": "urlContext",
    "google_maps": "googleMaps",
}  # fmt: skip
_SERVER_SIDE = "includeServerSideToolInvocations"


class Offer(Value, frozen=True, kw_only=True):
    """What the model may call. `functions` counts the declarations."""

    tools: tuple[JsonObject, ...] = ()
    config: JsonObject = {}
    functions: int = 0
    notes: tuple[Note, ...] = ()


NOTHING_OFFERED = Offer()


def offer_of(request: ChatRequest, caps: Caps, names: ToolNames) -> Offer:
    """The tools of a request for this deployment. Raises: WireError: a tool whose loss would change the answer."""
    if (
        not request.tools
        and request.tool_choice is None
        and "toolConfig" not in request.extra.get("gemini", {})
    ):
        return NOTHING_OFFERED
    notes: list[Note] = []
    functions = [_declaration(tool, caps, names, notes) for tool in _functions(request, notes)]
    hosted = [member for tool in request.tools if _is_hosted(tool) for member in _hosted(tool, caps, notes)]
    if allowed := _only_allowed(request.tool_choice, names):
        functions = [declared for declared in functions if declared["name"] in allowed]
        notes.append(converted("tool_choice", "only the allowed tools are declared"))
    if functions and hosted and not caps.tool_combo:
        lost = sorted({key for one in hosted for key in one})
        notes += [dropped(f"tools.{key}", "not possible beside functions on this model") for key in lost]
        hosted = []
    declared: list[JsonObject] = [{"functionDeclarations": functions}] if functions else []
    config = _config(request, caps, names, bool(functions), bool(functions and hosted), notes)
    return Offer(tools=(*declared, *hosted), config=config, functions=len(functions), notes=tuple(notes))


def _is_hosted(tool: Tool) -> TypeGuard[Builtin]:
    return isinstance(tool, Builtin) and (tool.dialect == "gemini" or tool.runs == "server")


def _functions(request: ChatRequest, notes: list[Note]) -> Iterator[Function]:
    """What is declared as a function. A deferred tool waits until it was found; with nothing to find it, it does not."""
    searched = any(_is_hosted(tool) and tool.kind == "tool_search" for tool in request.tools)
    shown = _shown(request)
    for tool in request.tools:
        if _is_hosted(tool):
            continue
        if isinstance(tool, (Function, Custom)) and tool.deferred and not searched and tool.name not in shown:
            notes.append(dropped("tools[].defer_loading", "a deferred tool is declared once it was found"))
            continue
        yield _as_function(tool, notes)


def _only_allowed(choice: ToolChoice | None, names: ToolNames) -> frozenset[str]:
    """The tools that alone may be declared, because Gemini has no list of allowed tools that need not be called."""
    if (
        choice is None
        or choice.mode != "allowed"
        or choice.allowed_mode == "any"
        or choice.raw_dialect == "gemini"
    ):
        return frozenset()
    return frozenset(names.sent(name) for name in choice.names)


def _shown(request: ChatRequest) -> frozenset[str]:
    """Names of deferred tools that the history has found: called, or named by the result of a search."""
    deferred = {tool.name for tool in request.tools if tool.name and getattr(tool, "deferred", False)}
    shown: set[str] = set()
    for turn in request.turns if deferred else ():
        for part in turn.parts:
            if isinstance(part, ToolCall):
                shown.add(part.name)
            elif isinstance(part, ToolResult):
                told = " ".join(
                    str(p.raw) if isinstance(p, Opaque) else p.text if isinstance(p, Text) else ""
                    for p in part.parts
                )
                shown.update(name for name in deferred if name in told)
    return frozenset(shown)


def _as_function(tool: Tool, notes: list[Note]) -> Function:
    if isinstance(tool, Function):
        return tool
    if isinstance(tool, Custom):
        notes.append(converted("tools[].custom", "offered as a function with one text argument"))
        return custom_tools.as_function(tool)
    function = client_tools.as_function(tool)
    if function is None:
        raise unsupported(
            f"The tool {tool.name or tool.kind!r} is not available on this model", param="tools"
        )
    return function


def _declaration(function: Function, caps: Caps, names: ToolNames, notes: list[Note]) -> JsonObject:
    declared: JsonObject = {"name": names.sent(function.name, function.namespace)}
    if function.description is not None:
        declared["description"] = function.description
    own = function.extra.get("gemini")
    if own is not None and (caps.json_schema == "native" or "parametersJsonSchema" not in own):
        return {**own, **declared}
    if function.examples:
        notes.append(dropped("tools[].input_examples", "not supported by gemini"))
    if function.schema is None:
        return declared
    adapt, member = (
        (for_gemini_json, "parametersJsonSchema")
        if caps.json_schema == "native"
        else (for_gemini_proto, "parameters")
    )
    schema, lost = adapt(function.schema)
    notes += lost
    if schema.get("properties") or schema.keys() - {"type", "properties", "required", "additionalProperties"}:
        declared[member] = schema
    return declared


def _hosted(tool: Builtin, caps: Caps, notes: list[Note]) -> list[JsonObject]:
    """The tool object of a hosted tool; none for one that can be left out."""
    if tool.dialect == "gemini":
        return [object_of(tool.raw)]
    member = _HOSTED.get(tool.kind)
    if member is None or tool.kind not in caps.hosted:
        if tool.kind in HOSTED_FEATURES and not tool.optional:
            raise unsupported(f"The hosted tool {tool.kind} is not available on this model", param="tools")
        notes.append(dropped(f"tools[].{tool.kind}", "not available on this model"))
        return []
    if tool.config:
        lost = ", ".join(sorted(tool.config))
        notes.append(dropped(f"tools[].{tool.kind}", f"gemini's {member} has no {lost}"))
    return [{member: {}}]


def _config(
    request: ChatRequest, caps: Caps, names: ToolNames, functions: bool, combined: bool, notes: list[Note]
) -> JsonObject:
    config = dict(object_of(request.extra.get("gemini", {}).get("toolConfig")))
    if combined and _SERVER_SIDE not in config:
        config[_SERVER_SIDE] = True
    choice = request.tool_choice
    if choice is None:
        calling = {"mode": "VALIDATED"} if functions and _all_strict(request, caps) else {}
    else:
        if choice.parallel is False and functions:
            notes.append(dropped("parallel_tool_calls", "gemini has no switch for it"))
        calling = (
            _calling(choice, request, caps, names) if functions or choice.raw_dialect == "gemini" else {}
        )
        if calling.get("mode") == "ANY" and not caps.forced_tools:
            notes.append(converted("tool_choice", "this model cannot be forced, sent auto"))
            calling = {"mode": "AUTO"}
    if calling:
        config["functionCallingConfig"] = calling
    return config


def _calling(choice: ToolChoice, request: ChatRequest, caps: Caps, names: ToolNames) -> JsonObject:
    allowed = [names.sent(name) for name in choice.names]
    if choice.raw_dialect == "gemini":
        return {**object_of(choice.raw), **({"allowedFunctionNames": allowed} if allowed else {})}
    match choice.mode:
        case "none":
            return {"mode": "NONE"}
        case "any":
            return {"mode": "ANY"}
        case "tool":
            return {"mode": "ANY", "allowedFunctionNames": allowed}
        case "allowed" if choice.allowed_mode == "any":
            return {"mode": "ANY", "allowedFunctionNames": allowed}
        case "auto" | "allowed":
            return {"mode": "VALIDATED" if _all_strict(request, caps) else "AUTO"}
        case None:
            return {}


def _all_strict(request: ChatRequest, caps: Caps) -> bool:
    """Whether every function asks for calls that keep to its schema, which VALIDATED promises for all of them."""
    stricts = [tool.strict for tool in request.tools if isinstance(tool, Function)]
    return caps.strict_tools and bool(stricts) and all(stricts)
