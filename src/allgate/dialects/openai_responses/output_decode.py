"""One item of a provider's answer as parts: messages, reasoning with its seal, calls under the client's own names."""

from allgate.core.ids import call_id_from
from allgate.core.value import changed
from allgate.dialects.openai_responses.annotations import decode_annotations
from allgate.dialects.openai_responses.items_decode import decode_item
from allgate.dialects.openai_responses.own import MESSAGE, NAME, VENDOR
from allgate.dialects.openai_responses.seals_decode import native
from allgate.dialects.openai_responses.target import Target
from allgate.dialects.passes.custom_tools import unwrap_input
from allgate.dialects.passes.lenient import list_of, text_of, text_or_none
from allgate.operations.chat.parts import Extra, Part, Refusal, Text, ToolCall
from allgate.wire.json import Json, JsonObject

_MESSAGE = frozenset({"type", "id", "role", "content", "status"})


def decode_output(item: JsonObject, target: Target) -> tuple[Part, ...]:
    """The parts of one output item; `target` is the request that it answers."""
    if item.get("type") == "message":
        return _message(item)
    part = decode_item(without_completed(item))
    if isinstance(part, ToolCall):
        return (as_declared(part, target),)
    sealed = item.get("encrypted_content")
    if item.get("type") == "reasoning" and isinstance(sealed, str) and sealed:
        caps = target.caps
        part = changed(part, seals=(native(sealed, caps.seal_scope, caps.seal_origin or VENDOR),))
    return (part,)


def without_completed(item: JsonObject) -> JsonObject:
    """`item` without `status: completed`, which says nothing in an answer that is complete."""
    if item.get("status") == "completed" and item.get("type") in (
        "reasoning",
        "function_call",
        "custom_tool_call",
    ):
        return {key: value for key, value in item.items() if key != "status"}
    return item


def _message(item: JsonObject) -> tuple[Part, ...]:
    content: Json = item.get("content")
    if isinstance(content, str):
        content = [{"type": "output_text", "text": content}]
    item_id, extra = text_or_none(item.get("id")), message_extra(item)
    parts: list[Part] = []
    for part in content if list is type(content) else ():
        if dict is type(part):
            parts.append(content_part(part, item_id, extra))
            extra = {}
    return tuple(parts)


def message_extra(item: JsonObject) -> Extra:
    """What the first part of a message item keeps of it (`phase`)."""
    if _MESSAGE.issuperset(item):
        return {}
    members = {key: value for key, value in item.items() if key not in _MESSAGE and value is not None}
    return {NAME: {MESSAGE: members}} if members else {}


def content_part(part: JsonObject, item_id: str | None, extra: Extra) -> Text | Refusal:
    """A content part of a message of the answer."""
    if part.get("type") == "refusal":
        return Refusal(text=text_of(part.get("refusal")), id=item_id, extra=extra)
    annotations, logprobs = part.get("annotations"), part.get("logprobs")
    return Text(
        text=text_of(part.get("text")),
        annotations=decode_annotations(annotations) if annotations else (),
        logprobs=list_of(logprobs) or None if logprobs else None,
        id=item_id,
        extra=extra,
    )


def as_declared(call: ToolCall, target: Target) -> ToolCall:
    """The call under the name and in the form in which the client declared the tool."""
    call_id = call.call_id or call.id or call_id_from(call.name, call.input)
    if call.builtin:
        return changed(call, call_id=call_id)
    name, namespace = target.received(call.name, call.namespace)
    text, kind = call.input, call.input_kind
    if kind == "json" and text and target.is_custom(name, namespace):
        text = unwrap_input(text)
    if target.is_custom(name, namespace):
        kind = "text"
    builtin = target.builtin_of(name) if kind == "json" else None
    return changed(
        call, call_id=call_id, name=name, namespace=namespace, input=text, input_kind=kind, builtin=builtin
    )
