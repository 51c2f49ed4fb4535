"""Why an answer ended: the vendor's words in and out."""

from allgate.dialects.anthropic.versions import VERSION_NEW
from allgate.dialects.passes.lenient import object_of, text_or_none
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.response import Finish, FinishReason
from allgate.wire.json import Json, JsonObject

_REASONS: dict[str, FinishReason] = {
    "": "stop",  # message_stop without a stop_reason
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_length",
    "compaction": "compaction",
}

_WORDS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "context_length": "model_context_window_exceeded",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "recitation": "refusal",
    "pause": "pause_turn",
    "compaction": "compaction",
    "malformed_tool_call": "end_turn",
    "cancelled": "end_turn",
    "error": "end_turn",
    "other": "end_turn",
}

_WINDOW_BETA = "model-context-window-exceeded"


def finish_of(native: str, delta: JsonObject, *, called: bool) -> Finish:
    """The finish that `stop_reason` means; `delta` is the object it stands in.

    `called`: the answer holds a call that the client runs. A tool_use without one (the provider ran its own tools) is
    a plain stop, and a stop with one is not: compatible servers say both.
    """
    reason = _REASONS.get(native, "other")
    if reason == "tool_calls" and not called:
        reason = "stop"
    elif reason == "stop" and called:
        reason = "tool_calls"
    sequence, details = delta.get("stop_sequence"), delta.get("stop_details")
    if sequence is not None:
        sequence = text_or_none(sequence)
    if not details:
        return Finish(reason=reason, native=native, stop_sequence=sequence)
    details = object_of(details)
    return Finish(
        reason=reason,
        native=native,
        stop_sequence=sequence,
        category=text_or_none(details.get("category")),
        detail=text_or_none(details.get("explanation")),
    )


def finish_members(finish: Finish, request: ChatRequest) -> JsonObject:
    """`stop_reason`, `stop_sequence` and, for a refusal, `stop_details`, as `request`'s client knows them."""
    word = _WORDS[finish.reason]
    if finish.reason == "context_length" and not _knows_window(request):
        word = "max_tokens"
    members: JsonObject = {"stop_reason": word, "stop_sequence": finish.stop_sequence}
    if word == "refusal":
        details: dict[str, Json] = {
            "type": "refusal",
            "category": finish.category,
            "explanation": finish.detail,
        }
        members["stop_details"] = details
    return members


def _knows_window(request: ChatRequest) -> bool:
    """The word came with a beta and is part of the newer version; older clients take it for a failure."""
    newer = request.api_version is not None and request.api_version >= VERSION_NEW
    return newer or any(beta.startswith(_WINDOW_BETA) for beta in request.betas)
