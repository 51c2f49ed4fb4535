"""What a client's tools gave back: the `*_output` items of a request."""

from collections.abc import Callable

from allgate.core.value import changed
from allgate.dialects.openai_responses.content_decode import ContentPart, decode_content
from allgate.dialects.openai_responses.own import NAME, rest
from allgate.dialects.passes.lenient import list_of, object_of, objects_of, text_of
from allgate.operations.chat.parts import Media, Opaque, Text, ToolResult
from allgate.wire import json
from allgate.wire.json import Json, JsonObject, optional_text, text_at

_KNOWN = frozenset({"type", "id", "call_id", "output", "name"})

ResultPart = Text | Media | Opaque


def decode_output(item: JsonObject, path: str) -> ToolResult | None:
    """The result in an output item; None where the provider, not the client, ran the tool.

    `local_shell_call_output` has no `call_id` but the call's id as its own. Raises: WireError naming the member.
    """
    kind = text_of(item.get("type"))
    if kind in ("tool_search_output", "shell_call_output") and not item.get("call_id"):
        return None
    if item.get("execution") == "server":
        return None
    call_id = item.get("call_id") or item.get("id")
    result = ToolResult(
        call_id=text_at(call_id, f"{path}.call_id"),
        id=optional_text(item, "id", f"{path}.id") if item.get("call_id") else None,
        name=optional_text(item, "name", f"{path}.name"),
        extra=rest(item, _KNOWN),
    )
    return OUTPUTS[kind](result, item, path)


def _plain(result: ToolResult, item: JsonObject, path: str) -> ToolResult:
    return changed(result, parts=_parts(item.get("output"), f"{path}.output"))


def _custom(result: ToolResult, item: JsonObject, path: str) -> ToolResult:
    return changed(_plain(result, item, path), input_kind="text")


def _parts(output: Json, path: str) -> tuple[ResultPart, ...]:
    """A string, a list of parts, or (some clients) any other JSON, which is told as text."""
    if isinstance(output, dict) or len(objects_of(output)) != len(list_of(output)):
        return (Text(text=json.encode_text(output)),)
    return tuple(_told(part) for part in decode_content(output, path))


def _told(part: ContentPart) -> ResultPart:
    return part if isinstance(part, (Text, Media, Opaque)) else Text(text=part.text)


def _local_shell(result: ToolResult, item: JsonObject, path: str) -> ToolResult:
    return changed(_plain(result, item, path), builtin="local_shell")


def _shell(result: ToolResult, item: JsonObject, _path: str) -> ToolResult:
    """Chunks of `stdout` and `stderr`, each with an outcome; told as one text, and kept as they were."""
    chunks = objects_of(item.get("output"))
    texts = [text_of(chunk.get(stream)) for chunk in chunks for stream in ("stdout", "stderr")]
    codes = [object_of(chunk.get("outcome")).get("exit_code") for chunk in chunks]
    failed = any(isinstance(code, int) and code != 0 for code in codes)
    return _kept(result, item, "output", "\n".join(filter(None, texts)), builtin="shell", is_error=failed)


def _apply_patch(result: ToolResult, item: JsonObject, path: str) -> ToolResult:
    failed = item.get("status") == "failed"
    return changed(_plain(result, item, path), builtin="apply_patch", is_error=failed)


def _computer(result: ToolResult, item: JsonObject, path: str) -> ToolResult:
    screenshot = object_of(item.get("output"))
    parts = _parts([screenshot] if screenshot else [], f"{path}.output")
    return changed(result, parts=parts, builtin="computer")


def _tool_search(result: ToolResult, item: JsonObject, _path: str) -> ToolResult:
    """Which tools were found. The tools themselves join the request's tools."""
    names = [_found_names(tool) for tool in objects_of(item.get("tools"))]
    listed = ", ".join(name for found in names for name in found)
    told = f"Tools found, which can now be called: {listed}" if listed else "No tools found"
    return _kept(result, item, "tools", told, builtin="tool_search", is_error=False)


def _found_names(tool: JsonObject) -> list[str]:
    name = text_of(tool.get("name")) or text_of(tool.get("type"))
    if tool.get("type") != "namespace":
        return [name]
    return [f"{name}.{text_of(child.get('name'))}" for child in objects_of(tool.get("tools"))]


def _kept(
    result: ToolResult, item: JsonObject, member: str, told: str, *, builtin: str, is_error: bool
) -> ToolResult:
    extra = {NAME: {**result.extra.get(NAME, {}), member: item.get(member)}}
    return changed(result, parts=(Text(text=told),), builtin=builtin, is_error=is_error, extra=extra)


OUTPUTS: dict[str, Callable[[ToolResult, JsonObject, str], ToolResult]] = {
    "function_call_output": _plain,
    "custom_tool_call_output": _custom,
    "local_shell_call_output": _local_shell,
    "shell_call_output": _shell,
    "apply_patch_call_output": _apply_patch,
    "computer_call_output": _computer,
    "tool_search_output": _tool_search,
}
