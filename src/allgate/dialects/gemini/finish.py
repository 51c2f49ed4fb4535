"""Why a candidate ended: Gemini's words and ours.

Both directions of the table of finish reasons. Two things to know: STOP is also what a candidate says whose last word
is a function call, and some replies name the reason by its number (`$alt=json;enum-encoding=int`).
"""

from allgate.operations.chat.response import Finish, FinishReason

_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "LANGUAGE": "content_filter",
    "JAILBREAK": "content_filter",
    "RECITATION": "recitation",
    "IMAGE_RECITATION": "recitation",
    "MALFORMED_FUNCTION_CALL": "malformed_tool_call",
    "UNEXPECTED_TOOL_CALL": "malformed_tool_call",
    "TOO_MANY_TOOL_CALLS": "malformed_tool_call",
    "MISSING_THOUGHT_SIGNATURE": "malformed_tool_call",
    "MALFORMED_RESPONSE": "malformed_tool_call",
    "CONTINUATION": "pause",
    "OTHER": "other",
    "IMAGE_OTHER": "other",
    "NO_IMAGE": "other",
    "ESCALATION": "other",
    "PUP_LIMITED_DISABLED": "other",
    "FINISH_REASON_UNSPECIFIED": "other",
}

# google.ai.generativelanguage.v1beta.Candidate.FinishReason
_NUMBERS: dict[int, str] = {
    0: "FINISH_REASON_UNSPECIFIED", 1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER",
    6: "LANGUAGE", 7: "BLOCKLIST", 8: "PROHIBITED_CONTENT", 9: "SPII", 10: "MALFORMED_FUNCTION_CALL",
    11: "IMAGE_SAFETY", 12: "UNEXPECTED_TOOL_CALL", 13: "TOO_MANY_TOOL_CALLS",
}  # fmt: skip

FINISHES = {word: Finish(reason=reason, native=word) for word, reason in _REASONS.items()}
"""What these words mean where nothing is said beside them, and no function is called."""

_WORDS: dict[FinishReason, str] = {
    "stop": "STOP", "stop_sequence": "STOP", "tool_calls": "STOP", "compaction": "STOP", "length": "MAX_TOKENS",
    "context_length": "MAX_TOKENS", "content_filter": "SAFETY", "refusal": "SAFETY", "recitation": "RECITATION",
    "malformed_tool_call": "MALFORMED_FUNCTION_CALL", "pause": "CONTINUATION", "cancelled": "OTHER", "error": "OTHER",
    "other": "OTHER",
}  # fmt: skip


def finish_of(native: str | int, detail: str | None = None, *, calls: bool = False) -> Finish:
    """The finish of a candidate. `calls`: it holds a function call, in whichever chunk.

    >>> finish_of("STOP", calls=True).reason
    'tool_calls'
    """
    word = _NUMBERS.get(native, str(native)) if isinstance(native, int) else native
    reason = _REASONS.get(word, "other")
    if reason == "stop" and calls:
        reason = "tool_calls"
    return Finish(reason=reason, native=word, detail=detail)


def finish_word(finish: Finish) -> str:
    """Gemini's word for a finish: the provider's own where that was Gemini, else by the table."""
    if finish.native in _REASONS:
        return finish.native
    return _WORDS[finish.reason]
