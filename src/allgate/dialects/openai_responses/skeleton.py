"""The response object around the output: what it repeats of the request, encoded once for the three times it is sent."""

from allgate.core.errors import Failure
from allgate.core.usage import Usage
from allgate.dialects.contract import Asked
from allgate.dialects.openai_responses import settings_encode as settings
from allgate.dialects.openai_responses.finish import Ending
from allgate.dialects.openai_responses.own import MESSAGE, own
from allgate.dialects.openai_responses.target import Target
from allgate.dialects.openai_responses.tools_encode import encode_tool_choice, encode_tools
from allgate.dialects.openai_responses.usage import encode_usage
from allgate.dialects.passes.openai_errors import error_object
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.request import ChatRequest
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

# What a client of this dialect asked for is repeated to it in its own words, whatever the deployment can do.
_EVERYTHING = Caps(
    custom_tools=True,
    namespaces=True,
    forced_tools=True,
    verbosity=True,
    efforts=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    hosted=(
        "web_search", "web_fetch", "code_execution", "file_search", "image_generation", "mcp", "computer", "shell",
        "tool_search", "other",
    ),
)  # fmt: skip

_IN_PROGRESS = Ending(status="in_progress")


class Skeleton:
    """Writes the response object of one answer, with any status, output and usage."""

    __slots__ = ("_echo", "_head")

    def __init__(
        self, asked: Asked, extra: JsonObject | None = None, service_tier: str | None = None
    ) -> None:
        head: JsonObject = {"id": asked.response_id, "object": "response", "created_at": asked.created_s}
        echo = {**_echo(asked.request), **(extra or {}), "model": asked.model}
        if service_tier is not None:
            echo["service_tier"] = service_tier
        self._head = json.encode(head)[:-1]
        self._echo = b"," + json.encode(echo)[1:]

    def in_progress(self) -> bytes:
        return self.response(_IN_PROGRESS, b"[]", None)

    def response(
        self, ending: Ending, output: bytes, usage: Usage | None, failure: Failure | None = None
    ) -> bytes:
        """The whole object; `output` is the JSON of the items."""
        reason = ending.incomplete_reason
        members: JsonObject = {
            "status": ending.status,
            "error": _error(failure) if failure else None,
            "incomplete_details": {"reason": reason} if reason else None,
            "usage": encode_usage(usage),
        }
        return b"".join((self._head, b",", json.encode(members)[1:-1], b',"output":', output, self._echo))


def _error(failure: Failure) -> JsonObject:
    error = error_object(failure)
    return {"code": error["code"] or "server_error", "message": error["message"]}


def _echo(request: ChatRequest) -> JsonObject:
    target = Target(request, _EVERYTHING)
    choice = encode_tool_choice(target)
    state, reasoning = request.state, request.reasoning
    instructions = [text.text for text in request.system[:1] if MESSAGE not in own(text.extra)]
    conversation: Json = state.conversation
    return {
        "background": bool(state.background),
        "instructions": instructions[0] if instructions else None,
        "max_output_tokens": request.sampling.max_tokens,
        "max_tool_calls": own(request.extra).get("max_tool_calls"),
        "metadata": request.identity.metadata or {},
        "parallel_tool_calls": choice.get("parallel_tool_calls", True),
        "previous_response_id": state.previous_response_id,
        **({"conversation": {"id": conversation} if isinstance(conversation, str) else conversation} if conversation else {}),
        "prompt_cache_key": request.cache.key,
        "reasoning": {
            "effort": reasoning.effort if reasoning else None,
            "summary": reasoning.summary_style if reasoning else None,
        },
        "safety_identifier": request.identity.safety_id,
        "service_tier": request.service_tier or "default",
        "store": state.store is not False,
        "temperature": 1.0 if request.sampling.temperature is None else request.sampling.temperature,
        "text": {"format": {"type": "text"}, **settings.output_format(target, []).get("text", {})},
        "tool_choice": choice.get("tool_choice", "auto"),
        "tools": encode_tools(target),
        "top_logprobs": request.sampling.top_logprobs or 0,
        "top_p": 1.0 if request.sampling.top_p is None else request.sampling.top_p,
        "truncation": state.truncation or "disabled",
        "user": request.identity.user,
    }  # fmt: skip
