"""Parts of an answer as output items for a client of this dialect: pure, the same for whole answers and for streams.

A call takes the form in which the client declared the tool: Codex runs nothing but a custom call for a custom tool, and
finds a namespaced function only with its namespace. What a provider ran itself never becomes a call for the client.

Seals of this dialect's vendor stand bare in their reasoning item; any other is wrapped into an envelope. A seal of a
call travels in a reasoning item before it, one of a text in a reasoning item behind it (a stream has sent the text by
the time the seal comes).
"""

from allgate.core.errors import WireError
from allgate.dialects.openai_responses.annotations import encode_annotations
from allgate.dialects.openai_responses.answer import Answer
from allgate.dialects.openai_responses.item_ids import sendable_id
from allgate.dialects.openai_responses.items_encode import BUILTIN_ITEMS
from allgate.dialects.openai_responses.own import ITEM, MESSAGE, NAME, VENDOR, own
from allgate.dialects.openai_responses.target import sent_call_id
from allgate.dialects.passes.custom_tools import unwrap_input
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.seals import OURS
from allgate.operations.chat.data_url import data_url
from allgate.operations.chat.parts import (
    Hosted,
    Inline,
    Media,
    Opaque,
    Part,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    Url,
)
from allgate.operations.chat.tools import Builtin, Custom
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

_UNSEALED = Seal(origin=OURS, scope="", form="encrypted", value="")
"""Marks reasoning that nobody sealed, so that it is never passed through to OpenAI, which answers 404 to an item that it
neither made nor can decrypt."""


def message(item_id: str, parts: list[Text | Refusal], answer: Answer, status: str) -> JsonObject:
    """A message item with all its content parts."""
    members = object_of(own(parts[0].extra).get(MESSAGE)) if parts and parts[0].extra else {}
    return {
        **members,
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [content_part(part, answer) for part in parts],
    }


def content_part(part: Text | Refusal, answer: Answer) -> JsonObject:
    """A text with its citations, or a refusal."""
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    annotations: list[JsonObject] = []
    if part.annotations:
        annotations, notes = encode_annotations(part)
        answer.notes += notes
    logprobs: Json = part.logprobs if part.logprobs is not None else []
    return {"type": "output_text", "text": part.text, "annotations": annotations, "logprobs": logprobs}


def reasoning(item_id: str, thinking: Thinking, answer: Answer) -> JsonObject:
    """A reasoning item: the model's own words as content, a digest (or, if the client asked for one, a copy) as summary."""
    summary: Json = own(thinking.extra).get("summary", [])
    if thinking.form == "summary":
        segments = thinking.segments or ((thinking.text,) if thinking.text else ())
        summary = [{"type": "summary_text", "text": segment} for segment in segments]
    elif thinking.text and answer.summary_wanted and not summary:
        summary = [{"type": "summary_text", "text": thinking.text}]
    item: JsonObject = {**own(thinking.extra), "id": item_id, "type": "reasoning", "summary": summary}
    if thinking.text and thinking.form != "summary":
        item["content"] = [{"type": "reasoning_text", "text": thinking.text}]
    if thinking.seals:
        item["encrypted_content"] = sealed(thinking.seals[0], answer)
    elif not sendable_id("reasoning", item_id):
        item["encrypted_content"] = answer.asked.seals.wrap(_UNSEALED)
    return item


def carrier(item_id: str, seal: Seal, answer: Answer, *, for_next: bool) -> JsonObject:
    """A reasoning item that says nothing and brings a seal of another item back to us."""
    wrapped = answer.asked.seals.wrap(seal, next_part=for_next)
    return {"id": item_id, "type": "reasoning", "summary": [], "encrypted_content": wrapped}


def sealed(seal: Seal, answer: Answer) -> str:
    """What stands in `encrypted_content`."""
    is_native = seal.origin == VENDOR and seal.form == "encrypted"
    return seal.value if is_native else answer.asked.seals.wrap(seal)


def call_type(call: ToolCall, answer: Answer) -> str:
    """The type of the item that this call becomes."""
    tool, _ = answer.tool_of(call)
    if isinstance(tool, Custom) or (tool is None and call.input_kind == "text"):
        return "custom_tool_call"
    if isinstance(tool, Builtin) and tool.dialect == NAME and tool.kind in BUILTIN_ITEMS:
        return BUILTIN_ITEMS[tool.kind][0]
    if tool is None and call.builtin in BUILTIN_ITEMS and NAME in call.extra:
        return BUILTIN_ITEMS[call.builtin][0]
    return "function_call"


