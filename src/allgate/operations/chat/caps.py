"""What one deployment can do in one dialect, as data.

Encoders ask Caps and never look at a model's name: a new model is a row, not code. The defaults are those of a
generic current model of the OpenAI-compatible kind; provider rows and the catalogue narrow or widen them.
"""

from typing import Literal

from allgate.core.value import Value
from allgate.operations.chat.request import Effort


class Caps(Value, frozen=True, kw_only=True):
    """Capabilities and limits of a (deployment, dialect) pair. Counts are tokens unless the name says otherwise."""

    # thinking
    thinking: Literal["none", "budget", "adaptive", "level", "effort"] = "effort"
    efforts: tuple[Effort, ...] = ("minimal", "low", "medium", "high")
    levels: tuple[str, ...] = ("low", "high")
    budget_min: int = 1024
    budget_max: int = 32_768
    can_disable_thinking: bool = True
    forced_tools_with_thinking: bool = False
    reasoning_replay: Literal["none", "last_turn", "all"] = "none"
    unsigned_thinking: bool = False
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    think_tags: bool = False
    think_open_implicit: bool = False
    seal_origin: str = ""  # vendor whose seals this deployment can read
    seal_scope: str = ""

    # sampling
    sampling: bool = True  # False: temperature, top_p, top_k are never sent
    temperature_max: float = 2.0
    temperature_and_top_p: bool = True
    top_k: bool = False
    penalties: bool = True
    seed: bool = True
    logit_bias: bool = True
    logprobs: bool = True
    n_max: int = 8
    stop_max: int = 4
    output_max: int | None = None
    output_default: int | None = None
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    # turns
    system_role: Literal["system", "developer"] = "system"
    mid_system: bool = True
    prefill: bool = False
    names: bool = True

    # tools
    tools: bool = True
    forced_tools: bool = True
    parallel_tools_switch: bool = True
    custom_tools: bool = False
    namespaces: bool = False
    strict_tools: bool = True
    tool_combo: bool = False  # functions together with hosted tools
    tool_images: bool = False
    call_ids: bool = True
    call_id_characters: int | None = None  # exactly so many letters and digits (Mistral); None: any that fit
    tool_name_characters_max: int = 64
    hosted: tuple[str, ...] = ()  # HostedKind words this deployment runs: "web_search", "code_execution", …
    web_search_style: Literal["options", "tool", "none"] = "none"

    # output
    json_schema: Literal["native", "subset", "none"] = "native"
    json_object: bool = True
    schema_with_tools: bool = True
    modalities_out: tuple[Literal["text", "image", "audio", "video"], ...] = ("text",)
    grammar_output: bool = False
    verbosity: bool = False

    # media in; an empty MIME tuple means that kind is not taken at all
    image_mimes: tuple[str, ...] = ("image/png", "image/jpeg", "image/webp", "image/gif")
    image_url: bool = True
    document_mimes: tuple[str, ...] = ("application/pdf",)
    document_url: bool = False
    audio_mimes: tuple[str, ...] = ()
    video_mimes: tuple[str, ...] = ()
    video_url: bool = False
    video_sites: bool = False  # watches what a video site shows, where there is no file to fetch
    https_only: bool = False  # of the media that it fetches itself
    media_bytes_max: int = 20 * 1024 * 1024
    media_max: int = 500  # media in one request: OpenAI's bound on pictures, the widest but Gemini's
    image_pixels_max: int = 64_000_000  # 8,000 × 8,000, where Claude ends; no camera's picture has many more

    # the rest
    cache: Literal["none", "explicit", "auto", "key"] = "none"
    cache_marks_max: int = 4
    cache_policy: Literal["client", "system", "conversation"] = (
        "client"  # who else sets marks, where they are explicit
    )
    stream_usage_switch: bool = True  # understands stream_options.include_usage
    vendor_fields: tuple[
        str, ...
    ] = ()  # non-standard request members it takes, e.g. "top_k", "enable_thinking"
    metadata: bool = True
    user: bool = True
    service_tiers: tuple[str, ...] = ()
    store: bool = False
    safety_settings: bool = False
    api_version: str | None = None  # anthropic-version to send
    finish_optional: bool = False  # an end of body with usage and no finish counts as a stop
    usage_excludes_reasoning: bool = False


CAPS_DEFAULT = Caps()
