"""A call that another provider ran, shown to a client in this dialect's shape: search, fetch, code and MCP have one.

A hit without a seal of this vendor has an empty `encrypted_content`; one with a foreign seal carries it in an envelope.
Whatever happens, such a call is never a tool_use: the client would try to run it.
"""

import re

from allgate.dialects.anthropic.hosted import FOREIGN_ID, RESULT_SUFFIX, input_of
from allgate.dialects.anthropic.seal_slots import slot_text
from allgate.dialects.passes.lenient import text_of
from allgate.dialects.seals import SealBox
from allgate.operations.chat.parts import Hosted, HostedResult
from allgate.wire.json import Json, JsonObject

_ID_FOREIGN_CHARACTERS = re.compile(r"[^A-Za-z0-9_]")


def shown(part: Hosted, box: SealBox) -> list[JsonObject]:
    """The blocks that tell another provider's call to a client of this dialect; none where it has no shape for it."""
    call_id = FOREIGN_ID + _ID_FOREIGN_CHARACTERS.sub("_", part.call_id)
    match part.tool:
        case "web_search":
            given = {"query": part.queries[0]} if part.queries else input_of(part)
            return _pair("web_search", call_id, given, _hits_shown(part, box))
        case "web_fetch":
            return _pair("web_fetch", call_id, input_of(part), _page_shown(part))
        case "code_execution":
            return _pair("code_execution", call_id, input_of(part), _code_shown(part))
        case "mcp":
            return _mcp_shown(part, call_id)
        case _:
            return []


def _pair(name: str, call_id: str, given: JsonObject, content: Json) -> list[JsonObject]:
    return [
        {"type": "server_tool_use", "id": call_id, "name": name, "input": given},
        {"type": name + RESULT_SUFFIX, "tool_use_id": call_id, "content": content},
    ]


def _failed(name: str) -> JsonObject:
    return {"type": f"{name}_tool_result_error", "error_code": "unavailable"}


def _hits_shown(part: Hosted, box: SealBox) -> Json:
    if part.result is None or part.result.error is not None:
        return [] if part.result is None else _failed("web_search")
    return [
        {
            "type": "web_search_result",
            "url": hit.url,
            "title": hit.title or hit.url,
            "encrypted_content": "" if hit.seal is None else slot_text(hit.seal, box),
            "page_age": hit.age,
        }
        for hit in part.result.hits
    ]


def _page_shown(part: Hosted) -> JsonObject:
    if part.result is None or part.result.error is not None or not part.result.hits:
        return _failed("web_fetch")
    page = part.result.hits[0]
    source = {"type": "text", "media_type": "text/plain", "data": page.snippet or part.result.text or ""}
    document = {"type": "document", "title": page.title, "source": source}
    return {"type": "web_fetch_result", "url": page.url, "content": document, "retrieved_at": page.age}


def _code_shown(part: Hosted) -> JsonObject:
    result = part.result
    if result is None or result.error is not None:
        return _failed("code_execution")
    return {
        "type": "code_execution_result",
        "stdout": result.stdout or result.text or "",
        "stderr": result.stderr or "",
        "return_code": result.exit_code or 0,
        "content": [],
    }


def _mcp_shown(part: Hosted, call_id: str) -> list[JsonObject]:
    result = part.result or HostedResult()
    server = text_of(part.extra.get("openai_responses", {}).get("server_label")) or "mcp"
    text = result.error or result.text or ""
    return [
        {"type": "mcp_tool_use", "id": call_id, "name": part.name, "server_name": server, "input": input_of(part)},
        {
            "type": "mcp_tool_result", "tool_use_id": call_id, "is_error": result.error is not None,
            "content": [{"type": "text", "text": text}] if text else [],
        },
    ]  # fmt: skip