def call(item_id: str, part: ToolCall, answer: Answer, status: str) -> JsonObject:
    """A call for the client, in the form in which it declared the tool."""
    item_type = call_type(part, answer)
    _, namespace = answer.tool_of(part)
    head = {
        **own(part.extra),
        "id": item_id,
        "type": item_type,
        "status": status,
        "call_id": sent_call_id(part.call_id),
    }
    named = {"name": part.name, "namespace": namespace} if namespace else {"name": part.name}
    if item_type == "custom_tool_call":
        text = part.input if part.input_kind == "text" else unwrap_input(part.input)
        return {**head, **named, "input": text}
    if item_type == "function_call":
        return {**head, **named, "arguments": part.input if part.input or status != "completed" else "{}"}
    return {**head, **_builtin_members(item_type, part)}


def _builtin_members(item_type: str, part: ToolCall) -> JsonObject:
    """The one member that says what a built-in is to do; input that is no object is taken for a command."""
    said = _object_in(part.input)
    match item_type:
        case "local_shell_call":
            if said is None:
                said = {"command": [part.input]}
            return {"action": {"type": "exec", "env": {}, **said}}
        case "shell_call":
            return {"action": said if said is not None else {"commands": [part.input]}}
        case "apply_patch_call":
            return {"operation": said if said is not None else {"type": "update_file", "diff": part.input}}
        case "tool_search_call":
            return {"execution": "client", "arguments": said if said is not None else {"query": part.input}}
        case _:
            return said or {}


def _object_in(text: str) -> JsonObject | None:
    try:
        value = json.decode(text or "{}")
    except WireError:
        return None
    return object_of(value) if isinstance(value, dict) else None


def whole(item_type: str, item_id: str, part: Part, status: str) -> JsonObject:
    """An item that is told at once: a hosted call, a picture, an item of this dialect's own."""
    match part:
        case Hosted():
            return hosted(item_type, item_id, part, status)
        case Media():
            return picture(item_id, part, status)
        case Opaque():
            return {"id": item_id, **object_of(part.raw)}
        case _:
            raise AssertionError(f"{type(part).__name__} is told in pieces")


_HOSTED_ITEMS = {
    "web_search": "web_search_call", "web_fetch": "web_search_call", "code_execution": "code_interpreter_call",
    "file_search": "file_search_call", "mcp": "mcp_call", "image_generation": "image_generation_call",
}  # fmt: skip


def whole_type(part: Part) -> str | None:
    """The item type of a part that is told at once; None where this dialect has no item for it."""
    match part:
        case Hosted():
            item = object_of(own(part.extra).get(ITEM))
            return item["type"] if isinstance(item.get("type"), str) else _HOSTED_ITEMS.get(part.tool)
        case Media(kind="image", source=Inline()):
            return "image_generation_call"
        case Opaque(dialect=dialect) if dialect == NAME:
            kind = object_of(part.raw).get("type")
            return kind if isinstance(kind, str) else None
        case _:
            return None


def hosted(item_type: str, item_id: str, part: Hosted, status: str) -> JsonObject:
    """A call that the provider ran; one of this dialect's own as it was."""
    if item := object_of(own(part.extra).get(ITEM)):
        return {**item, "status": status} if status != "completed" else dict(item)
    head: JsonObject = {
        "id": item_id,
        "type": item_type,
        "status": part.status if status == "completed" else status,
    }
    result = part.result
    match part.tool:
        case "web_search":
            hits = result.hits if result else ()
            sources = [{"type": "url", "url": hit.url} for hit in hits]
            queries = list(part.queries) or ([part.input] if part.input else [])
            action = {"type": "search", "query": queries[0] if queries else "", "queries": queries}
            return {**head, "action": {**action, "sources": sources} if sources else action}
        case "web_fetch":
            return {**head, "action": {"type": "open_page", "url": part.input or None}}
        case "code_execution":
            logs = "".join(filter(None, (result.stdout, result.stderr))) if result else ""
            outputs: list[JsonObject] = [{"type": "logs", "logs": logs}] if result else []
            outputs += [
                {"type": "image", "url": _address(media)} for media in (result.media if result else ())
            ]
            return {**head, "code": part.input, "container_id": "", "outputs": outputs}
        case "mcp":
            told = {"output": result.text if result else None, "error": result.error if result else None}
            return {**head, "server_label": "", "name": part.name, "arguments": part.input, **told}
        case "image_generation":
            pictures = [
                media.source for media in (result.media if result else ()) if isinstance(media.source, Inline)
            ]
            return {**head, "result": pictures[0].base64 if pictures else None}
        case _:
            return {**head, "queries": list(part.queries), "results": None}


def _address(media: Media) -> str:
    match media.source:
        case Inline():
            return data_url(media.source)
        case Url(url=url):
            return url
        case _:
            return media.source.ref


def picture(item_id: str, part: Media, status: str) -> JsonObject:
    """A picture that the model gave."""
    source = part.source
    assert isinstance(source, Inline), "whole_type admits inline pictures only"
    form = source.mime.partition("/")[2].partition("+")[0]
    return {
        "status": status,
        **own(part.extra),
        "id": item_id,
        "type": "image_generation_call",
        "output_format": form,
        "result": source.base64,
    }
