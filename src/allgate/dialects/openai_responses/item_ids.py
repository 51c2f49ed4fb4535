"""Ids of output items.

An id that a provider gave is kept: OpenAI binds encrypted reasoning to the id of its item. Where there is none, one
is made of the response's id and the item's place, so that it is unique, the same on every retry of the encoder, and
known again as ours: a provider is never sent an id that it did not give itself.
"""

from allgate.wire.json import JsonObject

_OURS = "ag"  # never the start of a vendor's id: those are hex digits behind the underscore
PREFIXES: dict[str, str] = {
    "message": "msg", "reasoning": "rs", "function_call": "fc", "function_call_output": "fco",
    "custom_tool_call": "ctc", "custom_tool_call_output": "ctco", "web_search_call": "ws", "file_search_call": "fs",
    "code_interpreter_call": "ci", "image_generation_call": "ig", "mcp_call": "mcp", "mcp_list_tools": "mcpl",
    "local_shell_call": "lsh", "shell_call": "sh", "shell_call_output": "sho", "apply_patch_call": "apc",
    "apply_patch_call_output": "apco", "computer_call": "cu", "computer_call_output": "cuo",
    "tool_search_call": "tsc", "tool_search_output": "tso", "compaction": "cmp",
}  # fmt: skip

_CHECKED = frozenset({"message", "reasoning", "function_call", "custom_tool_call"})
"""Item types whose id OpenAI refuses with 400 unless it begins with the prefix ("Expected an ID that begins with 'rs'")."""


def made_id(item_type: str, response_id: str, place: int) -> str:
    """The id of the `place`-th output item of a response of ours.

    >>> made_id("message", "resp_01jd", 0)
    'msg_ag01jd0'
    """
    tail = response_id.partition("_")[2] or response_id
    return f"{PREFIXES.get(item_type, 'item')}_{_OURS}{tail}{place:x}"


def sendable_id(item_type: str, item_id: str | None) -> JsonObject:
    """`{"id": …}` where a provider may be sent this id, else nothing."""
    if not item_id:
        return {}
    prefix = PREFIXES.get(item_type, "item")
    if item_id.startswith(f"{prefix}_{_OURS}"):
        return {}
    if item_type in _CHECKED and not item_id.startswith(f"{prefix}_"):
        return {}
    return {"id": item_id}
