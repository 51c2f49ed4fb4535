"""The response object around the output: what it repeats of the request, encoded once for the three times it is sent."""

import msgspec

from allgate.core.errors import Failure
from allgate.core.usage import Usage
from allgate.dialects.contract import Asked
from allgate.dialects.openai_responses import settings_encode as settings
from allgate.dialects.openai_responses.finish import Ending
from allgate.dialects.openai_responses.own import MESSAGE, own
from allgate.dialects.openai_responses.request_decode import TEXT
from allgate.dialects.openai_responses.target import Target
from allgate.dialects.openai_responses.tools_encode import encode_tool_choice, encode_tools
from allgate.dialects.openai_responses.usage import encode_usage
from allgate.dialects.passes.openai_errors import error_object
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Extra
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
    """Writes the response object of one streamed answer, with any status, output and usage."""

    __slots__ = ("_asked", "_echo")

    def __init__(self, asked: Asked, extra: Extra, service_tier: str | None) -> None:
        self._asked = asked
        self._echo = b"," + json.encode(echo(asked, extra, service_tier))[1:]

    def in_progress(self) -> bytes:
        return self.response(_IN_PROGRESS, b"[]", None)

    def response(
        self, ending: Ending, output: bytes, usage: Usage | None, failure: Failure | None = None
    ) -> bytes:
        """The whole object; `output` is the JSON of the items."""
        return json.encode(head(self._asked, ending, msgspec.Raw(output), usage, failure))[:-1] + self._echo


def head(
    asked: Asked,
    ending: Ending,
    output: list[JsonObject] | msgspec.Raw,
    usage: Usage | None,
    failure: Failure | None,
) -> JsonObject:
    """The members that tell of the answer."""
    reason = ending.incomplete_reason
    return {
        "id": asked.response_id,
        "object": "response",
        "created_at": asked.created_s,
        "status": ending.status,
        "error": _error(failure) if failure else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "usage": encode_usage(usage),
        "output": output,
    }


def _error(failure: Failure) -> JsonObject:
    error = error_object(failure)
    return {"code": error["code"] or "server_error", "message": error["message"]}


def echo(asked: Asked, extra: Extra, service_tier: str | None) -> JsonObject:
    """What was asked, or what goes without saying; and what the provider said beyond the vocabulary (`extra`)."""
    request = asked.request
    state, sampling, reasoning = request.state, request.sampling, request.reasoning
    beyond = own(request.extra) if request.extra else {}
    conversation: Json = state.conversation
    repeated: JsonObject = {
        "background": bool(state.background),
        "instructions": instructions_of(request),
        "max_output_tokens": sampling.max_tokens,
        "max_tool_calls": beyond.get("max_tool_calls"),
        "metadata": request.identity.metadata or {},
        "parallel_tool_calls": True,
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
        "temperature": 1.0 if sampling.temperature is None else sampling.temperature,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": sampling.top_logprobs or 0,
        "top_p": 1.0 if sampling.top_p is None else sampling.top_p,
        "truncation": state.truncation or "disabled",
        "user": request.identity.user,
    }  # fmt: skip
    if request.tools or request.tool_choice is not None or request.output is not None or TEXT in beyond:
        target = Target(request, _EVERYTHING)
        repeated |= encode_tool_choice(target)
        repeated["tools"] = encode_tools(target)
        repeated["text"] |= settings.output_format(target, []).get("text", {})
    if extra:
        repeated |= own(extra)
    repeated["model"] = asked.model
    if service_tier is not None:
        repeated["service_tier"] = service_tier
    return repeated


def instructions_of(request: ChatRequest) -> str | None:
    """The `instructions` of a request; None where the first words of its system were a message."""
    told = request.system[0] if request.system else None
    return None if told is None or (told.extra and MESSAGE in own(told.extra)) else told.text
