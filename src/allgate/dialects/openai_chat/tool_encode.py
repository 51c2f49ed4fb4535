"""Tools and the choice among them → `tools`, `tool_choice`, `parallel_tool_calls`, `web_search_options`."""

from allgate.core.errors import unsupported
from allgate.dialects.openai_chat.own import NAME, own
from allgate.dialects.passes.client_tools import as_function as client_function
from allgate.dialects.passes.custom_tools import as_function
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.schemas import for_openai, is_strict
from allgate.dialects.passes.tool_names import ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.features import HOSTED_FEATURES
from allgate.operations.chat.notes import Note, converted, dropped
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.tools import Builtin, Custom, Function, Tool, ToolChoice
from allgate.wire.json import Json, JsonObject


def encode_tools(request: ChatRequest, caps: Caps, names: ToolNames, notes: list[Note]) -> JsonObject:
    """The members that say which tools there are and how to choose.

    Raises: WireError: a tool that this deployment lacks and whose loss would change the answer.
    """
    members: JsonObject = {}
    wire: list[JsonObject] = []
    offered = _offered(request, notes)
    for tool in offered:
        match tool:
            case Function():
                wire.append(_function(tool, caps, names, notes))
            case Custom():
                wire.append(_custom(tool, caps, names, notes))
            case Builtin() if (function := client_function(tool)) is not None:
                notes.append(converted(f"tools.{function.name}", f"a {tool.kind} tool became a function"))
                wire.append(_function(function, caps, names, notes))
            case Builtin():
                _add_builtin(tool, caps, wire, members, notes)
    if wire and not caps.tools:
        raise unsupported("This model has no tools", param="tools")
    if wire:
        members["tools"] = wire
        members |= _choice(request, caps, names, notes)
    return members


def _offered(request: ChatRequest, notes: list[Note]) -> tuple[Tool, ...]:
    """The tools to declare: all, or only the allowed ones, for servers that do not know `allowed_tools`."""
    choice = request.tool_choice
    if choice is None or choice.mode != "allowed":
        return request.tools
    notes.append(converted("tool_choice.allowed_tools", "only the allowed tools are declared"))
    return tuple(tool for tool in request.tools if isinstance(tool, Builtin) or tool.name in choice.names)


def _function(tool: Function, caps: Caps, names: ToolNames, notes: list[Note]) -> JsonObject:
    schema, losses = for_openai(tool.schema or {}, tool.strict)
    notes += losses
    function: JsonObject = {**own(tool.extra), "name": names.sent(tool.name, tool.namespace)}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = schema
    if tool.strict is not None and caps.strict_tools:
        function["strict"] = tool.strict and is_strict(schema)
    elif tool.strict:
        notes.append(dropped(f"tools.{tool.name}.strict", "this model has no strict tools"))
    wire: JsonObject = {"type": "function", "function": function}
    if tool.cache is not None and "cache_control" in caps.vendor_fields:
        wire["cache_control"] = {"type": "ephemeral"} | ({"ttl": tool.cache.ttl} if tool.cache.ttl else {})
    if tool.deferred:
        notes.append(converted(f"tools.{tool.name}", f"deferred tools are declared at once in {NAME}"))
    if tool.examples:
        notes.append(dropped(f"tools.{tool.name}.input_examples", f"{NAME} has none"))
    return wire


def _custom(tool: Custom, caps: Caps, names: ToolNames, notes: list[Note]) -> JsonObject:
    if not caps.custom_tools:
        notes.append(converted(f"tools.{tool.name}", "a custom tool became a function"))
        return _function(as_function(tool), caps, names, notes)
    custom: JsonObject = {"name": names.sent(tool.name, tool.namespace)}
    if tool.description is not None:
        custom["description"] = tool.description
    if tool.grammar is not None:
        grammar = {"syntax": tool.grammar.syntax, "definition": tool.grammar.definition}
        custom["format"] = {"type": "grammar", "grammar": grammar}
    return {"type": "custom", "custom": custom}


def _add_builtin(
    tool: Builtin, caps: Caps, wire: list[JsonObject], members: JsonObject, notes: list[Note]
) -> None:
    """A hosted tool that the deployment runs, in the way it wants to be asked; one that only helps may be left out.

    One whose kind nobody knows goes to the same dialect as it came: the provider may know it.
    """
    raw = object_of(tool.raw) if tool.dialect == NAME else {}
    if tool.kind == "other" and raw:
        wire.append(raw)
        return
    if tool.kind == "web_search" and tool.kind in caps.hosted and caps.web_search_style == "options":
        members["web_search_options"] = _search_options(tool.config)
        return
    if tool.kind not in caps.hosted:
        if tool.kind in HOSTED_FEATURES and not tool.optional:
            raise unsupported(f"This model does not run {tool.kind}", param="tools")
        notes.append(dropped(f"tools.{tool.name or tool.kind}", "this model does not run it"))
        return
    if raw.get("type", "function") != "function":
        wire.append(raw)
    elif tool.kind == "web_search":
        wire.append({"type": "web_search", **_search_tool(tool.config)})
    else:
        wire.append({"type": tool.kind})


def _search_options(config: JsonObject) -> JsonObject:
    """`web_search_options`: the place is nested in `approximate`."""
    options: JsonObject = {}
    if size := _context_size(config):
        options["search_context_size"] = size
    if place := config.get("user_location"):
        options["user_location"] = {"type": "approximate", "approximate": place}
    return options


def _search_tool(config: JsonObject) -> JsonObject:
    """The settings of a web search as a tool."""
    found: JsonObject = {}
    if size := _context_size(config):
        found["search_context_size"] = size
    if place := config.get("user_location"):
        found["user_location"] = {"type": "approximate", **place}
    if domains := config.get("allowed_domains"):
        found["filters"] = {"allowed_domains": domains}
    return found


def _context_size(config: JsonObject) -> str | None:
    """low, medium and high stand for at most 1, 5 and 10 searches, and back."""
    size: Json = config.get("context_size")
    uses: Json = config.get("max_uses")
    if isinstance(size, str):
        return size
    if not isinstance(uses, int):
        return None
    return "low" if uses <= 1 else "medium" if uses <= 7 else "high"


def _choice(request: ChatRequest, caps: Caps, names: ToolNames, notes: list[Note]) -> JsonObject:
    choice = request.tool_choice
    if choice is None:
        return {}
    members: JsonObject = {}
    customs = (
        {tool.name for tool in request.tools if isinstance(tool, Custom)} if caps.custom_tools else set[str]()
    )
    word = _choice_word(choice, caps, names, customs, notes)
    if word is not None:
        members["tool_choice"] = word
    if choice.parallel is not None and caps.parallel_tools_switch:
        members["parallel_tool_calls"] = choice.parallel
    elif choice.parallel is False:
        notes.append(dropped("parallel_tool_calls", "this model has no such switch"))
    return members


def _choice_word(
    choice: ToolChoice, caps: Caps, names: ToolNames, customs: set[str], notes: list[Note]
) -> Json:
    mode = choice.allowed_mode if choice.mode == "allowed" else choice.mode
    if mode in ("any", "tool") and not caps.forced_tools:
        notes.append(converted("tool_choice", "this model cannot be forced to call a tool: sent auto"))
        return "auto"
    match mode:
        case "auto" | "none":
            return mode
        case "any":
            return "required"
        case "tool":
            kind = "custom" if choice.names[0] in customs else "function"
            return {"type": kind, kind: {"name": names.sent(choice.names[0])}}
        case None:
            return choice.raw if choice.raw_dialect == NAME else None
