"""The vendors that a request is written for: their rows' Caps, as one of their models has them, and the strict stand-in."""

import json
from typing import NamedTuple

from allgate.core.value import changed
from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.contract import ChatDialect, UpstreamCall
from allgate.operations.chat.caps import Caps
from allgate.providers.anthropic import MESSAGES_CAPS
from allgate.providers.gemini import GENERATE_CAPS
from allgate.providers.openai import CHAT_CAPS, RESPONSES_CAPS
from allgate.simulator import doors
from allgate.simulator.exchange import Rejected, Request

# What an operator would write in the rows of these models, and for once a model that hears, searches, paints and speaks.
_GPT = {"sampling": False, "penalties": False, "logprobs": False, "logit_bias": False, "stop_max": 0}
_CHAT = {
    "hosted": ("web_search",),
    "web_search_style": "options",
    "audio_mimes": ("audio/wav", "audio/mp3", "audio/mpeg"),
    "modalities_out": ("text", "audio"),
}
_GEMINI = {"image_url": True, "document_url": True, "modalities_out": ("text", "image", "audio")}


class Target(NamedTuple):
    dialect: ChatDialect
    model: str
    caps: Caps


TARGETS = {
    name: Target(CHAT_DIALECTS[name], model, caps)
    for name, model, caps in (
        ("openai_chat", "gpt-5.5", changed(CHAT_CAPS, **_GPT, **_CHAT)),
        ("openai_responses", "gpt-5.5", changed(RESPONSES_CAPS, **_GPT)),
        ("anthropic", "claude-sonnet-4-6", MESSAGES_CAPS),
        ("gemini", "gemini-3-pro-preview", changed(GENERATE_CAPS, **_GEMINI)),
    )
}


def refusal(call: UpstreamCall, api_version: str | None) -> str:
    """Why the stand-in vendor refuses this call; "" if it takes it."""
    path, _, query = ("/v1" * call.path.startswith(("/chat", "/resp")) + call.path).partition("?")
    headers = (
        call.headers
        if any(name == b"anthropic-version" for name, _ in call.headers)
        else (*call.headers, (b"anthropic-version", (api_version or "").encode()))
    )
    request = Request(
        serial=1, method="POST", path=path, query=dict([query.split("=")]) if query else {}, headers=headers, body=call.body
    )  # fmt: skip
    try:
        doors.dialect_of(request).read(request, json.loads(call.body), b"secret of the stand-in")
    except Rejected as rejected:
        return rejected.message
    return ""
