"""The canonical request → a Messages call.

Each rule of the target is asked of `Caps`. What has no place is named in a note; what would change the meaning of the
answer if it were left out is refused (`left_out.refuse`).
"""

import re
from hashlib import blake2b

from allgate.dialects.anthropic import json_output
from allgate.dialects.anthropic.auto_marks import auto_marked
from allgate.dialects.anthropic.blocks_encode import BlockWriter
from allgate.dialects.anthropic.cache_marks import MARK, limit_marks
from allgate.dialects.anthropic.left_out import left_out, refuse
from allgate.dialects.anthropic.messages_encode import MessageWriter
from allgate.dialects.anthropic.request_decode import extra_members
from allgate.dialects.anthropic.thinking_encode import (
    NO_THOUGHT,
    Thought,
    encode_sampling,
    encode_thinking,
    loop_lacks_thinking,
    without_thinking,
)
from allgate.dialects.anthropic.tools_encode import ToolWriter, encode_choice, is_forced, mcp_servers
from allgate.dialects.anthropic.versions import DIALECT, call_headers, sent_version
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.schemas import for_anthropic_output
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added, clamped, converted, dropped
from allgate.operations.chat.request import NOBODY, ChatRequest
from allgate.operations.chat.tools import ToolChoice
from allgate.wire.json import JsonObject, encode

PATH = "/v1/messages"

OUTPUT_TOKENS_DEFAULT = 32_000
"""Where neither the client nor Caps name a bound, which the vendor demands: 4,096, as some send, cuts agents short."""

MCP_BETA = "mcp-client-2025-11-20"

_PERSONAL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\+?\d[\d\s()/-]{6,}\d")


