"""The input items of a Responses request: their kinds, keys, ids and parts.

Reasoning comes back with OpenAI's own `encrypted_content`, or by an id that OpenAI gave. Source: wire-format notes §2.2, the
SDK's types, and error texts quoted in issue trackers.
"""

from typing import cast

from allgate.core.value import Value
from allgate.simulator import signing, tokens
from allgate.simulator.exchange import Rejected
from allgate.simulator.openai.checks import invalid_type, invalid_value, missing
from allgate.simulator.openai_responses.order import ANSWERS, check_order
from allgate.simulator.reading import items, word
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

REASONING_KIND = "openai/reasoning"
OUR_REASONING_ID = "rs_sim"
CALL_ID_CHARS_MAX = 64
"""Characters of a call id."""

ROLES = ("assistant", "system", "developer", "user")
_INPUT_PARTS = ("input_text", "input_image", "input_file", "input_audio")
_OUTPUT_PARTS = ("output_text", "refusal")
_TEXT_OF = {"input_text": "text", "output_text": "text", "refusal": "refusal"}

_REQUIRED = {
    "function_call": ("call_id", "name", "arguments"),
    "custom_tool_call": ("call_id", "name", "input"),
    "function_call_output": ("call_id", "output"),
    "custom_tool_call_output": ("call_id", "output"),
    "reasoning": ("summary",),
    "item_reference": ("id",),
    "compaction": ("encrypted_content",),
}

# Every key of the kinds whose keys are checked; Codex's own metadata may stand on all of them.
_KEYS = {
    "message": {"role", "content", "status", "phase"},
    "function_call": {"call_id", "name", "arguments", "status", "namespace", "caller", "async"},
    "function_call_output": {"call_id", "output", "status", "caller"},
    "custom_tool_call": {"call_id", "name", "input", "status", "namespace", "caller"},
    "custom_tool_call_output": {"call_id", "output", "status"},
    "reasoning": {"summary", "content", "encrypted_content", "status"},
}

_KEYS_EVERYWHERE = frozenset({"type", "id", "internal_chat_message_metadata_passthrough"})

_PART_KEYS = {
    "input_text": {"text"},
    "input_image": {"image_url", "file_id", "detail"},
    "input_file": {"file_data", "file_id", "file_url", "filename", "detail"},
    "input_audio": {"input_audio"},
    "output_text": {"text", "annotations", "logprobs"},
    "refusal": {"refusal"},
}

_PART_KEYS_EVERYWHERE = frozenset({"type", "prompt_cache_breakpoint"})
_PREFIXES = {"function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs", "web_search_call": "ws"}

_TYPES = frozenset(
    {
        "message", "reasoning", "item_reference", "compaction", "compaction_trigger", "additional_tools", "program",
        "program_output", "tool_search_call", "tool_search_output", "web_search_call", "file_search_call",
        "code_interpreter_call", "image_generation_call", "mcp_list_tools", "mcp_call", "mcp_approval_request",
        "mcp_approval_response", "configuration_update",
    }
) | ANSWERS.keys() | frozenset(ANSWERS.values())  # fmt: skip


class Talk(Value, frozen=True, kw_only=True):
    """The last user text, the tool outputs after it, what all of it costs, sealed reasoning, and the tools that items add."""

    prompt: str
    results: tuple[str, ...]
    input_tokens: int
    all_text: str
    seals: int = 0
    tools: tuple[Json, ...] = ()


def read_input(value: Json, secret: bytes, *, continued: bool) -> Talk:
    """The conversation. `continued`: earlier items are in a stored response. Raises: Rejected."""
    if isinstance(value, str):
        cost = tokens.count(value) + tokens.MESSAGE_TOKENS
        return Talk(prompt=value, results=(), input_tokens=cost, all_text=value)
    if not isinstance(value, list):
        raise invalid_type("input", "one of a string or array of input items", value)
    found = cast(list[Json], value)
    kinds = [_kind(item, place) for place, item in enumerate(found)]
    prompt, cost = "", 0
    results: list[str] = []
    texts: list[str] = []
    for place, (item, kind) in enumerate(zip(found, kinds, strict=True)):
        _check_item(item, kind, place, secret)
        text, media = _content(item, kind, place)
        cost += tokens.count(text) + tokens.MESSAGE_TOKENS + media * tokens.MEDIA_TOKENS
        texts.append(text)
        if kind == "message" and item.get("role") == "user":
            prompt, results = text, []
        elif kind in ANSWERS.values():
            results.append(text)
    check_order(found, kinds, continued=continued)
    added = tuple(
        tool for item in found for tool in items(item, "tools") if item.get("type") == "additional_tools"
    )
    seals = sum(1 for item in found if item.get("type") == "reasoning" and item.get("encrypted_content"))
    return Talk(
        prompt=prompt,
        results=tuple(results),
        input_tokens=cost,
        all_text="\n".join(texts),
        seals=seals,
        tools=added,
    )


def _kind(item: Json, place: int) -> str:
    if not isinstance(item, dict):
        raise invalid_type(f"input[{place}]", "an object", item)
    found = cast(JsonObject, item)
    kind = word(found, "type") or ("message" if "role" in found else None)
    if kind is None:
        raise missing(f"input[{place}].type")
    if kind not in _TYPES:
        raise invalid_value(f"input[{place}].type", str(kind), tuple(sorted(_TYPES)))
    return kind


