"""What a request holds, read from its own dialect by hand; and what of that another dialect's body holds too.

Nothing of ours is used here. A leaf is a text, a declared tool's name, a call's name or its arguments, a tool's result,
a picture's (sound's, file's) bytes or address, a thought, or a seal. A deferred tool (Anthropic's) is not declared until a
search finds it, so a target may leave it out and say so. A leaf counts as carried where the target body has it
anywhere: in a string (texts are joined and labelled in many ways), as a key, or as the same JSON value.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

SAID = ("text", "tool", "call", "arguments", "result")
"""Kinds of which nothing may be lost."""
_BILLING = "x-anthropic-billing-header:"
"""How Claude Code begins a header that it hides in the system prompt; it is nobody's to read but Anthropic's."""
_DUMMIES = ("skip_thought_signature_validator", "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=")
"""What Gemini's clients write for "I have no signature"."""


class Leaf(NamedTuple):
    kind: str
    value: str


def leaves(dialect: str, body: dict[str, Any]) -> list[Leaf]:
    """Every leaf of a request, without those that say nothing (blank texts, dummies, a billing header)."""
    found = {
        "openai_chat": _chat,
        "openai_responses": _responses,
        "anthropic": _anthropic,
        "gemini": _gemini,
    }[dialect](body)
    return [
        leaf
        for leaf in found
        if leaf.value and leaf.value.strip() and leaf.value not in _DUMMIES and not leaf.value.startswith(_BILLING)
    ]  # fmt: skip


