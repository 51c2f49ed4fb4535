"""The messages of a Chat Completions request: roles, contents, and the order of calls and their results.

OpenAI's two rules of order: a `tool` message answers a call of the assistant message that its run of tool messages
follows, and every call of an assistant message is answered before anything else comes.
"""

from typing import cast

from allgate.core.value import Value
from allgate.simulator import tokens
from allgate.simulator.exchange import Rejected
from allgate.simulator.openai.checks import invalid_type, invalid_value, missing
from allgate.simulator.reading import items, part, word
from allgate.wire.json import Json, JsonObject

ROLES = ("system", "assistant", "user", "function", "tool", "developer")

_PARTS = {
    "system": ("text",),
    "developer": ("text",),
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
    "tool": ("text",),
    "function": ("text",),
}
_VENDOR_PARTS = ("video_url", "image_url", "thinking")
_KEYS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {
        "role",
        "content",
        "name",
        "refusal",
        "audio",
        "tool_calls",
        "function_call",
        "annotations",
    },
    "tool": {"role", "content", "tool_call_id"},
    "function": {"role", "content", "name"},
}
CALL_ID_CHARS_MAX = 40
"""Characters of a tool call id: OpenAI's own limit on what it is sent back."""


class Talk(Value, frozen=True, kw_only=True):
    """What the messages say: the last user text, the tool results after it, and what all of it costs."""

    prompt: str
    results: tuple[str, ...]
    input_tokens: int
    all_text: str


def read_messages(messages: Json, *, strict: bool) -> Talk:
    """The conversation. `strict`: only what OpenAI's own models take. Raises: Rejected."""
    if not messages:
        raise Rejected(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array "
            "instead.",
            param="messages",
            code="empty_array",
        )
    prompt, cost = "", 0
    results: list[str] = []
    texts: list[str] = []
    for place, message in enumerate(messages):
        role = _role(message, place)
        _check_keys(message, role, place, strict=strict)
        content, media = _content(message, role, place, strict=strict)
        calls = _calls(message, place) if role == "assistant" else ""
        cost += (
            tokens.MESSAGE_TOKENS + tokens.count(content) + tokens.count(calls) + media * tokens.MEDIA_TOKENS
        )
        texts.append(content)
        if role == "user":
            prompt, results = content, []
        elif role in ("tool", "function"):
            results.append(content)
    _check_order(messages)
    return Talk(prompt=prompt, results=tuple(results), input_tokens=cost, all_text="\n".join(texts))


def _role(message: Json, place: int) -> str:
    if not isinstance(message, dict):
        raise invalid_type(f"messages[{place}]", "an object", message)
    role = word(message, "role")
    if role is None:
        raise missing(f"messages[{place}].role")
    if role not in ROLES:
        raise invalid_value(f"messages[{place}].role", role, ROLES)
    return role


def _check_keys(message: JsonObject, role: str, place: int, *, strict: bool) -> None:
    if not strict:
        return
    for key, value in message.items():
        if key not in _KEYS[role] and value is not None:
            param = f"messages[{place}].{key}"
            raise Rejected(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def _content(message: JsonObject, role: str, place: int, *, strict: bool) -> tuple[str, int]:
    """The text of a message and how many media parts it has."""
    content: Json = message.get("content")
    param = f"messages.[{place}].content"
    if content is None:
        said = any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))
        if role == "assistant" and said:
            return str(message.get("refusal") or ""), 0
        raise Rejected("Invalid value for 'content': expected a string, got null.", param=param)
    if isinstance(content, str):
        return content, 0
    if not isinstance(content, list):
        raise invalid_type(f"messages[{place}].content", "one of a string or array of objects", content)
    if not content:
        raise Rejected(
            f"Invalid 'messages[{place}].content': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            param=f"messages[{place}].content",
            code="empty_array",
        )
    read = [
        _part(part, role, f"messages[{place}].content[{number}]", strict=strict)
        for number, part in enumerate(cast(list[Json], content))
    ]
    return "\n".join(text for text in read if text is not None), sum(text is None for text in read)


