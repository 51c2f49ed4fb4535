"""How much to think, in the words of the deployment.

OpenAI and most of its imitators take `reasoning_effort`. Others have a switch of their own, which `Caps.vendor_fields`
names: `thinking {type, budget_tokens}`, `enable_thinking` with `thinking_budget`, or OpenRouter's `reasoning`.
"""

from allgate.dialects.passes.reasoning import DYNAMIC, OFF, resolve_budget, resolve_effort, wanted
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.request import ChatRequest, Reasoning
from allgate.wire.json import JsonObject


def encode_reasoning(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    """The members that steer thinking; none where the client said nothing.

    Raises: WireError: a written budget that breaks the deployment's rule, or a level together with a budget.
    """
    wish = request.reasoning
    if wish is None:
        return {}
    want = wanted(wish)
    if caps.thinking == "none":
        if want:
            notes.append(dropped("reasoning", "this model does not think"))
        return {}
    if "reasoning" in caps.vendor_fields:
        return _object(wish, caps, notes)
    if caps.thinking == "budget":
        return _budget(wish, caps, notes)
    members: JsonObject = {}
    if want is not None and "thinking" in caps.vendor_fields:
        members["thinking"] = {"type": "enabled" if want else "disabled"}
        if not want:
            return members
    elif want is not None and "enable_thinking" in caps.vendor_fields:
        members["enable_thinking"] = want
    effort, found = resolve_effort(wish, caps)
    notes += found
    if effort is not None:
        members["reasoning_effort"] = effort
    return members


def _object(wish: Reasoning, caps: Caps, notes: list[Note]) -> JsonObject:
    """`reasoning {effort | max_tokens, exclude, enabled}`: it takes a budget or an effort as it was said."""
    inner: JsonObject = {}
    if wish.budget_tokens is not None and wish.budget_tokens > OFF and wish.effort is None:
        inner["max_tokens"] = wish.budget_tokens
    else:
        effort, found = resolve_effort(wish, caps)
        notes += found
        if effort is not None:
            inner["effort"] = effort
        elif wanted(wish):
            inner["enabled"] = True
    if wish.show == "none":
        inner["exclude"] = True
    return {"reasoning": inner} if inner else {}


def _budget(wish: Reasoning, caps: Caps, notes: list[Note]) -> JsonObject:
    budget, found = resolve_budget(wish, caps)
    notes += found
    if budget is None:
        return {}
    members: JsonObject = {}
    if "thinking" in caps.vendor_fields:
        thinking: JsonObject = {"type": "disabled" if budget == OFF else "enabled"}
        if budget > OFF:
            thinking["budget_tokens"] = budget
        members["thinking"] = thinking
    if "enable_thinking" in caps.vendor_fields:
        members["enable_thinking"] = budget != OFF
    if "thinking_budget" in caps.vendor_fields and budget not in (OFF, DYNAMIC):
        members["thinking_budget"] = budget
    if not members:
        notes.append(dropped("reasoning", "this model has no switch for thinking"))
    return members
