"""Tools and tool choice for the vendor.

A tool that this dialect declared goes back as it was. Functions of others get their schema adapted and their name fitted;
custom tools become functions with one string; built-ins that the client runs become functions where the vendor has no
such tool. A built-in that only a provider can run and that this deployment does not is refused: without it the
model would make its results up.
"""

from allgate.core.errors import WireError, unsupported
from allgate.dialects.anthropic.cache_marks import MARK
from allgate.dialects.anthropic.request_decode import extra_members
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.passes import client_tools
from allgate.dialects.passes.custom_tools import as_function
from allgate.dialects.passes.lenient import object_of, text_of, texts_of
from allgate.dialects.passes.schemas import for_anthropic_input, for_anthropic_output
from allgate.dialects.passes.tool_names import ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.features import HOSTED_FEATURES
from allgate.operations.chat.notes import Note, converted, dropped
from allgate.operations.chat.parts import CacheMark, Text, ToolResult
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.tools import Builtin, Custom, Function, Tool, ToolChoice
from allgate.wire.json import JsonObject

WEB_SEARCH = "web_search_20250305"
WEB_FETCH = "web_fetch_20250910"
CODE_EXECUTION = "code_execution_20250825"

_USES_BY_SIZE = {"low": 1, "medium": 5, "high": 10}
_SEARCH_MEMBERS = ("allowed_domains", "blocked_domains")
_NOTHING: JsonObject = {"type": "object", "properties": {}}


class ToolWriter:
    """Writes the tools of one request; `notes` collects what was not carried."""

    __slots__ = ("_caps", "_names", "_own", "_request", "notes")

    def __init__(self, request: ChatRequest, caps: Caps, names: ToolNames) -> None:
        self._request = request
        self._caps = caps
        self._names = names
        self._own = request.dialect == DIALECT
        self.notes: list[Note] = []

    def tools(self, only: frozenset[str] | None = None) -> list[JsonObject]:
        """The tools; of the functions only those named in `only`. Raises: WireError: a built-in it cannot do without."""
        written: list[JsonObject] = []
        for tool in self._declared():
            if only is not None and tool.name not in only:
                continue
            match tool:
                case Function():
                    written.append(self._function(tool))
                case Custom():
                    self.notes.append(converted(f"tools.{tool.name}", "a custom tool became a function"))
                    written.append(self._function(as_function(tool)))
                case Builtin():
                    written += self._builtin(tool)
        return written

    def _declared(self) -> tuple[Tool, ...]:
        """Without deferral, the deferred tools that the history has found, and all others."""
        tools = self._request.tools
        if "tool_search" in self._caps.hosted or not self._own:
            return tools
        found = _found_names(self._request)
        kept = tuple(tool for tool in tools if not _is_deferred(tool) or tool.name in found)
        if len(kept) < len(tools):
            self.notes.append(dropped("tools", "deferred tools that were not found yet"))
        return kept

    def _function(self, tool: Function) -> JsonObject:
        written: JsonObject = {
            **extra_members(tool.extra),
            "name": self._names.sent(tool.name, tool.namespace),
        }
        if tool.description is not None:
            written["description"] = tool.description
        written |= self._schema(tool)
        if tool.deferred and self._own and "tool_search" in self._caps.hosted:
            written["defer_loading"] = True
        elif tool.deferred:
            self.notes.append(converted("tools.defer_loading", "declared at once"))
        if tool.examples:
            written |= {"input_examples": list(tool.examples)} if self._own else {}
        return _marked(written, tool.cache, tool.extra.get(DIALECT, {}))

    def _schema(self, tool: Function) -> JsonObject:
        """`input_schema` and `strict`. A schema written for this vendor is sent as it is."""
        schema = tool.schema if tool.schema is not None else _NOTHING
        strict = tool.strict if self._caps.strict_tools else None
        if tool.strict and not strict:
            self.notes.append(dropped(f"tools.{tool.name}.strict", "this model has no strict tools"))
        if self._own:
            return {"input_schema": schema} | ({} if strict is None else {"strict": strict})
        fitted, notes = for_anthropic_input(schema)
        self.notes += notes
        if not strict:
            return {"input_schema": fitted}
        try:
            narrowed, notes = for_anthropic_output(fitted)
        except WireError:
            self.notes.append(dropped(f"tools.{tool.name}.strict", "a recursive schema"))
            return {"input_schema": fitted}
        self.notes += notes
        return {"input_schema": {**_NOTHING, **narrowed}, "strict": True}

    def _builtin(self, tool: Builtin) -> list[JsonObject]:
        if tool.runs == "server" and tool.kind in HOSTED_FEATURES and tool.kind not in self._caps.hosted:
            if not tool.optional:
                raise unsupported(f"This model cannot run {tool.kind}", param="tools")
            self.notes.append(dropped(f"tools.{tool.kind}", "this model does not run it"))
            return []
        if tool.dialect == DIALECT:
            raw = object_of(tool.raw)
            return [_marked(dict(raw), tool.cache, {})] if raw else []
        match tool.kind:
            case "web_search":
                return [_web_search(tool)]
            case "web_fetch":
                return [{"type": WEB_FETCH, "name": "web_fetch"}]
            case "code_execution":
                return [{"type": CODE_EXECUTION, "name": "code_execution"}]
            case "mcp":
                return [_mcp_toolset(tool)]
            case _:
                return self._client_builtin(tool)

    def _client_builtin(self, tool: Builtin) -> list[JsonObject]:
        function = client_tools.as_function(tool)
        if function is not None:
            self.notes.append(converted(f"tools.{tool.kind}", "a built-in became a function"))
            return [self._function(function)]
        if tool.kind in HOSTED_FEATURES:
            raise unsupported(f"{tool.kind} cannot be carried to this model", param="tools")
        self.notes.append(dropped(f"tools.{tool.kind}", "not known to anthropic"))
        return []


