"""One chat request in canonical words. Absent (None) means the client did not say; encoders then send nothing."""

from typing import Literal

from allgate.core.value import Value
from allgate.operations.chat.notes import Note
from allgate.operations.chat.parts import Extra, Part, Text
from allgate.operations.chat.tools import Tool, ToolChoice
from allgate.wire.json import Json, JsonObject

Role = Literal["user", "assistant", "tool", "system", "developer"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Turn(Value, frozen=True, kw_only=True):
    """One turn. `phase` is Responses' commentary/final of an assistant message; `name` the optional speaker name."""

    role: Role
    parts: tuple[Part, ...]
    id: str | None = None
    phase: Literal["commentary", "final"] | None = None
    name: str | None = None
    extra: Extra = {}


class Sampling(Value, frozen=True, kw_only=True):
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: JsonObject | None = None
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class Reasoning(Value, frozen=True, kw_only=True):
    """How much to think and what of it to show.

    `budget_tokens`: 0 off, -1 dynamic. `level` keeps Gemini's own level word (lower case) where the client used one.
    `show`: none | summary | full. `replay`: the client asked for encrypted or signed reasoning to send back.
    """

    effort: Effort | None = None
    budget_tokens: int | None = None
    level: str | None = None
    mode: Literal["off", "on", "adaptive", "between_tools"] | None = None
    show: Literal["none", "summary", "full"] | None = None
    summary_style: Literal["auto", "concise", "detailed"] | None = None
    context: Literal["auto", "current_turn", "all_turns"] | None = None
    replay: bool = False
    extra: Extra = {}


class OutputFormat(Value, frozen=True, kw_only=True):
    kind: Literal["text", "json_object", "json_schema", "grammar"] = "text"
    name: str | None = None
    description: str | None = None
    schema: JsonObject | None = None
    strict: bool | None = None
    mime: str | None = None  # Gemini's responseMimeType where it is neither text/plain nor application/json
    verbosity: str | None = None


class AudioOut(Value, frozen=True, kw_only=True):
    voice: str | None = None
    format: str | None = None
    language: str | None = None
    speakers: Json = None
    extra: Extra = {}


class ImageOut(Value, frozen=True, kw_only=True):
    size: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    quality: str | None = None
    format: str | None = None
    background: str | None = None
    extra: Extra = {}


class CacheHints(Value, frozen=True, kw_only=True):
    """Request-wide prompt-cache wishes. `auto` is a top-level breakpoint on the last block (Anthropic)."""

    key: str | None = None
    retention: str | None = None
    auto: bool | None = None
    auto_ttl: str | None = None
    handle: str | None = None  # Gemini cachedContent
    options: Json = None  # OpenAI prompt_cache_options as written


class Identity(Value, frozen=True, kw_only=True):
    user: str | None = None
    safety_id: str | None = None
    metadata: JsonObject | None = None


class State(Value, frozen=True, kw_only=True):
    """Server-side state a client asks for (Responses). `prompt`: one stored at the provider, with its variables."""

    store: bool | None = None
    prompt: Json = None
    previous_response_id: str | None = None
    conversation: Json = None
    background: bool | None = None
    truncation: str | None = None
    context_management: Json = None


NO_CACHE, NOBODY, STATELESS = CacheHints(), Identity(), State()
"""What a request holds whose client said nothing of these."""


class ChatRequest(Value, frozen=True, kw_only=True):
    """What a client asks of a chat model. `dialect` is the one it was decoded from; `model` the public name.

    `stream_usage` is true where the client wants usage in the stream (Chat's include_usage; always in other dialects).
    `notes` are what the decoder itself had to repair or drop.
    """

    dialect: str
    model: str
    turns: tuple[Turn, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    sampling: Sampling = Sampling()
    reasoning: Reasoning | None = None
    output: OutputFormat | None = None
    modalities: tuple[Literal["text", "image", "audio", "video"], ...] = ()
    audio_out: AudioOut | None = None
    image_out: ImageOut | None = None
    cache: CacheHints = NO_CACHE
    identity: Identity = NOBODY
    service_tier: str | None = None
    state: State = STATELESS
    safety: Json = None
    stream: bool = False
    stream_usage: bool = False
    betas: tuple[str, ...] = ()  # values of the vendor's beta header, kept for the same vendor
    api_version: str | None = None  # anthropic-version as the client sent it
    extra: Extra = {}
    notes: tuple[Note, ...] = ()
