"""How much to think and what to show of it: eight spellings, one value.

`reasoning_effort` is OpenAI's. `reasoning` is OpenRouter's object, `thinking` Anthropic's, `enable_thinking` and
`thinking_budget` Qwen's, `chat_template_kwargs` vLLM's; `extra_body.google.thinking_config`, or `google` at the top,
is how Gemini's own settings travel on chat (the SDK merges `extra_body` into the body, other clients send it as it is).
"""

from typing import Literal, cast

from allgate.core.errors import wire_error
from allgate.dialects.passes.lenient import object_of
from allgate.operations.chat.request import Effort, Reasoning
from allgate.wire.json import Json, JsonObject, object_at, optional_bool, optional_int, optional_text, text_at

Show = Literal["none", "summary", "full"]
Mode = Literal["off", "on", "adaptive", "between_tools"]

_EFFORTS: dict[str, Effort | None] = {
    "none": "none", "minimal": "minimal", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh",
    "max": "max", "ultra": "max", "off": "none", "disabled": "none", "auto": None, "default": None, "": None,
}  # fmt: skip
_MODES: dict[str, Mode] = {
    "enabled": "on", "disabled": "off", "adaptive": "adaptive", "auto": "adaptive", "between_tools": "between_tools",
}  # fmt: skip
_STYLES = ("auto", "concise", "detailed")

REASONING_MEMBERS = frozenset(
    {"reasoning_effort", "reasoning", "thinking", "enable_thinking", "thinking_budget", "include_reasoning"}
)
"""Members of the body that are read here and wholly said by `Reasoning`."""
GOOGLE_MEMBERS = frozenset({"thinking_config", "thinkingConfig"})
"""The same of Gemini's own settings."""
THINKING_MEMBERS = REASONING_MEMBERS | {"chat_template_kwargs", "google"}
"""Members that may say something of thinking."""


def decode_reasoning(body: JsonObject) -> Reasoning | None:
    """What the client said about thinking; None where it said nothing.

    Raises: WireError: a wrong type or unknown word, or a level together with a budget.
    """
    found: dict[str, Json] = {}
    for read in (_template, _qwen, _google, _anthropic, _openrouter, _openai):
        found |= {key: value for key, value in read(body).items() if value is not None}
    if found.get("level") is not None and found.get("budget_tokens") is not None:
        raise wire_error(
            "'thinking_level' and 'thinking_budget' cannot be used together: send one of them",
            param="extra_body.google.thinking_config",
        )
    return Reasoning(**found) if found else None


def _effort(value: Json, path: str) -> Effort | None:
    word = text_at(value, path)
    if word.lower() not in _EFFORTS:
        raise wire_error(
            f"Invalid value for '{path}': '{word}'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', "
            "'xhigh', and 'max'.",
            param=path,
            code="invalid_value",
        )
    return _EFFORTS[word.lower()]


def _openai(body: JsonObject) -> JsonObject:
    value: Json = body.get("reasoning_effort")
    if value is None:
        return {}
    if isinstance(value, dict):  # {effort, summary}: what some clients write on either OpenAI endpoint
        return _words(cast(JsonObject, value), "reasoning_effort")
    return {"effort": _effort(value, "reasoning_effort")}


def _openrouter(body: JsonObject) -> JsonObject:
    value: Json = body.get("reasoning")
    found: JsonObject = {}
    if value is not None:
        source = object_at(value, "reasoning")
        enabled = optional_bool(source, "enabled", "reasoning.enabled")
        exclude = optional_bool(source, "exclude", "reasoning.exclude")
        found = _words(source, "reasoning") | {
            "budget_tokens": optional_int(source, "max_tokens", "reasoning.max_tokens"),
            "mode": None if enabled is None else "on" if enabled else "off",
        }
        if exclude is not None:
            found["show"] = "none" if exclude else "full"
    include = optional_bool(body, "include_reasoning")
    if include is not None and found.get("show") is None:
        found["show"] = "full" if include else "none"
    return found


def _words(source: JsonObject, path: str) -> JsonObject:
    effort: Json = source.get("effort")
    style = optional_text(source, "summary", f"{path}.summary")
    return {
        "effort": None if effort is None else _effort(effort, f"{path}.effort"),
        "show": "summary" if style else None,
        "summary_style": style if style in _STYLES else None,
    }


def _anthropic(body: JsonObject) -> JsonObject:
    value: Json = body.get("thinking")
    if value is None or isinstance(value, bool):
        return {} if value is None else {"mode": "on" if value else "off"}
    source = object_at(value, "thinking")
    word = optional_text(source, "type", "thinking.type")
    if word is not None and word not in _MODES:
        raise wire_error(
            f"Invalid value for 'thinking.type': '{word}'. Supported values are: 'enabled', 'disabled', 'adaptive'.",
            param="thinking.type",
            code="invalid_value",
        )
    display = optional_text(source, "display", "thinking.display")
    return {
        "mode": None if word is None else _MODES[word],
        "budget_tokens": optional_int(source, "budget_tokens", "thinking.budget_tokens"),
        "show": {"omitted": "none", "summarized": "summary"}.get(display or ""),
    }


def _qwen(body: JsonObject) -> JsonObject:
    enabled = optional_bool(body, "enable_thinking")
    return {
        "mode": None if enabled is None else "on" if enabled else "off",
        "budget_tokens": optional_int(body, "thinking_budget"),
    }


def _template(body: JsonObject) -> JsonObject:
    """vLLM hands these to the chat template; two of their usual names switch thinking."""
    kwargs = object_of(body.get("chat_template_kwargs"))
    enabled: Json = kwargs.get("enable_thinking", kwargs.get("thinking"))
    return {"mode": "on" if enabled else "off"} if isinstance(enabled, bool) else {}


def _google(body: JsonObject) -> JsonObject:
    google = object_of(body.get("google"))
    path = "extra_body.google.thinking_config"
    value: Json = google.get("thinking_config", google.get("thinkingConfig"))
    if value is None:
        return {}
    config = object_at(value, path)
    level = _either(config, "thinking_level", "thinkingLevel")
    budget = _either(config, "thinking_budget", "thinkingBudget")
    thoughts = _either(config, "include_thoughts", "includeThoughts")
    shown = optional_bool({"include_thoughts": thoughts}, "include_thoughts", f"{path}.include_thoughts")
    return {
        "level": None if level is None else text_at(level, f"{path}.thinking_level").lower(),
        "budget_tokens": optional_int({"budget": budget}, "budget", f"{path}.thinking_budget"),
        "show": None if shown is None else "full" if shown else "none",
    }


def _either(source: JsonObject, snake: str, camel: str) -> Json:
    return source.get(snake, source.get(camel))