def _found_names(request: ChatRequest) -> frozenset[str]:
    """The deferred tools that results of the history refer to."""
    results = [part for turn in request.turns for part in turn.parts if isinstance(part, ToolResult)]
    texts = [piece for result in results for piece in result.parts if isinstance(piece, Text)]
    blocks = [object_of(text.extra.get(DIALECT, {}).get("_block")) for text in texts]
    return frozenset(
        text_of(block.get("tool_name")) for block in blocks if block.get("type") == "tool_reference"
    )


def _is_deferred(tool: Tool) -> bool:
    return isinstance(tool, Function | Custom) and tool.deferred


def _web_search(tool: Builtin) -> JsonObject:
    written: JsonObject = {"type": WEB_SEARCH, "name": "web_search"}
    uses = tool.config.get("max_uses") or _USES_BY_SIZE.get(text_of(tool.config.get("context_size")))
    if uses is not None:
        written["max_uses"] = uses
    written |= {key: tool.config[key] for key in _SEARCH_MEMBERS if tool.config.get(key)}
    if location := object_of(tool.config.get("user_location")):
        written["user_location"] = {"type": "approximate", **location}
    return written


def _mcp_toolset(tool: Builtin) -> JsonObject:
    server = object_of(tool.raw)
    toolset: JsonObject = {"type": "mcp_toolset", "mcp_server_name": text_of(server.get("server_label"))}
    if allowed := texts_of(server.get("allowed_tools")):
        toolset["default_config"] = {"enabled": False}
        toolset["configs"] = {name: {"enabled": True} for name in allowed}
    return toolset


def mcp_servers(request: ChatRequest) -> list[JsonObject]:
    """The servers of MCP tools that another dialect declared."""
    servers: list[JsonObject] = []
    for tool in request.tools:
        if not isinstance(tool, Builtin) or tool.kind != "mcp" or tool.dialect == DIALECT:
            continue
        raw = object_of(tool.raw)
        server: JsonObject = {
            "type": "url",
            "name": text_of(raw.get("server_label")),
            "url": text_of(raw.get("server_url")),
        }
        if token := text_of(raw.get("authorization")):
            server["authorization_token"] = token
        servers.append(server)
    return servers


def _marked(written: JsonObject, cache: CacheMark | None, members: JsonObject) -> JsonObject:
    if cache is not None:
        control: JsonObject = {"type": "ephemeral", **members.get("_cache_control", {})}
        written[MARK] = control if cache.ttl is None else {**control, "ttl": cache.ttl}
    return written


def encode_choice(choice: ToolChoice, names: ToolNames, *, forced: bool) -> JsonObject | None:
    """`tool_choice`; None: send nothing. `forced` False turns a forced call into a free one."""
    if choice.raw_dialect == DIALECT and choice.raw is not None:
        return object_of(choice.raw)
    written: JsonObject
    match choice.mode:
        case "tool" if forced and choice.names:
            written = {"type": "tool", "name": names.sent(choice.names[0])}
        case "any" | "tool" if forced:
            written = {"type": "any"}
        case "allowed" if forced and choice.allowed_mode == "any":
            written = {"type": "any"}
        case "none":
            return {"type": "none"}
        case None if choice.parallel is None:
            return None
        case _:
            written = {"type": "auto"}
    if choice.parallel is not None:
        written["disable_parallel_tool_use"] = not choice.parallel
    return written


def is_forced(choice: ToolChoice | None) -> bool:
    if choice is None:
        return False
    return choice.mode in ("any", "tool") or (choice.mode == "allowed" and choice.allowed_mode == "any")
