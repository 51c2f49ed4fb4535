"""Whether a message may think, and how: what the model, the limit and the other fields allow. Raises `Rejected` only."""

from collections.abc import Callable

from allgate.simulator.anthropic.blocks import extra, missing, shape
from allgate.simulator.anthropic.models import Claude
from allgate.simulator.exchange import Rejected
from allgate.simulator.reading import part
from allgate.wire.json import JsonObject

BUDGET_TOKENS_MIN = 1024
"""Anthropic's smallest thinking budget."""


def read_thinking(body: JsonObject, claude: Claude, limit: int | None, forced: str | None) -> bool:
    """Is thinking on? Raises: Rejected: in a way that this model or the other fields do not allow."""
    thinking = part(body, "thinking")
    rule = _THINKING.get(str(thinking.get("type")))
    if not thinking:
        return False
    if rule is None:
        raise Rejected(
            f"thinking: Input tag '{thinking.get('type')}' found using 'type' does not match any of the expected tags: "
            "'adaptive', 'between_tools', 'disabled', 'enabled'"
        )
    for name in thinking:
        if name not in ("type", "budget_tokens", "display") or (
            name == "budget_tokens" and thinking["type"] != "enabled"
        ):
            raise extra(f"thinking.{thinking['type']}.{name}")
    return rule(body, thinking, claude, limit, forced)


def _enabled(
    body: JsonObject, thinking: JsonObject, claude: Claude, limit: int | None, forced: str | None
) -> bool:
    if not claude.budget:
        raise Rejected(
            '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
            '"output_config.effort" to control thinking behavior.'
            if claude.adaptive
            else "Thinking is not supported for this model."
        )
    if "budget_tokens" not in thinking:
        raise missing("thinking.enabled.budget_tokens")
    budget = shape(thinking["budget_tokens"], int, "thinking.enabled.budget_tokens", "integer")
    if budget < BUDGET_TOKENS_MIN:
        raise Rejected(
            f"thinking.enabled.budget_tokens: Input should be greater than or equal to {BUDGET_TOKENS_MIN}"
        )
    if limit is not None and limit <= budget:
        raise Rejected("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if body.get("temperature") not in (None, 1):
        raise Rejected("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        raise Rejected("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
    if body.get("top_k") is not None:
        raise Rejected("`top_k` must be unset when thinking is enabled.")
    if forced is not None:
        raise Rejected("Thinking may not be enabled when tool_choice forces tool use.")
    return True


def _adaptive(
    _body: JsonObject, _thinking: JsonObject, claude: Claude, _limit: int | None, _forced: str | None
) -> bool:
    if not claude.adaptive:
        raise Rejected("adaptive thinking is not supported on this model")
    return True


def _disabled(
    _body: JsonObject, _thinking: JsonObject, _claude: Claude, _limit: int | None, _forced: str | None
) -> bool:
    return False


_Rule = Callable[[JsonObject, JsonObject, Claude, int | None, str | None], bool]

_THINKING: dict[str, _Rule] = {
    "enabled": _enabled,
    "adaptive": _adaptive,
    "between_tools": _adaptive,
    "disabled": _disabled,
}
