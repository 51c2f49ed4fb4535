"""Why an answer ended: `status` and `incomplete_details.reason` on the wire, a finish reason inside."""

from collections.abc import Collection

from allgate.core.errors import ErrorKind, Failure
from allgate.core.value import Value
from allgate.dialects.openai_responses.profile import length_is_complete
from allgate.dialects.passes.lenient import object_of, text_of
from allgate.operations.chat.parts import Part, Refusal, Text, ToolCall
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.response import Finish, FinishReason
from allgate.wire.json import JsonObject

_INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length", "content_filter": "content_filter", "max_messages": "other", "steered": "other",
}  # fmt: skip
_STATUS: dict[str, FinishReason] = {"completed": "stop", "cancelled": "cancelled", "failed": "error"}

_MAX_TOKENS, _FILTERED = "max_output_tokens", "content_filter"


class Ending(Value, frozen=True, kw_only=True):
    """How a response of ours ends: `status`, the reason of an incomplete one, and the terminal event's name."""

    status: str
    incomplete_reason: str | None = None

    @property
    def event(self) -> str:
        return {"completed": "response.completed", "failed": "response.failed"}.get(
            self.status, "response.incomplete"
        )


_COMPLETED = Ending(status="completed")


def decode_finish(response: JsonObject, kinds: Collection[type[Part]]) -> Finish:
    """The finish of a response object whose output holds parts of these kinds.

    A completed answer with a call for the client is `tool_calls`; one that only refuses is `refusal`.
    """
    status = text_of(response.get("status")) or "completed"
    details = response.get("incomplete_details")
    reason = text_of(object_of(details).get("reason")) if details else ""
    if status == "incomplete" or (reason and status == "completed"):
        return Finish(reason=_INCOMPLETE.get(reason, "other"), native=reason or status)
    found = _STATUS.get(status, "other")
    if found == "stop":
        if ToolCall in kinds:
            found = "tool_calls"
        elif Refusal in kinds and Text not in kinds:
            found = "refusal"
    return Finish(reason=found, native=status)


def encode_finish(finish: Finish, kinds: Collection[type[Part]], request: ChatRequest) -> Ending:
    """The ending of a response of ours whose output holds parts of these kinds.

    A refusal in words is a complete answer, and so is a call, even one that the provider calls malformed: the client
    can tell its model so, while it would only repeat a failed request.
    """
    match finish.reason:
        case "stop" | "stop_sequence" | "tool_calls" | "pause" | "compaction" | "error" | "other":
            return _COMPLETED
        case "length" | "context_length":
            status = "completed" if length_is_complete(request) else "incomplete"
            return Ending(status=status, incomplete_reason=_MAX_TOKENS)
        case "content_filter" | "recitation":
            return Ending(status="incomplete", incomplete_reason=_FILTERED)
        case "refusal":
            if Refusal in kinds:
                return _COMPLETED
            return Ending(status="incomplete", incomplete_reason=_FILTERED)
        case "malformed_tool_call":
            return Ending(status="completed" if ToolCall in kinds else "failed")
        case "cancelled":
            return Ending(status="cancelled")


def malformed_call(finish: Finish) -> Failure:
    """What a client is told where the model wrote a call that nobody can run: this dialect knows it as a failure."""
    return Failure(
        kind=ErrorKind.INTERNAL,
        message=finish.detail or "The model wrote a malformed tool call",
        upstream=True,
    )
