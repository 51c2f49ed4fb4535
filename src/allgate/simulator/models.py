"""Which model names exist at which door, and what their family refuses.

A pattern per family instead of a list of models: names come and go, but a public name that a gateway forgot to
translate (`Claude-Sonnet-4.6`) or a misspelt one is still unknown, because upstream names are lower-case.
"""

import re

from allgate.simulator.exchange import Rejected
from allgate.simulator.scenes import MODEL_PREFIX, SCENES

_OPENAI = re.compile(r"(gpt|o\d|chatgpt|codex|computer-use)[a-z0-9.:-]*")
_ANTHROPIC = re.compile(r"claude-[a-z0-9.@:-]+")
_GEMINI = re.compile(r"(gemini|gemma|learnlm)-[a-z0-9.-]+")
_OTHERS = re.compile(
    r"([a-z0-9_-]+/)*(deepseek|kimi|moonshot|glm|qwen|qwq|doubao|ernie|minimax|mistral|ministral|codestral|magistral|"
    r"llama|grok|sonar|phi|command|ep)[a-z0-9.:_-]*"
)
_DOORS = {
    "openai_chat": (_OPENAI, _OTHERS, _GEMINI, _ANTHROPIC),
    "openai_responses": (_OPENAI, _OTHERS),
    "anthropic": (_ANTHROPIC, _OTHERS),
    "gemini": (_GEMINI,),
}
_REASONING = re.compile(r"o\d.*|gpt-[5-9](?!.*chat).*|codex.*")
_NOWHERE = re.compile(r"no-?such|nonexist|not-exist|unknown")

LISTED = {
    "openai_chat": ("gpt-5.5", "gpt-4o", "gpt-4o-mini", "o3-mini", "sim-echo", "sim-tools", "sim-think"),
    "anthropic": (
        "claude-opus-4-7",
        "claude-sonnet-4-6",
        "claude-haiku-4-5",
        "sim-echo",
        "sim-tools",
        "sim-think",
    ),
    "gemini": ("gemini-3-pro-preview", "gemini-2.5-flash", "sim-echo", "sim-tools", "sim-think"),
}


def exists(model: str, door: str) -> bool:
    """Does this vendor have a model of this name?"""
    if model.startswith(MODEL_PREFIX):
        return model.removeprefix(MODEL_PREFIX).partition(",")[0] in SCENES
    return not _NOWHERE.search(model) and any(family.fullmatch(model) for family in _DOORS[door])


def is_openai(model: str) -> bool:
    """OpenAI's own: unknown fields are refused. Others that speak its format take the habits of the field."""
    return _OPENAI.fullmatch(model) is not None


def reasons(model: str) -> bool:
    """The o-series and GPT-5 class: no sampling parameters, no `max_tokens`, no `stop`."""
    return _REASONING.fullmatch(model) is not None


def known(model: str, door: str, refusal: Rejected) -> str:
    """`model` if the door has it. Raises: Rejected: `refusal`."""
    if not exists(model, door):
        raise refusal
    return model
