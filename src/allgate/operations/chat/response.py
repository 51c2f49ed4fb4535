"""One whole answer in canonical words."""

from typing import Literal

from allgate.core.usage import Usage
from allgate.core.value import Value
from allgate.operations.chat.notes import Note
from allgate.operations.chat.parts import Extra, Part
from allgate.wire.json import Json

FinishReason = Literal[
    "stop", "stop_sequence", "length", "context_length", "tool_calls", "content_filter", "refusal", "recitation",
    "pause", "malformed_tool_call", "compaction", "cancelled", "error", "other",
]  # fmt: skip


class Finish(Value, frozen=True, kw_only=True):
    """Why a choice ended. `native` is the provider's own word; `detail` its explanation, where it gives one."""

    reason: FinishReason
    native: str = ""
    stop_sequence: str | None = None
    category: str | None = None
    detail: str | None = None


class Choice(Value, frozen=True, kw_only=True):
    index: int
    parts: tuple[Part, ...]
    finish: Finish
    logprobs: Json = None
    extra: Extra = {}


class ChatResponse(Value, frozen=True, kw_only=True):
    """A finished answer. `id` and `model` are the provider's; `created_s` seconds since 1970 (None: not said)."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    created_s: int | None = None
    service_tier: str | None = None
    extra: Extra = {}
    notes: tuple[Note, ...] = ()
