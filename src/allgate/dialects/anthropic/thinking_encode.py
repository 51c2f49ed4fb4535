"""Thinking and sampling for the vendor, which depend on each other.

Three kinds of deployment: those that think within a budget (`thinking: enabled`), those that decide themselves
(`adaptive`, with an effort), and those that do not think. Rules of the vendor kept here:

- A budget is at least 1024 and below max_tokens (ruling 6), except with interleaved thinking.
- With thinking on, temperature must be 1, top_p at least 0.95, and top_k absent: what breaks that is dropped, noted.
- A forced tool call and thinking exclude each other on most models: the client's force wins, thinking is off.
- On a budget model the last assistant message of a tool loop must begin with its thinking; where history has lost it,
  thinking is off for this request.
- With thinking disabled an effort above high is refused: capped.
- Adaptive models show no thinking by default: a client of another dialect that did not decline it is shown summaries.
"""

from typing import cast

from allgate.core.value import Value, changed
from allgate.dialects.anthropic.request_decode import extra_members
from allgate.dialects.anthropic.versions import DIALECT, INTERLEAVED_THINKING, takes_sampling
from allgate.dialects.passes.lenient import objects_of
from allgate.dialects.passes.reasoning import DYNAMIC, EFFORTS, OFF, resolve_budget, resolve_effort, wanted
from allgate.dialects.passes.stop_matcher import sent_stops, stop_notes
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, clamped, converted, dropped
from allgate.operations.chat.request import ChatRequest, Effort, Reasoning
from allgate.wire.json import JsonObject

TOP_P_MIN_THINKING = 0.95
"""The vendor's floor while a model thinks."""

_THINKING_BLOCKS = ("thinking", "redacted_thinking")


class Thought(Value, frozen=True, kw_only=True):
    """What to send: the `thinking` member, `output_config.effort`, and what was changed."""

    thinking: JsonObject | None = None
    effort: Effort | None = None
    notes: tuple[Note, ...] = ()

    @property
    def on(self) -> bool:
        return self.thinking is not None and self.thinking["type"] != "disabled"


NO_THOUGHT = Thought()


def encode_thinking(request: ChatRequest, caps: Caps, max_tokens: int, *, limit_is_ours: bool) -> Thought:
    """How this deployment is to think. Raises: WireError: a written budget that breaks the rule."""
    reasoning = request.reasoning
    if reasoning is None:
        return NO_THOUGHT
    match caps.thinking:
        case "none":
            want = wanted(reasoning)
            return Thought(notes=(dropped("reasoning", "this model does not think"),) if want else ())
        case "budget":
            return _budgeted(request, reasoning, caps, max_tokens, limit_is_ours=limit_is_ours)
        case "adaptive" | "effort" | "level":
            return _adaptive(request, reasoning, caps)


def _budgeted(
    request: ChatRequest, reasoning: Reasoning, caps: Caps, max_tokens: int, *, limit_is_ours: bool
) -> Thought:
    own = request.dialect == DIALECT
    if own and reasoning.mode is None:  # an effort alone does not switch thinking on
        return _effort_alone(reasoning, caps)
    limit = None if any(beta.startswith(INTERLEAVED_THINKING) for beta in request.betas) else max_tokens
    budget, notes = resolve_budget(reasoning, caps, limit, limit_is_ours=limit_is_ours)
    if budget == DYNAMIC:
        derived = Reasoning(effort=reasoning.effort or "high")  # the vendor's own default
        budget, more = resolve_budget(derived, caps, limit)
        notes = (*notes, *more, converted("thinking", f"adaptive became a budget of {budget} tokens"))
    effort = _effort_alone(reasoning, caps) if own else Thought()
    if budget is None or budget == OFF:
        disabled: JsonObject | None = {"type": "disabled"} if own and reasoning.mode == "off" else None
        return changed(effort, thinking=disabled, notes=(*notes, *effort.notes))
    thinking: JsonObject = {"type": "enabled", "budget_tokens": budget}
    if own:
        thinking |= _display(request, reasoning) | extra_members(reasoning.extra)
    return changed(effort, thinking=thinking, notes=(*notes, *effort.notes))


def _effort_alone(reasoning: Reasoning, caps: Caps) -> Thought:
    """The effort that the client wrote beside or without thinking: it also sets how long the answer is."""
    if reasoning.effort is None or not caps.efforts:
        return Thought(
            notes=(dropped("output_config.effort", "this model has none"),) if reasoning.effort else ()
        )
    effort, notes = resolve_effort(Reasoning(effort=reasoning.effort), caps)
    return Thought(effort=effort, notes=notes)


