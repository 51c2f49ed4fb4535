"""Parts of an assistant's turn, and what its tools gave back, as items of a request's history."""

from allgate.core.errors import WireError
from allgate.dialects.openai_responses.annotations import encode_annotations
from allgate.dialects.openai_responses.content_encode import input_part
from allgate.dialects.openai_responses.item_ids import sendable_id
from allgate.dialects.openai_responses.own import ITEM, MESSAGE, own
from allgate.dialects.openai_responses.seals_decode import CLIENT_DECLARED
from allgate.dialects.openai_responses.target import Target, sent_call_id
from allgate.dialects.passes.custom_tools import wrap_input
from allgate.dialects.passes.lenient import object_of, text_or_none
from allgate.operations.chat.parts import (
    Hosted,
    Inline,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

# built-in → (call item, its member, output item)
BUILTIN_ITEMS: dict[str, tuple[str, str, str]] = {
    "local_shell": ("local_shell_call", "action", "local_shell_call_output"),
    "shell": ("shell_call", "action", "shell_call_output"),
    "apply_patch": ("apply_patch_call", "operation", "apply_patch_call_output"),
    "tool_search": ("tool_search_call", "arguments", "tool_search_output"),
    "computer": ("computer_call", "action", "computer_call_output"),
}


def identified(item_type: str, item_id: str | None, *, with_ids: bool) -> JsonObject:
    """The head of an item: its type, and its id where the target gave it."""
    return {"type": item_type, **(sendable_id(item_type, item_id) if with_ids else {})}


def message_item(
    parts: list[Text | Refusal], target: Target, phase: str | None, *, with_ids: bool
) -> JsonObject:
    """One message of the assistant.

    One that this dialect wrote keeps its parts; of another dialect's only the text counts, as one string: its pieces
    are pieces of one answer, and a typed message needs an id of the target's own.
    """
    members = object_of(own(parts[0].extra).get(MESSAGE))
    phased = {"phase": "commentary" if phase == "commentary" else "final_answer"} if phase else {}
    kept = {key: value for key, value in members.items() if key not in ("type", "id")}
    message_id = text_or_none(members.get("id"))
    head = identified("message", message_id, with_ids=with_ids)
    first = parts[0]
    if not members or (
        len(parts) == 1 and "id" not in head and isinstance(first, Text) and not first.annotations
    ):
        text = "".join(part.text for part in parts)
        return {**head, **phased, **kept, "role": "assistant", "content": text}
    return {
        **head,
        **phased,
        **kept,
        "role": "assistant",
        "content": [_spoken(part, target) for part in parts],
    }


def _spoken(part: Text | Refusal, target: Target) -> JsonObject:
    kept = {key: value for key, value in own(part.extra).items() if key != MESSAGE}
    if isinstance(part, Refusal):
        return {**kept, "type": "refusal", "refusal": part.text}
    annotations, notes = encode_annotations(part)
    target.notes += notes
    logprobs = {"logprobs": part.logprobs} if part.logprobs is not None else {}
    return {**kept, "type": "output_text", "text": part.text, "annotations": annotations, **logprobs}


def readable_seal(thinking: Thinking, target: Target) -> Seal | None:
    """The seal that the target can open: its own vendor's, of its own trust domain or sent bare by the client."""
    caps = target.caps
    scopes = (caps.seal_scope, CLIENT_DECLARED)
    fitting = (seal for seal in thinking.seals if seal.form == "encrypted" and seal.scope in scopes)
    return next((seal for seal in fitting if seal.origin == caps.seal_origin), None)


def reasoning_item(thinking: Thinking, target: Target, *, current: bool) -> JsonObject | None:
    """A reasoning item to replay; None where the target could not read it.

    Without a seal it is worth sending only to servers that want the text back (`Caps.reasoning_replay`; `current`: in
    the turn that is still going on), and to one that keeps its responses and knows the item by its id.
    """
    seal = readable_seal(thinking, target)
    wants_text = target.caps.reasoning_replay == "all" or (
        target.caps.reasoning_replay == "last_turn" and current
    )
    kept_there = target.own and target.caps.store and target.request.state.store is not False
    if (
        seal is None
        and not (wants_text and thinking.text)
        and not (kept_there and sendable_id("reasoning", thinking.id))
    ):
        return None
    kept = dict(own(thinking.extra))
    summary: Json = kept.pop("summary", [])
    content: list[Json] = []
    if thinking.form == "summary":
        segments = thinking.segments or (thinking.text,)
        summary = [{"type": "summary_text", "text": segment} for segment in segments]
    elif thinking.text:
        content = [{"type": "reasoning_text", "text": thinking.text}]
    if wants_text and seal is None and not content:
        content = [{"type": "reasoning_text", "text": thinking.text}]
    return {
        **identified("reasoning", thinking.id, with_ids=target.own),
        **kept,
        "summary": summary,
        **({"content": content} if content else {}),
        **({"encrypted_content": seal.value} if seal else {}),
    }


def call_item(call: ToolCall, target: Target, *, with_ids: bool) -> JsonObject:
    """A call of a tool that the client runs, in the form in which the target was offered that tool."""
    call_id, kept = {"call_id": sent_call_id(call.call_id)}, own(call.extra)
    if call.builtin in BUILTIN_ITEMS and target.own and target.native:
        return _builtin_call(call, call_id, with_ids=with_ids)
    named = target.named(call.name, call.namespace)
    if call.input_kind == "text" and target.caps.custom_tools:
        head = identified("custom_tool_call", call.id, with_ids=with_ids)
        return {**kept, **head, **call_id, **named, "input": call.input}
    arguments = wrap_input(call.input) if call.input_kind == "text" else call.input or "{}"
    item_id = call.id if call.input_kind == "json" and not call.builtin else None
    head = identified("function_call", item_id, with_ids=with_ids)
    return {**kept, **head, **call_id, **named, "arguments": arguments}


def _builtin_call(call: ToolCall, call_id: JsonObject, *, with_ids: bool) -> JsonObject:
    item_type, member, _ = BUILTIN_ITEMS[call.builtin or ""]
    said = read_json(call.input)
    members = object_of(said) if call.builtin == "computer" else {member: said}
    return {**own(call.extra), **identified(item_type, call.id, with_ids=with_ids), **call_id, **members}


def read_json(text: str) -> Json:
    """The value of a call's input; the text itself where it is no JSON."""
    try:
        return json.decode(text or "{}")
    except WireError:
        return text


def hosted_item(call: Hosted, target: Target) -> JsonObject | None:
    """A call that the provider ran, as it wrote it; None where this target did not write it or does not run it."""
    item = object_of(own(call.extra).get(ITEM))
    runs = call.tool in target.caps.hosted or (
        call.tool == "web_fetch" and "web_search" in target.caps.hosted
    )
    return dict(item) if item and (runs or (target.native and call.tool == "tool_search")) else None


def picture_item(picture: Media, target: Target) -> JsonObject | None:
    """A picture that this dialect's image tool made; None for any other."""
    item, source = own(picture.extra), picture.source
    if not (target.own and picture.id and isinstance(source, Inline)):
        return None
    if "image_generation" not in target.caps.hosted:
        return None
    return {
        **item,
        "type": "image_generation_call",
        "id": picture.id,
        "result": source.base64,
        "output_format": source.mime.partition("/")[2].partition("+")[0],
        "status": item.get("status", "completed"),
    }


def output_item(result: ToolResult, target: Target, *, custom: bool) -> JsonObject:
    """What a tool gave back. `custom`: its call was sent as a custom call."""
    call_id = {"call_id": sent_call_id(result.call_id)}
    kept = dict(own(result.extra))
    if result.builtin in BUILTIN_ITEMS and target.own and target.native:
        return _builtin_output(result, kept, call_id, target)
    for member in ("output", "tools", "execution"):
        kept.pop(member, None)
    item_type = "custom_tool_call_output" if custom else "function_call_output"
    head = {**kept, **identified(item_type, result.id, with_ids=target.own), **call_id}
    if result.is_error:
        target.convert("is_error", "this dialect has no mark for a failed tool call, the text stays")
    return {**head, "output": _output(result, target)}


def _output(result: ToolResult, target: Target) -> Json:
    """One text as a string, anything richer as a list of parts."""
    if result.structured is not None and not result.parts:
        return json.encode_text(result.structured)
    if len(result.parts) == 1 and isinstance(result.parts[0], Text) and not result.parts[0].cache:
        return result.parts[0].text
    parts = [item for part in result.parts if (item := input_part(part, target)) is not None]
    return parts or ""


def _builtin_output(result: ToolResult, kept: JsonObject, call_id: JsonObject, target: Target) -> JsonObject:
    _, _, item_type = BUILTIN_ITEMS[result.builtin or ""]
    head = {**kept, **identified(item_type, result.id, with_ids=True), **call_id}
    if result.builtin == "computer":
        picture = next((part for part in result.parts if isinstance(part, Media)), None)
        wire = input_part(picture, target) if picture else None
        screenshot = {key: value for key, value in (wire or {}).items() if key not in ("type", "detail")}
        return {**head, "output": {"type": "computer_screenshot", **screenshot}}
    if "output" in kept or "tools" in kept:
        return head
    if result.builtin == "local_shell":  # its id is that of the call
        head = {"id": result.call_id, **head}
    return {**head, "output": "\n".join(part.text for part in result.parts if isinstance(part, Text))}
