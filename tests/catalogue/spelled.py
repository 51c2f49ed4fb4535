"""A question with settings, in the words of each dialect: the same wish, four ways to say it.

`SAYS` is what each dialect can say. `question` gives path and body; `error_of` reads a refusal in the dialect's own form.
"""

from typing import Any

DIALECTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
MAX_TOKENS = 8_192
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}

_PLAIN = {name: name for name in ("temperature", "top_p", "max_tokens")}
_WORDS: dict[str, dict[str, str]] = {
    "openai_chat": _PLAIN
    | {
        name: name
        for name in (
            "top_k",
            "frequency_penalty",
            "presence_penalty",
            "seed",
            "logprobs",
            "reasoning_effort",
            "unknown",
        )
    },
    "openai_responses": _PLAIN
    | {"max_tokens": "max_output_tokens", "reasoning_effort": "reasoning.effort", "unknown": "unknown"},
    "anthropic": _PLAIN
    | {"top_k": "top_k", "reasoning_effort": "output_config.effort", "unknown": "unknown"},
    "gemini": {
        "temperature": "generationConfig.temperature",
        "top_p": "generationConfig.topP",
        "top_k": "generationConfig.topK",
        "max_tokens": "generationConfig.maxOutputTokens",
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "presence_penalty": "generationConfig.presencePenalty",
        "seed": "generationConfig.seed",
        "thinking_budget": "generationConfig.thinkingConfig.thinkingBudget",
        "thinking_level": "generationConfig.thinkingConfig.thinkingLevel",
        "safety_settings": "safetySettings",
        "unknown": "unknown",
    },
}
_GOOGLE = "extra_body.google.thinking_config."


def _fixed(dialect: str, name: str, value: Any) -> dict[str, Any] | None:
    """Settings that are more than a member. None: this dialect cannot say it."""
    match dialect, name:
        case "openai_chat", "thinking_budget":
            return {"thinking": {"type": "enabled", "budget_tokens": value}}
        case "openai_chat", "nested_temperature":
            return {"extra_body.temperature": value}
        case "openai_chat", "google_budget":
            return {_GOOGLE + "thinking_budget": value}
        case "openai_chat", "thinking_level":
            return {_GOOGLE + "thinking_level": value.upper()}
        case "anthropic", "thinking_budget":
            return {"thinking": {"type": "enabled", "budget_tokens": value}}
        case "anthropic", "adaptive":
            return {"thinking": {"type": "adaptive"}}
        case "openai_chat", "json_schema":
            return {
                "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
            }
        case "openai_responses", "json_schema":
            return {"text.format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}
        case "anthropic", "json_schema":
            return {"output_config.format": {"type": "json_schema", "schema": SCHEMA}}
        case "gemini", "json_schema":
            return {
                "generationConfig.responseMimeType": "application/json",
                "generationConfig.responseJsonSchema": SCHEMA,
            }
        case _:
            word = _WORDS[dialect].get(name)
            return None if word is None else {word: value}


def can_say(dialect: str, settings: dict[str, Any]) -> bool:
    return all(_fixed(dialect, name, value) is not None for name, value in settings.items())


def question(
    dialect: str, model: str, settings: dict[str, Any], *, system: bool = False
) -> tuple[str, dict[str, Any]]:
    """Path and body of "hi" with these settings."""
    said = {"max_tokens": MAX_TOKENS, **settings}
    path, body = _asked(dialect, model, system=system)
    for name, value in said.items():
        for word, inner in (_fixed(dialect, name, value) or {}).items():
            _put(body, word.split("."), inner)
    return path, body


def with_picture(dialect: str, model: str, mime: str, base64: str) -> tuple[str, dict[str, Any]]:
    """Path and body of a question about an inline picture."""
    path, body = question(dialect, model, {})
    url = f"data:{mime};base64,{base64}"
    match dialect:
        case "openai_chat":
            body["messages"][0]["content"] = [{"type": "image_url", "image_url": {"url": url}}]
        case "openai_responses":
            body["input"] = [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]
        case "anthropic":
            source = {"type": "base64", "media_type": mime, "data": base64}
            body["messages"][0]["content"] = [{"type": "image", "source": source}]
        case _:
            body["contents"][0]["parts"] = [{"inlineData": {"mimeType": mime, "data": base64}}]
    return path, body


def _asked(dialect: str, model: str, *, system: bool) -> tuple[str, dict[str, Any]]:
    words = "Be brief; answer in json."
    match dialect:
        case "openai_chat":
            first = [{"role": "system", "content": words}] if system else []
            return "/v1/chat/completions", {
                "model": model,
                "messages": [*first, {"role": "user", "content": "hi json"}],
            }
        case "openai_responses":
            told = {"instructions": words} if system else {}
            return "/v1/responses", {"model": model, "input": "hi json", **told}
        case "anthropic":
            told = {"system": words} if system else {}
            return "/v1/messages", {
                "model": model,
                "messages": [{"role": "user", "content": "hi json"}],
                **told,
            }
        case _:
            told = {"systemInstruction": {"parts": [{"text": words}]}} if system else {}
            return (
                f"/v1beta/models/{model}:generateContent",
                {"contents": [{"role": "user", "parts": [{"text": "hi json"}]}], **told},
            )


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    for word in path[:-1]:
        body = body.setdefault(word, {})
    body[path[-1]] = value


def found(body: Any, path: str) -> Any:
    """The value at a dotted path of a body; None: nothing is there."""
    for word in path.split("."):
        if not isinstance(body, dict) or word not in body:
            return None
        body = body[word]
    return body


def error_of(dialect: str, body: dict[str, Any]) -> tuple[str, str]:
    """(the dialect's word for what went wrong, the message) of an error in its own form."""
    error = body["error"]
    match dialect:
        case "anthropic":
            assert body["type"] == "error"
            return error["type"], error["message"]
        case "gemini":
            return error["status"], error["message"]
        case _:
            return error["code"] or error["type"], error["message"]
