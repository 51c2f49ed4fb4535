"""One item of a conversation, other than a message or a tool's output, as one part: the same in a request's history and
in a response.

Reading is lenient (a request's required members were checked before). What the vocabulary has no word for is kept: a
hosted call keeps its whole item, and an item of an unknown type is an Opaque, so that this dialect can send both back.
"""

from collections.abc import Callable
from typing import Literal

from allgate.dialects.openai_responses.own import ITEM, NAME, rest
from allgate.dialects.openai_responses.tools_decode import builtin_kind
from allgate.dialects.passes.lenient import object_of, objects_of, text_of, text_or_none, texts_of
from allgate.operations.chat.data_url import inline_of
from allgate.operations.chat.parts import (
    Hosted,
    HostedKind,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Part,
    SearchHit,
    Thinking,
    ToolCall,
    Url,
)
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

_CALL = frozenset({"type", "id", "call_id", "name", "namespace", "arguments"})
_CUSTOM = frozenset({"type", "id", "call_id", "name", "namespace", "input"})
_REASONING = frozenset({"type", "id", "summary", "content", "encrypted_content"})
_IMAGE = frozenset({"type", "id", "result", "output_format"})

HostedStatus = Literal["in_progress", "completed", "failed", "incomplete"]
_HOSTED_STATUS: dict[str, HostedStatus] = {
    "in_progress": "in_progress", "searching": "in_progress", "interpreting": "in_progress", "calling": "in_progress",
    "generating": "in_progress", "failed": "failed", "incomplete": "incomplete",
}  # fmt: skip

IMAGE_FORMAT = "png"  # what an image_generation_call is in unless it says so


def decode_item(item: JsonObject) -> Part:
    """The part that an item is. Seals of reasoning items are read by `seals_decode`."""
    decode = _DECODERS.get(text_of(item.get("type")))
    return decode(item) if decode else _opaque(item)


def _opaque(item: JsonObject) -> Opaque:
    return Opaque(dialect=NAME, raw=item, id=text_or_none(item.get("id")))


def _reasoning(item: JsonObject) -> Thinking:
    """The model's own words count as its thinking; a digest beside them is kept for this dialect."""
    raw = "".join(text_of(part.get("text")) for part in objects_of(item.get("content")))
    segments = tuple(text_of(part.get("text")) for part in objects_of(item.get("summary")))
    extra = rest(item, _REASONING)
    item_id = text_or_none(item.get("id"))
    if raw:
        if segments:
            extra = {NAME: {**extra.get(NAME, {}), "summary": item["summary"]}}
        return Thinking(text=raw, form="raw", id=item_id, extra=extra)
    if segments:
        return Thinking(
            text="\n\n".join(segments), form="summary", segments=segments, id=item_id, extra=extra
        )
    return Thinking(form="hidden", id=item_id, extra=extra)


def _function_call(item: JsonObject) -> ToolCall:
    arguments: Json = item.get("arguments")
    return ToolCall(
        call_id=text_of(item.get("call_id")),
        name=text_of(item.get("name")),
        input=arguments
        if isinstance(arguments, str)
        else ""
        if arguments is None
        else json.encode_text(arguments),
        namespace=text_or_none(item.get("namespace")),
        id=text_or_none(item.get("id")),
        extra=rest(item, _CALL),
    )


def _custom_tool_call(item: JsonObject) -> ToolCall:
    return ToolCall(
        call_id=text_of(item.get("call_id")),
        name=text_of(item.get("name")),
        input=text_of(item.get("input")),
        input_kind="text",
        namespace=text_or_none(item.get("namespace")),
        id=text_or_none(item.get("id")),
        extra=rest(item, _CUSTOM),
    )


def _client_call(kind: str, member: str) -> Callable[[JsonObject], Part]:
    """A call of a built-in that the client runs: its input is the JSON of one member."""

    def decode(item: JsonObject) -> ToolCall:
        value: Json = item.get(member)
        return ToolCall(
            call_id=text_of(item.get("call_id")),
            name=kind,
            builtin=kind,
            input=value if isinstance(value, str) else json.encode_text({} if value is None else value),
            id=text_or_none(item.get("id")),
            extra=rest(item, frozenset({"type", "id", "call_id", member})),
        )

    return decode


def _computer_call(item: JsonObject) -> ToolCall:
    """One `action`, or the newer list of `actions`."""
    said = {key: item[key] for key in ("action", "actions") if key in item}
    known = frozenset({"type", "id", "call_id", *said})
    return ToolCall(
        call_id=text_of(item.get("call_id")),
        name="computer",
        builtin="computer",
        input=json.encode_text(said),
        id=text_or_none(item.get("id")),
        extra=rest(item, known),
    )


