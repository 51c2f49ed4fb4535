"""The list of models in the three shapes that the vendors' clients read.

Which shape a client wants is seen from its headers by the edge; a Gemini client that is given OpenAI's list silently
shows nothing. Codex, which says its version, reads `models` beside OpenAI's `data` and fails without. An entry there would
replace its own presets, its system prompt among them, so there is none.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from allgate.core.value import Value
from allgate.wire.json import JsonObject, encode


class Listed(Value, frozen=True, kw_only=True):
    """A model as lists show it."""

    name: str
    created_s: int
    owned_by: str
    output_tokens_max: int | None = None


def encode_model(model: Listed, dialect: str) -> bytes:
    """One model."""
    return encode(_SHAPES.get(dialect, _openai)(model))


def encode_models(models: Sequence[Listed], dialect: str, *, codex: bool = False) -> bytes:
    """All models that the key may use. Anthropic's paging fields say that this is the only page."""
    entries = [_SHAPES.get(dialect, _openai)(model) for model in models]
    if dialect == "gemini":
        return encode({"models": entries})
    if dialect == "anthropic":
        first, last = (models[0].name, models[-1].name) if models else (None, None)
        return encode({"data": entries, "has_more": False, "first_id": first, "last_id": last})
    own: JsonObject = {"models": []} if codex else {}
    return encode({"object": "list", "data": entries, **own})


def _openai(model: Listed) -> JsonObject:
    return {"id": model.name, "object": "model", "created": model.created_s, "owned_by": model.owned_by}


def _anthropic(model: Listed) -> JsonObject:
    created = datetime.fromtimestamp(model.created_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": model.name, "display_name": model.name, "created_at": created}


def _gemini(model: Listed) -> JsonObject:
    methods = ["generateContent", "streamGenerateContent", "countTokens"]
    return {"name": f"models/{model.name}", "displayName": model.name, "supportedGenerationMethods": methods}


_SHAPES = {"openai_chat": _openai, "openai_responses": _openai, "anthropic": _anthropic, "gemini": _gemini}
