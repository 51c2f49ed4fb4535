"""The models that the seeds name: each at its own vendor, or all at another one.

A catalogue of one dialect has every model of the documents: those of that dialect's vendor under the vendor's own
names, the others at one model of it. So each example runs against its own vendor and against every other.
"""

from standing import CHAT, GENERATE, MESSAGES, RESPONSES, XAI, At

_REASONING = "{ openai_chat = { sampling = false } }"
_REASONING_RESPONSES = "{ openai_responses = { sampling = false } }"
_SUBSET = "{ openai_chat = { sampling = false, json_schema = 'subset' } }"  # a document of Google's promises it whole
_AS_BASE64 = "{ anthropic = { image_url = false } }"

_OPENAI = (
    "GPT-5.5", "GPT-5.5-High", "GPT-5.4", "GPT-5.4-Pro", "GPT-5.4-Mini", "GPT-5.4-Nano",
    "gpt-4.1-mini", "gpt-4o-mini", "gpt-4o", "o1-preview",
    "gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "gpt-4o-2024-08-06", "gpt-4.1", "o3-deep-research-2025-06-26",
)  # fmt: skip


def _thinks(name: str) -> bool:
    return name.startswith(("GPT-5", "o1", "o3"))


_OWN: dict[str, dict[str, At]] = {
    "openai_chat": {
        **{name: At(CHAT, name.lower(), _REASONING if _thinks(name) else "") for name in _OPENAI},
        "Grok-4.1-Fast": At(XAI, "grok-4-1-fast-non-reasoning", "{ openai_chat = { thinking = 'none' } }"),
        "Grok-4.1-Fast-Reasoning": At(XAI, "grok-4-1-fast-reasoning"),
    },
    "openai_responses": {
        name: At(RESPONSES, name.lower(), _REASONING_RESPONSES if _thinks(name) else "") for name in _OPENAI
    },
    "anthropic": {
        name: At(MESSAGES, name.lower().replace(".", "-"), _AS_BASE64)
        for name in (
            "Claude-Fable-5", "Claude-Opus-4.8", "Claude-Opus-4.7", "Claude-Opus-4.6", "Claude-Sonnet-4.6",
            "claude-sonnet-4-5-20250929", "claude-3-5-sonnet-20241022", "claude-3-7-sonnet-20250219-thinking",
        )
    },
    "gemini": {
        **{
            name: At(GENERATE, name, "{ gemini = { thinking = 'budget', budget_min = 128, call_ids = false } }")
            for name in ("gemini-2.5-pro", "gemini-2.5-pro-preview-05-06")
        },
        "Gemini-3.5-Flash": At(GENERATE, "gemini-3.5-flash"),
        "Gemini-3.1-Flash": At(GENERATE, "gemini-3.1-flash", "{ gemini = { thinking = 'none' } }"),
        "Gemini-3.1-Pro": At(GENERATE, "gemini-3.1-pro-preview", "{ gemini = { levels = ['low', 'medium', 'high'] } }"),
    },
}  # fmt: skip
_ANY = {
    "openai_chat": At(CHAT, "gpt-5.5", _SUBSET),
    "openai_responses": At(RESPONSES, "gpt-5.5", _REASONING_RESPONSES),
    "anthropic": At(MESSAGES, "claude-sonnet-4-6", _AS_BASE64),
    "gemini": At(GENERATE, "gemini-3-pro-preview"),
}

DIALECTS = tuple(_OWN)
MODELS = tuple(dict.fromkeys(name for own in _OWN.values() for name in own))
OF_SEED_000 = tuple(name for name in MODELS if name[0].isupper())


def catalogue(dialect: str) -> dict[str, At]:
    """Every model of the seeds, at upstreams that speak `dialect`."""
    return dict.fromkeys(MODELS, _ANY[dialect]) | _OWN[dialect]
