"""Anthropic: Messages, for models that think within a budget.

Both API versions exist: `2023-06-01` still takes sampling fields and is what converted requests are sent with; a
client's own version passes through untouched. Models that clear sampling or think adaptively (Opus 4.7 and later) say
so in their catalogue rows. Facts: anthropic 2.11 SDK types and the section on Messages of our wire-format notes.
"""

from allgate.operations.chat.caps import Caps
from allgate.providers.provider import Provider, Speaks

API_VERSION = "2023-06-01"

OUTPUT_TOKENS_MAX = 64_000
"""What the Claude 4 family takes; Opus 4.1 takes 32,000 and says so in its row."""

OUTPUT_TOKENS_DEFAULT = 32_000
"""Sent where the client named no bound, since the field is required: 4,096, as some gateways send, cuts agents short."""

STOP_SEQUENCES_MAX = 1_000
"""The vendor names no bound; ours keeps a request of stop sequences alone from being the whole body."""

MEDIA_BYTES_MAX = 32 * 1024 * 1024 // 4 * 3
"""What fits into a request of 32 MB as base64: a PDF's bound. A picture's is 5 MB, which the vendor's own 400 says."""

IMAGES_MAX = 100
"""Pictures in one request of the API."""

MESSAGES_CAPS = Caps(
    thinking="budget",
    efforts=("low", "medium", "high", "max"),
    seal_origin="anthropic",
    temperature_max=1.0,
    temperature_and_top_p=False,
    top_k=True,
    penalties=False,
    seed=False,
    logit_bias=False,
    logprobs=False,
    n_max=1,
    stop_max=STOP_SEQUENCES_MAX,
    output_max=OUTPUT_TOKENS_MAX,
    output_default=OUTPUT_TOKENS_DEFAULT,
    mid_system=False,
    names=False,
    tool_combo=True,
    tool_images=True,
    tool_name_characters_max=128,
    hosted=("web_search", "web_fetch", "code_execution", "mcp", "tool_search"),
    web_search_style="tool",
    json_object=False,
    document_url=True,
    https_only=True,
    media_bytes_max=MEDIA_BYTES_MAX,
    media_max=IMAGES_MAX,
    cache="explicit",
    stream_usage_switch=False,
    metadata=False,
    service_tiers=("auto", "standard_only"),
    api_version=API_VERSION,
)

ANTHROPIC = Provider(
    name="anthropic",
    vendor="anthropic",
    base_url="https://api.anthropic.com",
    speaks=(Speaks(dialect="anthropic", caps=MESSAGES_CAPS, sign_in="x-api-key", counts_tokens=True),),
)
