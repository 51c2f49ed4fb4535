"""The order of input items: calls and their outputs, reasoning and what it led to. Raises `Rejected` only."""

from allgate.simulator.exchange import Rejected
from allgate.wire.json import Json

# item → the item that answers it
ANSWERS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "local_shell_call": "local_shell_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "computer_call": "computer_call_output",
}

# What reasoning may lead to.
_LED_TO = frozenset(ANSWERS) | {
    "message", "reasoning", "web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call",
    "mcp_call", "mcp_list_tools", "tool_search_call", "program",
}  # fmt: skip


def check_order(found: list[Json], kinds: list[str], *, continued: bool) -> None:
    """Every call is answered, every answer has its call, all reasoning led somewhere.

    `continued`: the call may be in a stored response. Raises: Rejected.
    """
    open_calls: dict[tuple[str, str], None] = {}
    for item, kind in zip(found, kinds, strict=True):
        call = (ANSWERS.get(kind, kind), str(item.get("call_id")))
        if kind in ANSWERS:
            open_calls[call] = None
        elif kind in ANSWERS.values():
            if call not in open_calls and not continued:
                told = f"No tool call found for {_noun(kind)} output with call_id {call[1]}."
                raise Rejected(told, param="input")
            open_calls.pop(call, None)
    if open_calls:
        kind, call_id = next(iter(open_calls))
        raise Rejected(f"No tool output found for {_noun(kind)} {call_id}.", param="input")
    _check_reasoning(found, kinds)


def _noun(answer: str) -> str:
    """What OpenAI calls the call that this kind of item answers."""
    return answer.removesuffix("_output").replace("_", " ")


def _check_reasoning(found: list[Json], kinds: list[str]) -> None:
    for place, kind in enumerate(kinds):
        after = kinds[place + 1] if place + 1 < len(kinds) else None
        led = after in _LED_TO and not (after == "message" and found[place + 1].get("role") != "assistant")
        if kind == "reasoning" and not led:
            raise Rejected(
                f"Item '{found[place].get('id')}' of type 'reasoning' was provided without its required following item.",
                param="input",
            )
