"""Calls that the provider ran itself: two blocks on the wire, one `Hosted` part here.

`server_tool_use` (or `mcp_tool_use`) and its `*_tool_result` are joined by id, however many parts stand between them:
a code execution encloses the calls it makes. The result block is kept raw, so the same dialect gets it back as it was.
Members with a leading underscore are notes of this codec inside `extra`, never sent:

    _enclosed      how many parts stand between the call and its result
    _result_only   the call itself is in an earlier message (a paused turn that went on)

A call of another provider is shown to clients under an id of our own (`hosted_shown`), by which it is known when it
comes back; it is then never sent to the vendor as its own.
Facts: anthropic 2.11 types `*_tool_result_block`; recordings of search, fetch, code execution, tool search and MCP.
"""

from collections.abc import Callable

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.anthropic.content import texts_in
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.passes.lenient import count_of, object_of, objects_of, text_of, text_or_none
from allgate.operations.chat.parts import Hosted, HostedKind, HostedResult, Part, Seal, SearchHit
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

USES = frozenset({"server_tool_use", "mcp_tool_use"})
RESULT_SUFFIX = "_tool_result"
FOREIGN_ID = "srvtoolu_allgate_"

_KINDS: dict[str, HostedKind] = {
    "web_search": "web_search",
    "web_fetch": "web_fetch",
    "code_execution": "code_execution",
    "bash_code_execution": "code_execution",
    "text_editor_code_execution": "code_execution",
    "tool_search": "tool_search",
    "tool_search_tool_regex": "tool_search",
    "tool_search_tool_bm25": "tool_search",
    "mcp": "mcp",
}
_USE_MEMBERS = frozenset({"type", "id", "name", "input", "cache_control"})


def is_use(kind: str) -> bool:
    return kind in USES


def is_result(kind: str) -> bool:
    """`tool_result` itself is a client's answer, not a provider's."""
    return kind.endswith(RESULT_SUFFIX)


def use_part(block: JsonObject, input_text: str | None = None) -> Hosted:
    """The call, without a result yet. `input_text` is its input where a stream brought it as text."""
    name = text_of(block.get("name"))
    tool: HostedKind = "mcp" if block.get("type") == "mcp_tool_use" else _KINDS.get(name, "other")
    text = json.encode_text(block.get("input") or {}) if input_text is None else input_text
    members = {key: value for key, value in block.items() if key not in _USE_MEMBERS}
    return Hosted(
        call_id=text_of(block.get("id")),
        tool=tool,
        name=name,
        input=text,
        queries=_queries(text) if tool == "web_search" else (),
        status="in_progress",
        extra={DIALECT: members},
    )


def _queries(input_text: str) -> tuple[str, ...]:
    try:
        query = object_of(json.decode_lenient(input_text)).get("query")
    except WireError:
        return ()
    return (query,) if isinstance(query, str) else ()


def joined(use: Hosted, result: HostedResult, enclosed: int = 0) -> Hosted:
    """The call with its result; `enclosed` parts stood between them."""
    members = dict(use.extra.get(DIALECT, {}))
    if enclosed:
        members["_enclosed"] = enclosed
    status = "failed" if result.error is not None else "completed"
    return changed(use, result=result, status=status, extra={**use.extra, DIALECT: members})


def result_part(block: JsonObject, result: HostedResult) -> Hosted:
    """A result whose call is in an earlier message."""
    name = text_of(block.get("type")).removesuffix(RESULT_SUFFIX)
    return Hosted(
        call_id=text_of(block.get("tool_use_id")),
        tool=_KINDS.get(name, "other"),
        name=name,
        status="failed" if result.error is not None else "completed",
        result=result,
        extra={DIALECT: {"_result_only": True}},
    )


