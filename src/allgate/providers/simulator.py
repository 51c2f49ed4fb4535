"""The built-in stand-in upstream: all four dialects at one address, each as strict as its vendor.

It stands in for the vendors, so in each dialect it has that vendor's Caps, seals included. One base URL serves four
formats, so it is the bare origin, and the two OpenAI dialects are found under `/v1` there.
"""

from allgate.providers.anthropic import MESSAGES_CAPS
from allgate.providers.gemini import GENERATE_CAPS
from allgate.providers.openai import CHAT_CAPS, RESPONSES_CAPS
from allgate.providers.provider import Provider, Speaks

SIMULATOR = Provider(
    name="simulator",
    vendor="simulator",
    base_url=None,
    speaks=(
        Speaks(dialect="openai_chat", caps=CHAT_CAPS, path_prefix="/v1"),
        Speaks(dialect="openai_responses", caps=RESPONSES_CAPS, path_prefix="/v1", counts_tokens=True),
        Speaks(dialect="anthropic", caps=MESSAGES_CAPS, sign_in="x-api-key", counts_tokens=True),
        Speaks(dialect="gemini", caps=GENERATE_CAPS, sign_in="x-goog-api-key", counts_tokens=True),
    ),
)
