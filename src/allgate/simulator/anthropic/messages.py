"""The messages of a Messages request: each block where it may stand, and thinking that is still ours.

A thinking block, redacted or not, and a search result come back as they were signed, or not at all.
"""

from allgate.core.value import Value
from allgate.simulator import signing, tokens
from allgate.simulator.anthropic.blocks import array, check_block, extra, mapping, missing
from allgate.simulator.anthropic.models import Claude
from allgate.simulator.anthropic.order import Turns, check_order
from allgate.simulator.exchange import Rejected
from allgate.simulator.reading import items, part, word
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

MARKS_MAX = 4
"""Blocks with `cache_control` in one request."""

USER = ("text", "image", "document", "search_result", "tool_result", "container_upload")
RESULT = ("text", "image", "document", "search_result", "tool_reference")
SYSTEM = ("text", "tool_addition", "tool_removal", "mcp_tool_listing")

ASSISTANT = (
    "text", "document", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result",
    "web_fetch_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result", "compaction",
    "text_editor_code_execution_tool_result", "tool_search_tool_result", "mcp_tool_use", "mcp_tool_result", "fallback",
)  # fmt: skip

_ALLOWED = {"user": USER, "assistant": ASSISTANT, "system": SYSTEM}
THINKING_KIND = "anthropic/thinking"
REDACTED_KIND = "anthropic/redacted"
SEARCH_KIND = "anthropic/search"


class Talk(Value, frozen=True, kw_only=True):
    """The last user text, the tool results that came with or after it, what the messages cost, and thinking as signed."""

    prompt: str
    results: tuple[str, ...]
    input_tokens: int
    seals: int


def read_messages(
    body: JsonObject, claude: Claude, secret: bytes, *, version: str, betas: tuple[str, ...]
) -> Talk:
    """The conversation. Raises: Rejected."""
    if "messages" not in body:
        raise missing("messages")
    messages = array(body["messages"], "messages")
    if not messages:
        raise Rejected("messages: at least one message is required")
    turns = [_turn(message, place, claude, betas) for place, message in enumerate(messages)]
    for place, (role, blocks) in enumerate(turns):
        for number, block in enumerate(blocks):
            path = f"messages.{place}.content.{number}"
            _check_placed(block, path, role, claude, secret, version)
    check_order(turns, body, claude)
    return _talk(turns, claude)


def check_cache_marks(body: JsonObject) -> None:
    """At most four marks, and no longer one after a shorter one. Raises: Rejected."""
    blocks = [*items(body, "tools"), *items(body, "system")]
    for message in items(body, "messages"):
        for block in items(message, "content"):
            blocks += [block, *items(block, "content")]
    marks = [part(block, "cache_control") for block in blocks if part(block, "cache_control")]
    marks += [part(body, "cache_control")] if part(body, "cache_control") else []
    if len(marks) > MARKS_MAX:
        raise Rejected(
            f"A maximum of {MARKS_MAX} blocks with cache_control may be provided. Found {len(marks)}."
        )
    ttls = [mark.get("ttl") or "5m" for mark in marks]
    if "5m" in ttls and "1h" in ttls[ttls.index("5m") :]:
        raise Rejected("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.")


def _turn(message: Json, place: int, claude: Claude, betas: tuple[str, ...]) -> tuple[str, list[JsonObject]]:
    """Role and blocks of a message; a string is one text block."""
    path = f"messages.{place}"
    found = mapping(message, path)
    for name in ("role", "content"):
        if name not in found:
            raise missing(f"{path}.{name}")
    role = word(found, "role") or ""
    if role == "system" and not claude.system_turns:
        raise Rejected(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not '
            '"system" as an input message role.'
        )
    if role not in _ALLOWED:
        raise Rejected(f"{path}.role: Input should be 'user' or 'assistant'")
    for name in found:
        steered = name == "output_config" and any(beta.startswith("per-turn-control-") for beta in betas)
        if name not in ("role", "content") and not steered:
            raise extra(f"{path}.{name}")
    content: Json = found["content"]
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    return role, array(content, f"{path}.content")


def _check_placed(block: Json, path: str, role: str, claude: Claude, secret: bytes, version: str) -> None:
    """A block in its message: its own shape, and what depends on role, version and secret."""
    found = check_block(block, path, _ALLOWED[role], signed=claude.signed)
    match found["type"]:
        case "document" if role == "assistant" and version == "2026-10-21":
            raise Rejected(f"{path}: `document` blocks are not permitted in assistant messages")
        case "text" if role == "user" and version == "2026-10-21" and found.get("citations"):
            raise extra(f"{path}.text.citations")
        case "thinking" if claude.signed:
            if not signing.verified(secret, THINKING_KIND, found["thinking"], found["signature"]):
                raise Rejected(f"{path}: Invalid `signature` in `thinking` block")
        case "redacted_thinking" if signing.opened(secret, REDACTED_KIND, found["data"]) is None:
            raise Rejected(f"{path}: Invalid `data` in `redacted_thinking` block")
        case "web_search_tool_result":
            for place, hit in enumerate(items(found, "content")):
                sealed = str(hit.get("encrypted_content"))
                if signing.opened(secret, SEARCH_KIND, sealed) is None:
                    raise Rejected(
                        f"{path}.web_search_tool_result.content.{place}: Invalid `encrypted_content` in "
                        "`web_search_result` block"
                    )
        case "tool_result":
            content: Json = found.get("content")
            if content is not None and not isinstance(content, str):
                for place, inner in enumerate(array(content, f"{path}.tool_result.content")):
                    check_block(inner, f"{path}.tool_result.content.{place}", RESULT)
        case _:
            pass


def _talk(turns: Turns, claude: Claude) -> Talk:
    prompt, cost = "", 0
    kinds = [block["type"] for _, blocks in turns for block in blocks]
    seals = kinds.count("redacted_thinking") + (kinds.count("thinking") if claude.signed else 0)
    results: list[str] = []
    for role, blocks in turns:
        cost += tokens.MESSAGE_TOKENS + sum(_cost(block) for block in blocks)
        if role != "user":
            continue
        texts = [block["text"] for block in blocks if block["type"] == "text"]
        prompt = "\n".join(texts) or prompt
        results = [_result_text(block) for block in blocks if block["type"] == "tool_result"]
    return Talk(prompt=prompt, results=tuple(results), input_tokens=cost, seals=seals)


def _result_text(block: JsonObject) -> str:
    content: Json = block.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(inner["text"] for inner in items(block, "content") if inner["type"] == "text")


def _cost(block: JsonObject) -> int:
    match block["type"]:
        case "text":
            return tokens.count(block["text"])
        case "thinking" | "redacted_thinking":
            return 0  # earlier thinking is not counted as input
        case "tool_use":
            return tokens.count(block["name"]) + tokens.count(json.encode_text(block["input"]))
        case "tool_result":
            media = sum(inner["type"] != "text" for inner in items(block, "content"))
            return tokens.count(_result_text(block)) + media * tokens.MEDIA_TOKENS
        case "image" | "document":
            return tokens.MEDIA_TOKENS
        case _:
            return tokens.count(json.encode_text(block))