def result_of(block: JsonObject, origin: str, scope: str) -> HostedResult:
    """The outcome in a `*_tool_result` block."""
    raw = {key: value for key, value in block.items() if key != "cache_control"}
    content: Json = block.get("content")
    inner = object_of(content)
    if (error := _error_of(block, inner, content)) is not None:
        return HostedResult(error=error, raw=raw, raw_dialect=DIALECT)
    kind = text_of(block.get("type")).removesuffix(RESULT_SUFFIX)
    result = HostedResult(raw=raw, raw_dialect=DIALECT)
    match _KINDS.get(kind, "other"):
        case "web_search":
            return changed(result, hits=tuple(_hit(hit, origin, scope) for hit in objects_of(content)))
        case "web_fetch":
            return changed(result, hits=(_page(inner),))
        case "code_execution":
            return changed(
                result,
                stdout=text_or_none(inner.get("stdout")),
                stderr=text_or_none(inner.get("stderr")),
                exit_code=count_of(inner.get("return_code")),
                text=text_or_none(inner.get("content")),
            )
        case "tool_search":
            names = [text_of(tool.get("tool_name")) for tool in objects_of(inner.get("tool_references"))]
            return changed(result, text=", ".join(names))
        case _:
            return changed(result, text=texts_in(content))


def _error_of(block: JsonObject, inner: JsonObject, content: Json) -> str | None:
    if block.get("is_error") is True:
        return texts_in(content) or "error"
    if "error_code" in inner:
        return text_of(inner["error_code"]) or "error"
    return None


def _hit(hit: JsonObject, origin: str, scope: str) -> SearchHit:
    secret = text_of(hit.get("encrypted_content"))
    return SearchHit(
        url=text_of(hit.get("url")),
        title=text_or_none(hit.get("title")),
        age=text_or_none(hit.get("page_age")),
        seal=Seal(origin=origin, scope=scope, form="encrypted", value=secret) if secret else None,
    )


def _page(inner: JsonObject) -> SearchHit:
    document = object_of(inner.get("content"))
    return SearchHit(
        url=text_of(inner.get("url")),
        title=text_or_none(document.get("title")),
        age=text_or_none(inner.get("retrieved_at")),
        snippet=text_or_none(object_of(document.get("source")).get("data")),
    )


def is_own(part: Hosted) -> bool:
    """Written by this vendor's dialect, and not by us for another provider's call."""
    raw = part.result is None or part.result.raw_dialect == DIALECT
    return raw and DIALECT in part.extra and not part.call_id.startswith(FOREIGN_ID)


def own_use(part: Hosted) -> JsonObject | None:
    """The call block of a part of this dialect; None where it is in an earlier message."""
    members = part.extra.get(DIALECT, {})
    if members.get("_result_only"):
        return None
    wire = {key: value for key, value in members.items() if not key.startswith("_")}
    kind = "mcp_tool_use" if part.tool == "mcp" else "server_tool_use"
    return {**wire, "type": kind, "id": part.call_id, "name": part.name, "input": input_of(part)}


def own_result(part: Hosted) -> JsonObject | None:
    """The result block of a part of this dialect; None while there is none."""
    return None if part.result is None else dict(object_of(part.result.raw))


def enclosed(part: Hosted) -> int:
    """How many parts belong between the two blocks."""
    return count_of(part.extra.get(DIALECT, {}).get("_enclosed")) or 0


def placed(
    parts: tuple[Part, ...],
    blocks_of: Callable[[Part], list[JsonObject]],
    result_block: Callable[[Hosted], JsonObject | None],
) -> list[JsonObject]:
    """The blocks of all parts; the result of a provider-run call behind the parts that stood before it."""
    found: list[JsonObject] = []
    due: list[tuple[int, JsonObject]] = []  # (behind which part, result block)
    for place, part in enumerate(parts):
        found += blocks_of(part)
        if isinstance(part, Hosted) and (result := result_block(part)):
            due.append((place + enclosed(part), result))
        if due:
            found += [block for behind, block in reversed(due) if behind <= place]
            due = [(behind, block) for behind, block in due if behind > place]
    found += [block for _, block in reversed(due)] if due else ()
    return found


def input_of(part: Hosted) -> JsonObject:
    try:
        return object_of(json.decode_lenient(part.input or "{}"))
    except WireError:
        return {"_raw": part.input}