def _shell_call(item: JsonObject) -> Part:
    _, runs = builtin_kind({"type": "shell", "environment": item.get("environment")})
    return _hosted(item, "shell") if runs == "server" else _client_call("shell", "action")(item)


def _tool_search_call(item: JsonObject) -> Part:
    if item.get("execution") == "client":
        return _client_call("tool_search", "arguments")(item)
    return _hosted(item, "tool_search")


def _hosted(
    item: JsonObject,
    kind: HostedKind,
    *,
    said: str = "",
    queries: tuple[str, ...] = (),
    result: HostedResult | None = None,
) -> Hosted:
    item_id = text_or_none(item.get("id"))
    return Hosted(
        call_id=text_or_none(item.get("call_id")) or item_id or "",
        tool=kind,
        name=text_of(item.get("name")),
        input=said,
        queries=queries,
        status=_HOSTED_STATUS.get(text_of(item.get("status")), "completed"),
        result=result,
        id=item_id,
        extra={NAME: {ITEM: item}},
    )


def _web_search_call(item: JsonObject) -> Hosted:
    action = object_of(item.get("action"))
    if action.get("type") in ("open_page", "find_in_page"):
        return _hosted(item, "web_fetch", said=text_of(action.get("url")))
    queries = texts_of(action.get("queries")) or tuple(filter(None, [text_of(action.get("query"))]))
    hits = tuple(
        SearchHit(url=text_of(source.get("url")), title=text_or_none(source.get("title")))
        for source in (*objects_of(action.get("sources")), *objects_of(item.get("results")))
        if source.get("url")
    )
    return _hosted(item, "web_search", queries=queries, result=HostedResult(hits=hits) if hits else None)


def _file_search_call(item: JsonObject) -> Hosted:
    found = objects_of(item.get("results"))
    texts = [f"{text_of(hit.get('filename'))}\n{text_of(hit.get('text'))}".strip() for hit in found]
    result = HostedResult(text="\n\n".join(texts)) if found else None
    return _hosted(item, "file_search", queries=texts_of(item.get("queries")), result=result)


def _code_interpreter_call(item: JsonObject) -> Hosted:
    outputs = objects_of(item.get("outputs"))
    logs = [text_of(output.get("logs")) for output in outputs if output.get("type") == "logs"]
    images = tuple(
        _code_image(text_of(output.get("url"))) for output in outputs if output.get("type") == "image"
    )
    result = HostedResult(stdout="".join(logs), media=images) if outputs else None
    return _hosted(item, "code_execution", said=text_of(item.get("code")), result=result)


def _code_image(address: str) -> Media:
    is_data = address[:5].lower() == "data:" and "," in address
    return Media(kind="image", source=inline_of(address) if is_data else Url(url=address))


def _mcp_call(item: JsonObject) -> Hosted:
    error: Json = item.get("error")
    message = error if isinstance(error, str) else json.encode_text(error) if error else None
    output = text_or_none(item.get("output"))
    result = HostedResult(text=output, error=message) if output is not None or message else None
    return _hosted(item, "mcp", said=text_of(item.get("arguments")), result=result)


def _image_generation_call(item: JsonObject) -> Part:
    """A finished picture is media, as any other picture that a model gives."""
    picture = text_of(item.get("result"))
    if not picture:
        return _hosted(item, "image_generation")
    form = text_or_none(item.get("output_format")) or IMAGE_FORMAT
    mime = f"image/{'svg+xml' if form == 'svg' else form}"
    source = inline_of(picture) if picture.startswith("data:") else Inline(mime=mime, base64=picture)
    return Media(kind="image", source=source, id=text_or_none(item.get("id")), extra=rest(item, _IMAGE))


_DECODERS: dict[str, Callable[[JsonObject], Part]] = {
    "reasoning": _reasoning,
    "function_call": _function_call,
    "custom_tool_call": _custom_tool_call,
    "local_shell_call": _client_call("local_shell", "action"),
    "apply_patch_call": _client_call("apply_patch", "operation"),
    "computer_call": _computer_call,
    "shell_call": _shell_call,
    "tool_search_call": _tool_search_call,
    "tool_search_output": lambda item: _hosted(item, "tool_search"),
    "shell_call_output": lambda item: _hosted(item, "shell"),
    "web_search_call": _web_search_call,
    "file_search_call": _file_search_call,
    "code_interpreter_call": _code_interpreter_call,
    "mcp_call": _mcp_call,
    "image_generation_call": _image_generation_call,
}