def encode_any_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The call, whatever the request holds. Raises: WireError: something that this deployment cannot do and must not ignore."""
    refuse(request, caps)
    version = sent_version(request, caps)
    writer = _RequestWriter(request, model, caps, version)
    body, notes = writer.body(), writer.notes
    if note := limit_marks(body, caps):
        notes.append(note)
    sent = encode(body)
    if caps.cache_policy != "client":
        sent, marks = auto_marked(sent, caps)
        notes += marks
    betas = (*request.betas, MCP_BETA) if request.tools and mcp_servers(request) else request.betas
    return UpstreamCall(path=PATH, body=sent, headers=call_headers(version, betas), notes=tuple(notes))


class _RequestWriter:
    """Builds one body; `notes` collects what was not carried. What a request does not hold is not asked for."""

    __slots__ = ("_blocks", "_caps", "_model", "_own", "_request", "_version", "notes")

    def __init__(self, request: ChatRequest, model: str, caps: Caps, version: str) -> None:
        self._request = request
        self._model = model
        self._caps = caps
        self._version = version
        self._own = request.dialect == DIALECT
        self.notes: list[Note] = []
        self._blocks = BlockWriter(request, caps, self.notes)

    def body(self) -> JsonObject:
        request, caps, thought = self._request, self._caps, NO_THOUGHT
        max_tokens, limit_is_ours = output_bound(request, caps, self.notes)
        messages = self._messages()
        if request.reasoning is not None:
            thought = self._thought(messages, max_tokens, limit_is_ours=limit_is_ours)
            self.notes += thought.notes
        thinking = thought.thinking is not None and thought.on
        sampling, notes = encode_sampling(request, caps, self._version, thinking=thinking)
        self.notes += notes
        body: JsonObject = self._own_members() if request.extra or request.tools else {}
        body |= {"model": self._model, "max_tokens": max_tokens}
        if request.tools or request.tool_choice is not None or request.output is not None:
            body |= self._tools(thinking=thinking)
        if system := self._system(thinking=thinking):
            body["system"] = system
        body |= {"messages": messages, **sampling}
        if thought.thinking is not None:
            body["thinking"] = thought.thinking
        if (thought.effort or request.output or request.extra) and (config := self._output_config(thought)):
            body["output_config"] = config
        if request.extra or request.identity != NOBODY:
            body |= self._identity()
        if request.service_tier is not None:
            body |= self._tier(request.service_tier)
        if request.cache.auto:
            body[MARK] = {"type": "ephemeral"} | (
                {"ttl": request.cache.auto_ttl} if request.cache.auto_ttl else {}
            )
        if request.stream:
            body["stream"] = True
        self.notes += left_out(request)
        return body

    def _messages(self) -> list[JsonObject]:
        caps, output = self._caps, self._request.output
        prefill = caps.prefill and (output is None or output.kind == "text")
        writer = MessageWriter(self._blocks, mid_system=caps.mid_system)
        return writer.messages(self._request.turns, prefill=prefill)

    def _thought(self, messages: list[JsonObject], max_tokens: int, *, limit_is_ours: bool) -> Thought:
        caps = self._caps
        thought = encode_thinking(self._request, caps, max_tokens, limit_is_ours=limit_is_ours)
        if not thought.on:
            return thought
        forced = is_forced(self._request.tool_choice) and caps.forced_tools and bool(self._request.tools)
        if forced and not caps.forced_tools_with_thinking and caps.can_disable_thinking:
            return without_thinking(thought, "a tool call is forced")
        if caps.thinking == "budget" and not caps.unsigned_thinking and loop_lacks_thinking(messages):
            return without_thinking(
                thought, "the history of this tool loop has none that this provider can read"
            )
        return thought

    def _tools(self, *, thinking: bool) -> JsonObject:
        request, caps = self._request, self._caps
        choice = request.tool_choice
        forced = is_forced(choice) and caps.forced_tools and (caps.forced_tools_with_thinking or not thinking)
        only = _only(choice, forced=forced)
        writer = ToolWriter(request, caps, self._blocks.names)
        tools = writer.tools(only)
        self.notes += writer.notes
        if is_forced(choice) and not forced:
            self.notes.append(converted("tool_choice", "a call cannot be forced here: auto"))
        members: JsonObject = {}
        if json_output.is_emulated(request, caps):
            tool, notes = json_output.output_tool(request)
            self.notes += notes
            if not tools and not thinking and caps.forced_tools:
                members["tool_choice"] = {"type": "tool", "name": tool["name"]}
            tools.append(tool)
        if not tools:
            return {}
        if choice is not None and "tool_choice" not in members:
            written = encode_choice(choice, self._blocks.names, forced=forced)
            members |= {} if written is None else {"tool_choice": written}
        return {"tools": tools, **members}

    def _system(self, *, thinking: bool) -> list[JsonObject]:
        request = self._request
        blocks = self._blocks.blocks(request.system) if request.system else []
        if self._own and request.extra:
            own: list[JsonObject] = request.extra.get(DIALECT, {}).get("_attribution", [])
            blocks = [dict(block) for block in own] + blocks
        if request.output is None:
            return blocks
        if words := json_output.in_words_for(request, self._caps):
            self.notes.append(converted("response_format", "asked for in words"))
            blocks.append({"type": "text", "text": words})
        if json_output.is_emulated(request, self._caps) and (request.tools or thinking):
            blocks.append({"type": "text", "text": json_output.ASK})
        return blocks

    def _output_config(self, thought: Thought) -> JsonObject:
        output = self._request.output
        config: JsonObject = dict(object_of(self._own_extra().get("output_config")))
        if thought.effort is not None:
            config["effort"] = thought.effort
        if output is not None and output.kind == "json_schema" and self._caps.json_schema != "none":
            schema, notes = (output.schema or {}), ()
            if not self._own:
                schema, notes = for_anthropic_output(schema)
            self.notes += notes
            config["format"] = {"type": "json_schema", "schema": schema}
        return config

    def _own_extra(self) -> JsonObject:
        return extra_members(self._request.extra) if self._own else {}

    def _own_members(self) -> JsonObject:
        """Members that only this dialect knows, and the MCP servers of others."""
        members = {
            key: value for key, value in self._own_extra().items() if key not in ("output_config", "metadata")
        }
        if servers := mcp_servers(self._request):
            members["mcp_servers"] = [*members.get("mcp_servers", []), *servers]
        return members

    def _identity(self) -> JsonObject:
        identity = self._request.identity
        metadata: JsonObject = dict(object_of(self._own_extra().get("metadata")))
        user = identity.user or identity.safety_id
        if user is not None:
            metadata["user_id"] = self._impersonal(user)
        if identity.metadata:
            self.notes.append(dropped("metadata", "anthropic takes a user id only"))
        return {"metadata": metadata} if metadata else {}

    def _impersonal(self, user: str) -> str:
        """The vendor refuses what looks like an e-mail address or a telephone number."""
        if not _PERSONAL.fullmatch(user):
            return user
        self.notes.append(converted("user", "hashed, because it names a person"))
        return blake2b(user.encode(), digest_size=16).hexdigest()

    def _tier(self, tier: str) -> JsonObject:
        word = "standard_only" if tier in ("standard", "default") else tier
        if word in self._caps.service_tiers:
            return {"service_tier": word}
        self.notes.append(dropped("service_tier", f"{tier} is not offered"))
        return {}


def output_bound(request: ChatRequest, caps: Caps, notes: list[Note]) -> tuple[int, bool]:
    """The output bound, and whether it is ours rather than the client's."""
    wish, most = request.sampling.max_tokens, caps.output_max
    if wish is None:
        default = caps.output_default or min(OUTPUT_TOKENS_DEFAULT, most or OUTPUT_TOKENS_DEFAULT)
        notes.append(added("max_tokens", f"{default}, because the vendor demands one"))
        return default, True
    if most is not None and wish > most:
        notes.append(clamped("max_tokens", f"{wish} lowered to {most}"))
        return most, True
    return wish, False


def _only(choice: ToolChoice | None, *, forced: bool) -> frozenset[str] | None:
    """The tools to offer where the choice narrows them: allowed ones, or the one that cannot be forced."""
    if choice is None or not choice.names:
        return None
    if choice.mode == "allowed" or (choice.mode == "tool" and not forced):
        return frozenset(choice.names)
    return None
