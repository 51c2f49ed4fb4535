"""xAI: Chat Completions and Responses of the Grok 4 family.

Its reasoning models reject penalties and stop sequences; its completion tokens leave reasoning out, which the totals
show (recorded replies: prompt + completion ≠ total). Encrypted reasoning in Responses is its own, so it is its own
origin of seals.
"""

from allgate.core.value import changed
from allgate.operations.chat.caps import Caps
from allgate.providers.provider import Provider, Speaks

CHAT_CAPS = Caps(
    thinking="effort",
    efforts=("low", "medium", "high"),
    can_disable_thinking=False,
    seal_origin="xai",
    penalties=False,
    logit_bias=False,
    stop_max=0,
    max_tokens_field="max_completion_tokens",
    image_mimes=("image/png", "image/jpeg"),
    document_mimes=(),
    cache="auto",
    metadata=False,
    usage_excludes_reasoning=True,
)

RESPONSES_CAPS = changed(
    CHAT_CAPS,
    tool_combo=True,
    hosted=("web_search", "code_execution", "file_search", "mcp"),
    web_search_style="tool",
    document_mimes=("application/pdf",),
    seed=False,
    n_max=1,
    names=False,
    store=True,
    stream_usage_switch=False,
    usage_excludes_reasoning=False,
)

XAI = Provider(
    name="xai",
    vendor="xai",
    base_url="https://api.x.ai/v1",
    speaks=(
        Speaks(dialect="openai_chat", caps=CHAT_CAPS),
        Speaks(dialect="openai_responses", caps=RESPONSES_CAPS),
    ),
)
