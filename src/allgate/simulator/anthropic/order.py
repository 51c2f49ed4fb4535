"""The order of messages, in Anthropic's words: roles, results beside their calls, and what may stand last.

The first message is the user's; every `tool_use` has its `tool_result` in the very next message, before anything else in
it; a `tool_result` has its `tool_use` in the very previous one; with a thinking budget the last tool loop begins with
thinking. Raises `Rejected` only.
"""

from allgate.simulator.anthropic.models import Claude
from allgate.simulator.exchange import Rejected
from allgate.simulator.reading import part
from allgate.wire.json import JsonObject

Turns = list[tuple[str, list[JsonObject]]]
"""Role and blocks of every message."""


def check_order(turns: Turns, body: JsonObject, claude: Claude) -> None:
    """All of it. Raises: Rejected."""
    _check_roles(turns, claude)
    _check_results(turns)
    _check_last(turns, body, claude)


def _check_roles(turns: Turns, claude: Claude) -> None:
    if turns[0][0] != "user":
        raise Rejected('messages: first message must use the "user" role')
    for place, (role, blocks) in enumerate(turns):
        if not blocks and not (role == "assistant" and place == len(turns) - 1):
            raise Rejected(
                f"messages.{place}: all messages must have non-empty content except for the optional final assistant "
                "message"
            )
        if place and role == turns[place - 1][0] and not claude.merges_roles:
            raise Rejected(
                'messages: roles must alternate between "user" and "assistant", but found multiple '
                f'"{role}" roles in a row'
            )
        if role == "system" and turns[place - 1][0] != "user":
            raise Rejected(f"messages.{place}: `system` messages must follow a `user` message")


def _check_results(turns: Turns) -> None:
    """Every call is answered in the next message, first in it; every answer has its call in the previous one."""
    merged: list[tuple[int, str, list[JsonObject]]] = []
    for place, (role, blocks) in enumerate(turns):
        if merged and merged[-1][1] == role:
            merged[-1][2].extend(blocks)
        else:
            merged.append((place, role, list(blocks)))
    seen: set[str] = set()
    for number, (place, role, blocks) in enumerate(merged):
        after = merged[number + 1][2] if number + 1 < len(merged) else []
        before = merged[number - 1][2] if number else []
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if role == "assistant" and (len(set(calls)) < len(calls) or seen & set(calls)):
            raise Rejected("messages: `tool_use` ids must be unique")
        seen |= set(calls)
        _check_answers(place, blocks, [block["id"] for block in before if block["type"] == "tool_use"])
        leading = [block for block in after[: len(calls)] if block["type"] == "tool_result"]
        lacking = [call for call in calls if call not in {block["tool_use_id"] for block in leading}]
        if lacking:
            raise Rejected(
                f"messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(lacking)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
                "message."
            )


def _check_answers(place: int, blocks: list[JsonObject], calls: list[str]) -> None:
    answered: set[str] = set()
    for number, block in enumerate(blocks):
        if block["type"] != "tool_result":
            continue
        call = block["tool_use_id"]
        if call not in calls:
            raise Rejected(
                f"messages.{place}.content.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {call}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if call in answered:
            raise Rejected(
                f"messages.{place}.content.{number}: each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {call}"
            )
        answered.add(call)


def _check_last(turns: Turns, body: JsonObject, claude: Claude) -> None:
    """The final message: a prefill where there may be one; and the thinking that heads the current tool loop.

    One that ends in a call of a hosted tool is a paused turn, which any model goes on with.
    """
    role, blocks = turns[-1]
    if role == "assistant" and blocks and blocks[-1]["type"] == "server_tool_use":
        return
    if role == "assistant":
        if not claude.prefill:
            raise Rejected(
                "This model does not support assistant message prefill. The conversation must end with a user message."
            )
        if blocks and blocks[-1]["type"] == "text" and blocks[-1]["text"] != blocks[-1]["text"].rstrip():
            raise Rejected("messages: final assistant content cannot end with trailing whitespace")
    if part(body, "thinking").get("type") != "enabled" or not claude.signed:
        return
    if role == "assistant":
        raise Rejected("messages: a final assistant message may not be prefilled when thinking is enabled")
    if not any(block["type"] == "tool_result" for block in blocks):
        return
    place = max(number for number, (role, _) in enumerate(turns) if role == "assistant")
    first = turns[place][1][0]["type"]
    if first not in ("thinking", "redacted_thinking"):
        raise Rejected(
            f"messages.{place}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When "
            "`thinking` is enabled, a final `assistant` message must start with a thinking block."
        )
