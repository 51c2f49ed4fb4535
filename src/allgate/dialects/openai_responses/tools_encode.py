"""`tools` and `tool_choice` for a deployment.

What the target does not know is offered in the nearest form it does know: namespaces are flattened into names, custom
tools become functions with one text argument, client-run built-ins become functions with their documented schema. A
hosted tool that the target does not run is refused, because the model would invent what it should have looked up,
unless the client said that it can do without.
"""

from itertools import groupby

from allgate.dialects.openai_responses.own import NAME, NAMESPACE, ORIGIN, own
from allgate.dialects.openai_responses.target import Target, refuse
from allgate.dialects.passes import custom_tools
from allgate.dialects.passes.client_tools import as_function
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.schemas import for_openai, is_strict
from allgate.operations.chat.features import HOSTED_FEATURES
from allgate.operations.chat.tools import Builtin, Custom, Function, Tool, ToolChoice
from allgate.wire.json import Json, JsonObject

_NO_ARGUMENTS: JsonObject = {"type": "object", "properties": {}}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}

# Hosted kinds of other dialects whose settings this dialect can do without.
_PLAIN_HOSTED: dict[str, JsonObject] = {
    "code_execution": {"type": "code_interpreter", "container": {"type": "auto"}},
    "image_generation": {"type": "image_generation"},
    "web_fetch": {"type": "web_search"},  # which opens pages too
}


def encode_tools(target: Target) -> list[JsonObject]:
    """The `tools` array. Raises: WireError: a hosted tool that the target does not run."""
    wire: list[JsonObject] = []
    for namespace, group in groupby(_offered(target), key=lambda tool: getattr(tool, "namespace", None)):
        tools = list(group)
        encoded = [item for tool in tools if (item := _encoded(tool, target)) is not None]
        if namespace and target.caps.namespaces:
            said = object_of(own(tools[0].extra).get(NAMESPACE))
            wire.append({"type": "namespace", "name": namespace, **said, "tools": encoded})
        else:
            wire += encoded
    return _without_second_search(wire)


def _without_second_search(wire: list[JsonObject]) -> list[JsonObject]:
    """The search that stands for a fetch is none beside a search of the client's own."""
    fetch = _PLAIN_HOSTED["web_fetch"]
    searches = [tool for tool in wire if str(tool.get("type")).startswith("web_search")]
    return [tool for tool in wire if tool is not fetch] if len(searches) > 1 else wire


def _offered(target: Target) -> list[Tool]:
    """The tools of the `tools` member: a native target reads the others in the items that declare them."""
    if not target.native:
        return list(target.request.tools)
    return [tool for tool in target.request.tools if ORIGIN not in own(tool.extra)]


def _encoded(tool: Tool, target: Target) -> JsonObject | None:
    if tool.cache is not None:
        target.drop("tools.cache_control", "this dialect marks no tools")
    match tool:
        case Function():
            return _function(tool, target)
        case Custom():
            if target.caps.custom_tools:
                return _custom(tool, target)
            target.convert(f"tools.{tool.name}", "a custom tool, sent as a function")
            return _function(custom_tools.as_function(tool), target)
        case Builtin():
            return _builtin(tool, target)


def _name(name: str, namespace: str | None, target: Target) -> str:
    return name if namespace and target.caps.namespaces else target.names.sent(name, namespace)


def _function(tool: Function, target: Target) -> JsonObject:
    if tool.examples:
        target.drop(f"tools.{tool.name}.input_examples", "this dialect has none")
    schema = tool.schema or _NO_ARGUMENTS
    if not target.own:
        schema, notes = for_openai(schema, tool.strict)
        target.notes += notes
    return {
        **_kept(tool),
        "type": "function",
        "name": _name(tool.name, tool.namespace, target),
        **({"description": tool.description} if tool.description is not None else {}),
        "parameters": schema,
        **_strict(tool, target),
        **_deferred(tool, target),
    }


def _strict(tool: Function, target: Target) -> JsonObject:
    """Left out, `strict` means "try": a schema of another dialect must say that it is not meant so."""
    if not target.caps.strict_tools:
        if tool.strict:
            target.drop(f"tools.{tool.name}.strict")
        return {}
    if target.own:
        return {} if tool.strict is None else {"strict": tool.strict}
    return {"strict": bool(tool.strict and tool.schema and is_strict(tool.schema))}


def _deferred(tool: Function | Custom, target: Target) -> JsonObject:
    if not tool.deferred:
        return {}
    if target.own and target.native:
        return {"defer_loading": True}
    target.convert(f"tools.{tool.name}.defer_loading", "declared at once")
    return {}


