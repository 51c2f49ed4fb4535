"""The vendors behind the gateway: each one's own row, at the strict simulator, as one of its models behaves.

What an operator would write in a model's row (how it thinks, what it lacks) stands here as `own_caps`.
"""

from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from stand import Stand, Vendor, stand

CLIENTS = ("openai_chat", "openai_responses", "anthropic", "gemini")


class Behind(NamedTuple):
    """One model of one vendor. `seals`: every answer that thinks carries one; `shows`: what it thinks can be read;
    `thinks`: how its own clients ask for thinking."""

    vendor: Vendor
    model: str
    dialect: str
    seals: bool = True
    shows: bool = True
    thinks: str = "level"

    def asked_by(self, client: str) -> str:
        """How a client of this dialect asks for thinking: a model's own clients as that model wants it."""
        return self.thinks if client == self.dialect else "budget" if client == "anthropic" else "level"

    def shows_to(self, client: str) -> bool:
        """OpenAI's Responses shows a summary to who asks to see it, which an effort on Chat alone is not."""
        return self.shows and not (self.dialect == "openai_responses" and client == "openai_chat")


_GPT = "{ openai_chat = { stop_max = 0 } }"
_PLAIN = '{ anthropic = { json_schema = "none" } }'


def _openai(dialect: str) -> Vendor:
    return Vendor("openai", [dialect], "/v1", _GPT if dialect == "openai_chat" else "")


_GEMINI_2 = (
    '{ gemini = { thinking = "budget", budget_min = 0, budget_max = 24576, call_ids = false, tool_images = false, '
    "tool_combo = false, schema_with_tools = false } }"
)
_OPUS = '{ anthropic = { thinking = "adaptive", efforts = ["low", "medium", "high", "xhigh", "max"], sampling = false } }'
_DEEPSEEK = Vendor("deepseek", ["openai_chat"], "/v1")

VENDORS = {
    "gpt-chat": Behind(_openai("openai_chat"), "gpt-5.5", "openai_chat", seals=False, shows=False),
    "deepseek": Behind(_DEEPSEEK, "deepseek-reasoner", "openai_chat", seals=False),
    "gpt-responses": Behind(_openai("openai_responses"), "gpt-5.5", "openai_responses"),
    "claude-sonnet": Behind(Vendor("anthropic"), "claude-sonnet-4-6", "anthropic", thinks="budget"),
    "claude-opus": Behind(Vendor("anthropic", own_caps=_OPUS), "claude-opus-4-7", "anthropic"),
    "gemini-3": Behind(Vendor("gemini"), "gemini-3-pro-preview", "gemini"),
    "gemini-2.5": Behind(
        Vendor("gemini", own_caps=_GEMINI_2), "gemini-2.5-flash", "gemini", seals=False, thinks="budget"
    ),  # it signs its calls only
}  # fmt: skip
# One more that only some tests ask for: a Claude that has no structured output yet.
PLAIN = {"plain-claude": Behind(Vendor("anthropic", own_caps=_PLAIN), "claude-sonnet-4-6", "anthropic")}
_ALL = VENDORS | PLAIN
_NUMBERS = {name: number for number, name in enumerate(_ALL)}


def standing(models: dict[str, tuple[str, ...]]) -> AbstractAsyncContextManager[Stand]:
    """A stand with every vendor; `models`: public name → the vendors that serve it, best first."""
    places = {
        model: [(_NUMBERS[name], _ALL[name].model) for name in names] for model, names in models.items()
    }
    return stand(places, vendors=[behind.vendor for behind in _ALL.values()])