def _part(part: Json, role: str, param: str, *, strict: bool) -> str | None:
    """A part's text; None for media."""
    if not isinstance(part, dict):
        raise invalid_type(param, "an object", part)
    found = cast(JsonObject, part)
    kind = word(found, "type") or ""
    allowed = _PARTS[role] if strict else (*_PARTS[role], *_VENDOR_PARTS)
    if kind not in allowed:
        raise invalid_value(f"{param}.type", kind, _PARTS[role])
    inside: Json = found.get(kind)
    if inside is None:
        raise missing(f"{param}.{kind}")
    if kind in ("text", "refusal", "thinking"):
        if not isinstance(inside, str):
            raise invalid_type(f"{param}.{kind}", "a string", inside)
        return inside
    _check_media(inside, kind, param)
    return None


def _check_media(inside: Json, kind: str, param: str) -> None:
    if not isinstance(inside, dict):
        raise invalid_type(f"{param}.{kind}", "an object", inside)
    if kind == "image_url":
        _check_image(inside, param)
    elif kind == "input_audio" and word(inside, "format") not in ("wav", "mp3"):
        raise invalid_value(f"{param}.input_audio.format", str(word(inside, "format")), ("wav", "mp3"))
    elif kind == "file" and word(inside, "file_data") and not word(inside, "filename"):
        raise missing(f"{param}.file.filename")


def _check_image(inside: Json, param: str) -> None:
    url = cast(JsonObject, inside).get("url")
    if not isinstance(url, str):
        raise missing(f"{param}.image_url.url")
    if url.startswith("data:"):
        if url[5:].partition(";")[0] not in ("image/png", "image/jpeg", "image/gif", "image/webp"):
            raise Rejected(
                "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
                "['png', 'jpeg', 'gif', 'webp'].",
                code="invalid_image_format",
            )
    elif not url.startswith(("http://", "https://")):
        raise Rejected(
            f"Invalid '{param}.image_url.url': Expected a base64-encoded data URL with an image MIME type, but got "
            "an invalid value.",
            param=f"{param}.image_url.url",
            code="invalid_value",
        )


def _calls(message: JsonObject, place: int) -> str:
    """The text that the calls of an assistant message cost; checks their shape."""
    written: list[str] = []
    for number, call in enumerate(items(message, "tool_calls")):
        param = f"messages[{place}].tool_calls[{number}]"
        if not isinstance(call, dict):
            raise invalid_type(param, "an object", call)
        identity: Json = cast(JsonObject, call).get("id")
        kind = word(call, "type") or ""
        if kind not in ("function", "custom"):
            raise invalid_value(f"{param}.type", kind, ("function", "custom"))
        if not isinstance(identity, str):
            raise missing(f"{param}.id")
        if len(identity) > CALL_ID_CHARS_MAX:
            raise Rejected(
                f"Invalid '{param}.id': string too long. Expected a string with maximum length {CALL_ID_CHARS_MAX}, "
                f"but got a string with length {len(identity)} instead.",
                param=f"{param}.id",
                code="string_above_max_length",
            )
        inside = part(call, kind)
        argument = "arguments" if kind == "function" else "input"
        for name in ("name", argument):
            if not isinstance(inside.get(name), str):
                raise missing(f"{param}.{kind}.{name}")
        written += [inside["name"], inside[argument]]
    return "\n".join(written)


def _check_order(messages: list[JsonObject]) -> None:
    open_ids: list[str] = []
    seen_ids: set[str] = set()
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            answered = word(message, "tool_call_id")
            if answered is None:
                raise missing(f"messages[{place}].tool_call_id")
            if answered not in seen_ids:
                raise Rejected(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'.",
                    param=f"messages.[{place}].role",
                )
            open_ids = [call_id for call_id in open_ids if call_id != answered]
            continue
        _all_answered(open_ids, place)
        open_ids = [call["id"] for call in items(message, "tool_calls")]
        seen_ids = set(open_ids)
    _all_answered(open_ids, len(messages))


def _all_answered(open_ids: list[str], place: int) -> None:
    if open_ids:
        raise Rejected(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_ids)}",
            param=f"messages.[{place}].role",
        )