class Body:
    """A target body, ready to be searched."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._strings: list[str] = []
        self._values: set[str] = set()
        self._take(body)
        self._text = "\n".join(map(_plain, self._strings))

    def holds(self, leaf: Leaf) -> bool:
        match leaf.kind:
            case "text" | "result" | "thinking" | "deferred":
                return _plain(leaf.value) in self._text or self._holds_json(leaf.value)
            case "tool" | "call":
                return (
                    leaf.value in self._strings
                    or re.sub(r"[^A-Za-z0-9_-]", "_", leaf.value)[:55] in self._text
                )
            case "arguments":
                return self._holds_json(leaf.value) or _plain(leaf.value) in self._text
            case "media":
                return any(leaf.value in string for string in self._strings)
            case _:
                return leaf.value in self._strings  # fmt: skip

    def _holds_json(self, text: str) -> bool:
        value = _parsed(text)
        return value is not None and _canonical(value) in self._values

    def _take(self, value: Any) -> None:
        match value:
            case str():
                self._strings.append(value)
                inner = _parsed(value)
                if isinstance(inner, (dict, list)):
                    self._take(inner)
            case dict():
                self._values.add(_canonical(value))
                for key, inner in value.items():
                    self._strings.append(key)
                    self._take(inner)
            case list():
                self._values.add(_canonical(value))
                for inner in value:
                    self._take(inner)
            case _:
                self._values.add(_canonical(value))


def _plain(text: str) -> str:
    """Without whitespace: paragraphs are joined and ends are trimmed differently everywhere."""
    return "".join(text.split())


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _base64(data: str) -> str:
    """The start of a picture in standard base64, whichever alphabet it was written in; enough to know it by."""
    standard = data.replace("-", "+").replace("_", "/")
    try:
        base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        return data[:200]
    return standard[:200]


def _url(url: str) -> str:
    return _base64(url.partition(",")[2]) if url.startswith("data:") else url


# --- OpenAI Chat -------------------------------------------------------------------------------------------------------


def _chat(body: dict[str, Any]) -> Iterator[Leaf]:
    for message in body.get("messages") or ():
        yield from _chat_message(message)
    for tool in (*(body.get("tools") or ()), *({"function": one} for one in body.get("functions") or ())):
        inner = tool.get("function") or tool.get("custom") or {}
        yield Leaf("tool", inner.get("name"))
        yield Leaf("text", inner.get("description"))


def _chat_message(message: dict[str, Any]) -> Iterator[Leaf]:
    kind = "result" if message["role"] in ("tool", "function") else "text"
    content = message.get("content")
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
        yield from _chat_part(part, kind)
    yield Leaf("text", message.get("refusal"))
    for name in ("reasoning_content", "reasoning"):
        yield Leaf("thinking", message.get(name))
    for detail in message.get("reasoning_details") or ():
        yield Leaf("seal", detail.get("signature") or detail.get("data"))
    calls = [*(message.get("tool_calls") or ())]
    calls += [{"function": message["function_call"]}] if message.get("function_call") else []
    for call in calls:
        inner = call.get("function") or call.get("custom") or {}
        yield Leaf("call", inner.get("name"))
        yield Leaf("arguments", inner.get("arguments") or inner.get("input"))


def _chat_part(part: dict[str, Any], kind: str) -> Iterator[Leaf]:
    match part:
        case {"type": "image_url" | "video_url" as name}:
            source = part[name]
            yield Leaf("media", _url(source if isinstance(source, str) else source["url"]))
        case {"type": "input_audio", "input_audio": {"data": str(data)}}:
            yield Leaf("media", _url(data) if data.startswith("data:") else _base64(data))
        case {"type": "file", "file": dict(file)}:
            yield Leaf("media", _url(file["file_data"]) if file.get("file_data") else file.get("file_id"))
        case {"thinking": str(text)}:
            yield Leaf("thinking", text)
        case _:
            yield Leaf(kind, part.get("text") or part.get("refusal"))


# --- OpenAI Responses --------------------------------------------------------------------------------------------------


def _responses(body: dict[str, Any]) -> Iterator[Leaf]:
    instructions, given = body.get("instructions"), body.get("input")
    if isinstance(instructions, str):
        yield Leaf("text", instructions)
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given or ():
        yield from _responses_item(item)
    yield from _responses_tools(body.get("tools") or ())


def _responses_tools(tools: Any) -> Iterator[Leaf]:
    for tool in tools:
        if tool.get("type") == "namespace":
            yield from _responses_tools(tool["tools"])
        elif tool.get("type") in ("function", "custom"):
            yield Leaf("tool", tool["name"])
            yield Leaf("text", tool.get("description"))


def _responses_item(item: dict[str, Any]) -> Iterator[Leaf]:
    kind = item.get("type") or "message"
    if kind == "message":
        yield from _responses_parts(item.get("content"), "text")
    elif kind == "reasoning":
        for part in (*(item.get("summary") or ()), *(item.get("content") or ())):
            yield Leaf("thinking", part.get("text"))
        yield Leaf("seal", item.get("encrypted_content"))
    elif kind in ("function_call", "custom_tool_call"):
        yield Leaf("call", item["name"])
        yield Leaf("arguments", item.get("arguments") or item.get("input"))
    elif kind in ("function_call_output", "custom_tool_call_output"):
        yield from _responses_parts(item.get("output"), "result")
    elif kind == "additional_tools":
        yield from _responses_tools(item.get("tools") or ())


def _responses_parts(content: Any, kind: str) -> Iterator[Leaf]:
    for part in [{"text": content}] if isinstance(content, str) else content or ():
        match part:
            case {"type": "input_image"}:
                yield Leaf("media", _url(part["image_url"]) if part.get("image_url") else part.get("file_id"))
            case {"type": "input_file"}:
                yield Leaf(
                    "media", _url(part.get("file_data") or part.get("file_url") or part.get("file_id"))
                )
            case {"type": "input_audio"}:
                yield Leaf("media", _base64(part["input_audio"]["data"]))
            case _:
                yield Leaf(kind, part.get("text") or part.get("refusal"))


# --- Anthropic ---------------------------------------------------------------------------------------------------------


def _anthropic(body: dict[str, Any]) -> Iterator[Leaf]:
    yield from _anthropic_blocks(body.get("system"), "text")
    for message in body.get("messages") or ():
        yield from _anthropic_blocks(message.get("content"), "text")
    for tool in body.get("tools") or ():
        if "input_schema" in tool:
            kinds = ("deferred", "deferred") if tool.get("defer_loading") else ("tool", "text")
            yield Leaf(kinds[0], tool["name"])
            yield Leaf(kinds[1], tool.get("description"))


def _anthropic_blocks(content: Any, kind: str) -> Iterator[Leaf]:
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
        match block.get("type"):
            case "text":
                yield Leaf(kind, block["text"])
            case "image" | "document":
                yield from _anthropic_source(block, kind)
            case "thinking" | "redacted_thinking":
                yield Leaf("thinking", block.get("thinking"))
                yield Leaf("seal", block.get("signature") or block.get("data"))
            case "tool_use":
                yield Leaf("call", block["name"])
                yield Leaf("arguments", json.dumps(block["input"]))
            case "tool_result":
                yield from _anthropic_blocks(block.get("content"), "result")
            case _:
                pass


def _anthropic_source(block: dict[str, Any], kind: str) -> Iterator[Leaf]:
    source = block["source"]
    match source["type"]:
        case "base64":
            yield Leaf("media", _base64(source["data"]))
        case "text":
            yield Leaf(kind, source["data"])
        case "content":
            yield from _anthropic_blocks(source["content"], kind)
        case _:
            yield Leaf("media", source.get("url") or source.get("file_id"))


# --- Gemini ------------------------------------------------------------------------------------------------------------


def _gemini(body: dict[str, Any]) -> Iterator[Leaf]:
    system = _either(body, "systemInstruction") or {}
    for content in (system, *_many(body.get("contents"))):
        for part in _many(content if isinstance(content, str) else content.get("parts")):
            yield from _gemini_part({"text": part} if isinstance(part, str) else part)
    for tool in body.get("tools") or ():
        for one in _either(tool, "functionDeclarations") or ():
            yield Leaf("tool", one["name"])
            yield Leaf("text", one.get("description"))


def _gemini_part(part: dict[str, Any]) -> Iterator[Leaf]:
    yield Leaf("thinking" if part.get("thought") else "text", part.get("text"))
    yield Leaf("seal", _either(part, "thoughtSignature"))
    if blob := _either(part, "inlineData"):
        yield Leaf("media", _base64(blob["data"]))
    if file := _either(part, "fileData"):
        yield Leaf("media", _either(file, "fileUri"))
    if call := _either(part, "functionCall"):
        yield Leaf("call", call["name"])
        yield Leaf("arguments", json.dumps(call.get("args") or {}))
    if answer := _either(part, "functionResponse"):
        yield from _gemini_answer(answer)


def _gemini_answer(answer: dict[str, Any]) -> Iterator[Leaf]:
    response = answer.get("response") or {}
    only = next(iter(response.values())) if len(response) == 1 else None
    yield Leaf("result", only if isinstance(only, str) else json.dumps(response))
    for part in answer.get("parts") or ():
        if blob := _either(part, "inlineData"):
            yield Leaf("media", _base64(blob["data"]))


def _either(source: dict[str, Any], camel: str) -> Any:
    """A member in either spelling."""
    return source.get(camel, source.get(re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), camel)))


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
