"""Why a choice ended: the vendors' words in, OpenAI's five words out.

OpenAI itself says stop, length, tool_calls, function_call and content_filter. Servers that imitate it add their own
engine's word, another vendor's word, or an empty string, which means the same as null: not yet.
"""

from collections.abc import Iterable

from allgate.operations.chat.parts import Part, Refusal, ToolCall
from allgate.operations.chat.response import Finish, FinishReason

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    # engines and vendors, all in lower case
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "context_length",
    "model_context_window_exceeded": "context_length",
    "context_length": "context_length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "sensitive": "content_filter",
    "safety": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "refusal",
    "recitation": "recitation",
    "malformed_function_call": "malformed_tool_call",
    "abort": "cancelled",
    "cancelled": "cancelled",
    "error": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
}

_WORDS: dict[FinishReason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "context_length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",  # unless a refusal's text says it: finish_word
    "recitation": "content_filter",
    "pause": "stop",
    "compaction": "stop",
    "malformed_tool_call": "stop",
    "cancelled": "stop",
    "error": "stop",
    "other": "stop",
}


def finish_of(native: str, *, called: bool, refused: bool = False) -> Finish:
    """The finish that a provider's word means. `called`: the choice holds a call that the client runs; `refused`: it
    holds a refusal's text, which chat ends with `stop`.

    Several servers, Google's own compatibility layer among them, end a streamed call with `stop`.
    """
    reason = _REASONS.get(native.lower(), "other")
    if refused and reason == "stop":
        return Finish(reason="refusal", native=native)
    if called and reason == "stop":
        reason = "tool_calls"
    elif reason == "tool_calls" and not called:
        reason = "stop"
    return Finish(reason=reason, native=native)


def finish_word(finish: Finish, *, refused: bool, legacy: bool) -> str:
    """OpenAI's word. `refused`: the answer holds a refusal's text; `legacy`: the client declared `functions`."""
    if finish.reason == "refusal" and refused:
        return "stop"
    word = _WORDS[finish.reason]
    return "function_call" if legacy and word == "tool_calls" else word


def has_call(parts: Iterable[Part]) -> bool:
    return any(isinstance(part, ToolCall) for part in parts)


def has_refusal(parts: Iterable[Part]) -> bool:
    return any(isinstance(part, Refusal) and part.text for part in parts)