def _adaptive(request: ChatRequest, reasoning: Reasoning, caps: Caps) -> Thought:
    want = wanted(reasoning)
    own = request.dialect == DIALECT
    if want is None or (own and reasoning.mode is None):
        return _effort_alone(reasoning, caps)
    if want is False:
        return _disabled(reasoning, caps)
    effort, notes = resolve_effort(reasoning, caps)
    kind = "between_tools" if reasoning.mode == "between_tools" else "adaptive"
    thinking: JsonObject = {"type": kind, **_display(request, reasoning)}
    if own:
        thinking |= extra_members(reasoning.extra)
    return Thought(thinking=thinking, effort=effort, notes=notes)


def _disabled(reasoning: Reasoning, caps: Caps) -> Thought:
    if not caps.can_disable_thinking:
        offered: list[Effort] = [effort for effort in caps.efforts if effort != "none"]
        lowest = min(offered, key=EFFORTS.index, default=None)
        note = clamped("reasoning", "thinking cannot be switched off on this model")
        return Thought(thinking={"type": "adaptive"}, effort=lowest, notes=(note,))
    disabled: JsonObject = {"type": "disabled"}
    if reasoning.effort in (None, "none"):
        return Thought(thinking=disabled)
    written = changed(_effort_alone(reasoning, caps), thinking=disabled)
    if written.effort in ("xhigh", "max"):
        note = clamped("output_config.effort", f"{written.effort} needs thinking, sent high")
        return changed(written, effort=cast(Effort, "high"), notes=(*written.notes, note))
    return written


def _display(request: ChatRequest, reasoning: Reasoning) -> JsonObject:
    if reasoning.show == "none":
        return {"display": "omitted"}
    if reasoning.show is None and request.dialect == DIALECT:
        return {}
    return {"display": "summarized"}


def without_thinking(thought: Thought, reason: str) -> Thought:
    """The same without thinking, because `reason`."""
    return Thought(effort=thought.effort, notes=(*thought.notes, dropped("thinking", reason)))


def loop_lacks_thinking(messages: list[JsonObject]) -> bool:
    """True inside a tool loop whose last assistant message does not begin with thinking."""
    if len(messages) < 2 or messages[-2]["role"] != "assistant":
        return False
    answers = any(block.get("type") == "tool_result" for block in objects_of(messages[-1]["content"]))
    first = objects_of(messages[-2]["content"])[:1]
    return answers and not any(block["type"] in _THINKING_BLOCKS for block in first)


def encode_sampling(
    request: ChatRequest, caps: Caps, version: str, *, thinking: bool
) -> tuple[JsonObject, list[Note]]:
    """temperature, top_p, top_k and stop_sequences, as the API of this `version` takes them."""
    wish = request.sampling
    notes: list[Note] = []
    found: JsonObject = {}
    if wish.temperature is not None:
        found["temperature"] = min(wish.temperature, caps.temperature_max)
        if found["temperature"] != wish.temperature:
            notes.append(clamped("temperature", f"at most {caps.temperature_max}"))
    if wish.top_p is not None:
        found["top_p"] = wish.top_p
    if wish.top_k is not None:
        found["top_k"] = wish.top_k
    for name in _forbidden(found, caps, version, thinking=thinking) if found else ():
        notes.append(dropped(name, "not taken by this model as asked"))
        del found[name]
    if wish.stop:
        if stops := sent_stops(wish, caps, blank=False):  # one of white space is a 400
            found["stop_sequences"] = list(stops)
        notes += stop_notes(wish, caps, blank=False)
    return found, notes


def _forbidden(found: JsonObject, caps: Caps, version: str, *, thinking: bool) -> list[str]:
    if not takes_sampling(version) or not caps.sampling:
        return list(found)
    names: list[str] = []
    if thinking or not caps.top_k:
        names += ["top_k"] if "top_k" in found else []
    if thinking:
        names += ["temperature"] if found.get("temperature", 1) != 1 else []
        names += ["top_p"] if found.get("top_p", 1) < TOP_P_MIN_THINKING else []
    if not caps.temperature_and_top_p and {"temperature", "top_p"} <= found.keys() - set(names):
        names.append("temperature" if thinking else "top_p")  # what is left with thinking is 1, the default
    return names
