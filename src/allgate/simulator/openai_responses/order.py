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
    open_calls: dict[tuple[str, str], None] = {}
    for item, kind in zip(found, kinds, strict=True):
        if kind in ANSWERS:
            open_calls[ANSWERS[kind], str(item.get("call_id"))] = None
        elif kind in ANSWERS.values():
            call = (kind, str(item.get("call_id")))
            if call not in open_calls and not continued:
                noun = (
                    "custom tool call"
                    if kind.startswith("custom")
                    else kind.removesuffix("_output").replace("_", " ")
                )
                raise Rejected(f"No tool call found for {noun} output with call_id {call[1]}.", param="input")
            open_calls.pop(call, None)
    if open_calls:
        kind, call_id = next(iter(open_calls))
        noun = (
            "custom tool call"
            if kind.startswith("custom")
            else kind.removesuffix("_output").replace("_", " ")
        )
        raise Rejected(f"No tool output found for {noun} {call_id}.", param="input")
    for place, kind in enumerate(kinds):
        after = kinds[place + 1] if place + 1 < len(kinds) else None
        led = after in _LED_TO and not (after == "message" and found[place + 1].get("role") != "assistant")
        if kind == "reasoning" and not led:
            raise Rejected(
                f"Item '{found[place].get('id')}' of type 'reasoning' was provided without its required following item.",
                param="input",
            )
