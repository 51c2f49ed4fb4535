"""The models that the seeds name: each at its own vendor, or all at another one.

A catalogue of one dialect has every model of the documents: those of that dialect's vendor by their families alone, the
others at one model of it. So each example runs against its own vendor and against every other.
"""

from allgate.catalogue.family import Family
from allgate.wiring.models import packaged_families
from standing import CHAT, GENERATE, MESSAGES, RESPONSES, XAI, At, Vendor

_SUBSET = "{ openai_chat = { sampling = false, json_schema = 'subset' } }"  # a document of Google's promises it whole
_REASONING_RESPONSES = "{ openai_responses = { sampling = false } }"
_AS_BASE64 = "{ anthropic = { image_url = false } }"

_OPENAI = (
    "GPT-5.5", "GPT-5.5-High", "GPT-5.4", "GPT-5.4-Pro", "GPT-5.4-Mini", "GPT-5.4-Nano",
    "gpt-4.1-mini", "gpt-4o-mini", "gpt-4o", "o1-preview",
    "gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "gpt-4o-2024-08-06", "gpt-4.1", "o3-deep-research-2025-06-26",
)  # fmt: skip
_CLAUDE = (
    "Claude-Fable-5", "Claude-Opus-4.8", "Claude-Opus-4.7", "Claude-Opus-4.6", "Claude-Sonnet-4.6",
    "claude-sonnet-4-5-20250929", "claude-3-5-sonnet-20241022", "claude-3-7-sonnet-20250219",
    "claude-3-7-sonnet-20250219-thinking",
)  # fmt: skip
_GEMINI = (
    "Gemini-3.5-Flash", "Gemini-3.1-Flash", "Gemini-3.1-Pro", "gemini-2.5-pro", "gemini-2.5-pro-preview-05-06",
)  # fmt: skip
_FAMILIES: dict[str, tuple[Family, bool]] = {
    name + suffix: (family, not suffix)
    for family in packaged_families().values()
    for name in (family.public, *family.aliases)
    for suffix in ("", *family.profile.suffixes)
}


def _at(vendor: Vendor, *names: str) -> dict[str, At]:
    """These models by their families, under the names that they say the vendor has for them."""
    found = {name: _FAMILIES[name] for name in names}
    return {
        name: At(vendor, family.model_at(vendor.provider), family=family.name, named=named)
        for name, (family, named) in found.items()
    }


_OWN: dict[str, dict[str, At]] = {
    "openai_chat": _at(CHAT, *_OPENAI) | _at(XAI, "Grok-4.1-Fast", "Grok-4.1-Fast-Reasoning"),
    "openai_responses": _at(RESPONSES, *_OPENAI),
    "anthropic": _at(MESSAGES, *_CLAUDE),
    "gemini": _at(GENERATE, *_GEMINI),
}
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
