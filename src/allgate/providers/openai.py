"""OpenAI: Chat Completions and Responses, for its current reasoning models.

Facts: the vendor's SDK types (openai 3.52) and the sections on Chat and Responses of our wire-format notes. What one
model lacks (o-series without sampling, models without pictures) is a row of the catalogue, not a line here.
Responses has no `stop`, `seed`, penalties or `n`; Chat has no hosted tools (its search models take
`web_search_options`, which a catalogue row switches on).
"""

from allgate.core.value import changed
from allgate.operations.chat.caps import Caps
from allgate.providers.provider import Provider, Speaks

CHAT_CAPS = Caps(
    thinking="effort",
    efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
    max_tokens_field="max_completion_tokens",
    system_role="developer",
    custom_tools=True,
    verbosity=True,
    cache="key",
    service_tiers=("auto", "default", "flex", "scale", "priority", "fast"),
    store=True,
    seal_origin="openai",
)

RESPONSES_CAPS = changed(
    CHAT_CAPS,
    namespaces=True,
    tool_combo=True,
    tool_images=True,
    tool_name_characters_max=128,
    hosted=(
        "web_search",
        "code_execution",
        "file_search",
        "image_generation",
        "mcp",
        "computer",
        "shell",
        "tool_search",
    ),
    web_search_style="tool",
    document_url=True,
    penalties=False,
    seed=False,
    logit_bias=False,
    n_max=1,
    stop_max=0,
    names=False,
    stream_usage_switch=False,
)

OPENAI = Provider(
    name="openai",
    vendor="openai",
    base_url="https://api.openai.com/v1",
    speaks=(
        Speaks(dialect="openai_chat", caps=CHAT_CAPS),
        Speaks(dialect="openai_responses", caps=RESPONSES_CAPS, counts_tokens=True),
    ),
)