def _custom(tool: Custom, target: Target) -> JsonObject:
    form: JsonObject = {}
    if tool.grammar:
        grammar = {"syntax": tool.grammar.syntax, "definition": tool.grammar.definition}
        form = {"format": {"type": "grammar", **grammar}}
    return {
        **_kept(tool),
        "type": "custom",
        "name": _name(tool.name, tool.namespace, target),
        **({"description": tool.description} if tool.description is not None else {}),
        **form,
        **_deferred(tool, target),
    }


def _kept(tool: Function | Custom) -> JsonObject:
    return {key: value for key, value in own(tool.extra).items() if key not in (ORIGIN, NAMESPACE)}


def _builtin(tool: Builtin, target: Target) -> JsonObject | None:
    if tool.runs == "client":
        return _client_builtin(tool, target)
    if tool.kind in target.caps.hosted or (
        tool.dialect == NAME and target.native and tool.kind == "tool_search"
    ):
        if (item := _hosted(tool)) is not None:
            return item
    elif tool.dialect == NAME and target.native and tool.kind not in HOSTED_FEATURES:
        return _raw(tool)
    if tool.kind in HOSTED_FEATURES and not tool.optional:
        raise refuse(f"The tool {tool.name or tool.kind}", "tools")
    target.drop(f"tools.{tool.name or tool.kind}")
    return None


def _client_builtin(tool: Builtin, target: Target) -> JsonObject | None:
    if tool.dialect == NAME and target.native:
        return _raw(tool)
    function = as_function(tool)
    if function is None:
        raise refuse(f"The tool {tool.name or tool.kind}", "tools")
    target.convert(f"tools.{function.name}", "a built-in tool, sent as a function")
    return _function(function, target)


def _hosted(tool: Builtin) -> JsonObject | None:
    if tool.dialect == NAME:
        return _raw(tool)
    if tool.kind == "web_search":
        return _web_search(tool.config)
    return _PLAIN_HOSTED.get(tool.kind)


def _raw(tool: Builtin) -> JsonObject:
    return dict(object_of(tool.raw))


def _web_search(config: JsonObject) -> JsonObject:
    tool: JsonObject = {"type": "web_search"}
    if size := config.get("context_size") or _size_of(config.get("max_uses")):
        tool["search_context_size"] = size
    if place := config.get("user_location"):
        tool["user_location"] = {"type": "approximate", **place}
    filters = {key: config[key] for key in ("allowed_domains", "blocked_domains") if config.get(key)}
    if filters:
        tool["filters"] = filters
    return tool


def _size_of(uses_max: Json) -> str | None:
    """A limit of searches as a context size: 1 is low, 2 to 7 medium, 8 and more high."""
    if not isinstance(uses_max, int):
        return None
    return "low" if uses_max <= 1 else "medium" if uses_max < 8 else "high"


def encode_tool_choice(target: Target) -> JsonObject:
    """The members `tool_choice` and `parallel_tool_calls`. Without any tool they mean nothing."""
    choice = target.request.tool_choice
    if choice is None or not (target.request.tools or target.own):
        return {}
    members: JsonObject = {}
    if (wire := _choice(choice, target)) is not None:
        members["tool_choice"] = wire
    if choice.parallel is not None and target.caps.parallel_tools_switch:
        members["parallel_tool_calls"] = choice.parallel
    elif choice.parallel is False:
        target.drop("parallel_tool_calls")
    return members


def _choice(choice: ToolChoice, target: Target) -> Json:
    forced = choice.mode in ("any", "tool") or choice.allowed_mode == "any"
    if forced and not target.caps.forced_tools:
        target.convert("tool_choice", "this model cannot be forced to call, sent auto")
        return "auto"
    if choice.raw is not None and choice.raw_dialect == NAME and target.native:
        return choice.raw
    if choice.mode == "tool":
        return _entry(choice.names[0], target)
    if choice.mode == "allowed":
        mode = "required" if choice.allowed_mode == "any" else "auto"
        return {
            "type": "allowed_tools",
            "mode": mode,
            "tools": [_entry(name, target) for name in choice.names],
        }
    return None if choice.mode is None else _CHOICES[choice.mode]


def _entry(name: str, target: Target) -> JsonObject:
    """How a choice names one tool."""
    builtin = next((t for t in target.request.tools if isinstance(t, Builtin) and t.name == name), None)
    if builtin is not None and builtin.runs == "server" and (item := _hosted(builtin)) is not None:
        return {"type": item["type"]}
    if target.caps.custom_tools and target.is_custom(name, None):
        return {"type": "custom", "name": target.named(name, None)["name"]}
    return {"type": "function", "name": target.named(name, None)["name"]}