def _check_item(item: JsonObject, kind: str, place: int, secret: bytes) -> None:
    param = f"input[{place}]"
    if kind == "message" and item.get("role") not in ROLES:
        raise invalid_value(f"{param}.role", str(item.get("role")), ROLES)
    if kind in _KEYS:
        _check_keys(item, _KEYS[kind] | _KEYS_EVERYWHERE, param)
    for name in _REQUIRED.get(kind, ()):
        if item.get(name) is None:
            raise missing(f"{param}.{name}")
    for name in ("arguments", "input", "name", "call_id"):
        if name in _REQUIRED.get(kind, ()) and not isinstance(item[name], str):
            raise invalid_type(f"{param}.{name}", "a string", item[name])
    call_id = str(item.get("call_id") or "")
    if len(call_id) > CALL_ID_CHARS_MAX:
        raise Rejected(
            f"Invalid '{param}.call_id': string too long. Expected a string with maximum length {CALL_ID_CHARS_MAX}, but "
            f"got a string with length {len(call_id)} instead.",
            param=f"{param}.call_id",
            code="string_above_max_length",
        )
    prefix = _PREFIXES.get(kind)
    identity = item.get("id")
    if prefix and isinstance(identity, str) and not identity.startswith(prefix):
        raise Rejected(
            f"Invalid '{param}.id': '{identity}'. Expected an ID that begins with '{prefix}'.",
            param=f"{param}.id",
            code="invalid_value",
        )
    if kind == "reasoning":
        _check_reasoning(item, secret)
    if kind == "item_reference":
        raise _not_found(str(item["id"]))


def _check_reasoning(item: JsonObject, secret: bytes) -> None:
    """It carries our own sealed text, or an id that we gave."""
    sealed = item.get("encrypted_content")
    if sealed is None:
        if not str(item.get("id")).startswith(OUR_REASONING_ID):
            raise _not_found(str(item.get("id")))
    elif signing.opened(secret, REASONING_KIND, str(sealed)) is None:
        raise Rejected(
            f"The encrypted content {str(sealed)[:10]}... could not be verified. Reason: Encrypted content could not be "
            "decrypted or parsed.",
            code="invalid_encrypted_content",
        )


def _not_found(identity: str) -> Rejected:
    return Rejected(
        f"Item with id '{identity}' not found. Items are not persisted when `store` is set to false. Try again with "
        "`store` set to true, or remove this item from your input.",
        status=404,
        param="input",
    )


def _content(item: JsonObject, kind: str, place: int) -> tuple[str, int]:
    """The text of an item and how many media parts it has."""
    match kind:
        case "message":
            return _parts(item.get("content"), str(item["role"]), f"input[{place}].content")
        case "function_call":
            return f"{item['name']} {item['arguments']}", 0
        case "custom_tool_call":
            return f"{item['name']} {item['input']}", 0
        case "reasoning" | "compaction_trigger" | "additional_tools":
            return "", 0
        case _ if kind in ANSWERS.values() and isinstance(item.get("output"), (str, list)):
            return _parts(item["output"], "user", f"input[{place}].output")
        case _:
            return json.encode_text(item), 0


def _parts(content: Json, role: str, param: str) -> tuple[str, int]:
    if isinstance(content, str):
        return content, 0
    if content is None:
        raise missing(param)
    if not isinstance(content, list):
        raise invalid_type(param, "one of a string or array of content parts", content)
    texts: list[str] = []
    media = 0
    allowed = _OUTPUT_PARTS if role == "assistant" else _INPUT_PARTS
    for number, part in enumerate(cast(list[Json], content)):
        place = f"{param}[{number}]"
        if not isinstance(part, dict):
            raise invalid_type(place, "an object", part)
        found = cast(JsonObject, part)
        kind = word(found, "type")
        if kind not in allowed:
            raise invalid_value(f"{place}.type", str(kind), allowed)
        _check_keys(found, _PART_KEYS[str(kind)] | _PART_KEYS_EVERYWHERE, place)
        if kind not in _TEXT_OF:
            _check_media(found, str(kind), place)
            media += 1
        elif not isinstance(found.get(_TEXT_OF[str(kind)]), str):
            raise missing(f"{place}.{_TEXT_OF[str(kind)]}")
        else:
            texts.append(found[_TEXT_OF[str(kind)]])
    return "\n".join(texts), media


def _check_keys(source: JsonObject, known: set[str] | frozenset[str], param: str) -> None:
    for key in source:
        if key not in known:
            raise Rejected(
                f"Unknown parameter: '{param}.{key}'.", param=f"{param}.{key}", code="unknown_parameter"
            )


def _check_media(part: JsonObject, kind: str, place: str) -> None:
    if kind == "input_image":
        url = part.get("image_url")
        if url is None and part.get("file_id") is None:
            raise missing(f"{place}.image_url")
        if url is not None and not isinstance(url, str):
            raise invalid_type(f"{place}.image_url", "an image URL", url)
        if url is not None and not url.startswith(("http://", "https://", "data:image/")):
            raise Rejected(
                f"Invalid '{place}.image_url'. Expected a valid URL, but got a value with an invalid format.",
                param=f"{place}.image_url",
                code="invalid_value",
            )
    elif kind == "input_file" and part.get("file_data") and not part.get("filename"):
        raise missing(f"{place}.filename")
