"""The contents of a Gemini request: roles, parts, calls beside their responses, and signatures that are still ours.

Google's order rules: a turn with function calls comes right after a user turn or function responses; right after it
come exactly as many function responses. Gemini 3 also wants the thought signature back on the first call of every
step since the user last spoke, or the documented dummy; one that is not ours is refused wherever it stands.
"""

from base64 import b64encode, urlsafe_b64decode
from typing import cast

from allgate.core.value import Value
from allgate.simulator import signing, tokens
from allgate.simulator.exchange import Rejected
from allgate.simulator.gemini.models import Gemini
from allgate.simulator.reading import items, part
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

CALL_KIND = "gemini/call"
TEXT_KIND = "gemini/text"
DUMMY = b"skip_thought_signature_validator"
"""What Google documents for calls that another model made; as it is, it is also base64."""

_DATA = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
)  # fmt: skip
_IMAGES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
_OTHERS = ("application/pdf", "application/json", "text/", "audio/", "video/")


class Talk(Value, frozen=True, kw_only=True):
    """The last user text, the function responses after it, what all of it costs, and signatures of our own."""

    prompt: str
    results: tuple[str, ...]
    input_tokens: int
    seals: int
    media_tokens: int


def call_content(call: JsonObject) -> str:
    """What the signature of a call covers: its name and arguments, whatever their order."""
    return f"{call.get('name')} {json.encode_text(_sorted(call.get('args') or {}))}"


def read_contents(contents: list[JsonObject], gemini: Gemini, secret: bytes) -> Talk:
    """The conversation. Raises: Rejected."""
    if not contents:
        raise Rejected("* GenerateContentRequest.contents: contents is not specified\n")
    for place, content in enumerate(contents):
        _check_content(content, place, gemini)
    turns = _turns(contents)
    _check_order(turns)
    return _talk(contents, _check_signatures(turns, gemini, secret))


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        found = cast(JsonObject, value)
        return {key: _sorted(found[key]) for key in sorted(found)}
    if isinstance(value, list):
        return [_sorted(child) for child in cast(list[Json], value)]
    return value


def _turns(contents: list[JsonObject]) -> list[JsonObject]:
    """Neighbouring model contents as one: Google's own chat sessions send every chunk of a stream as a content."""
    turns: list[JsonObject] = []
    for content in contents:
        if turns and turns[-1].get("role") == content.get("role") == "model":
            turns[-1] = {**content, "parts": [*items(turns[-1], "parts"), *items(content, "parts")]}
        else:
            turns.append(content)
    return turns


def _check_content(content: JsonObject, place: int, gemini: Gemini) -> None:
    where = f"* GenerateContentRequest.contents[{place}].parts"
    if content.get("role") not in (None, "", "user", "model", "function"):
        raise Rejected("Please use a valid role: user, model.")
    if not items(content, "parts"):
        raise Rejected(f"{where}: contents.parts must not be empty.\n")
    for number, item in enumerate(items(content, "parts")):
        given = [name for name in _DATA if name in item]
        if not given:
            raise Rejected(
                f"{where}[{number}].data: required oneof field 'data' must have one initialized field\n"
            )
        if len(given) > 1:
            raise Rejected(
                f"Invalid value at 'contents[{place}].parts[{number}]' (oneof), oneof field 'data' is already set. Cannot "
                f"set '{given[1]}'"
            )
        _check_part(item, given[0], f"{where}[{number}]", gemini)


def _check_part(item: JsonObject, kind: str, where: str, gemini: Gemini) -> None:
    inside = part(item, kind)
    match kind:
        case "inlineData":
            mime = str(inside.get("mimeType") or "")
            if not mime:
                raise Rejected(f"{where}.inline_data.mime_type: mime_type is not specified\n")
            if mime not in _IMAGES and not mime.startswith(_OTHERS):
                raise Rejected(f"Unsupported MIME type: {mime}")
            if not inside.get("data"):
                raise Rejected(f"{where}.inline_data.data: data is not specified\n")
        case "fileData" if not inside.get("fileUri"):
            raise Rejected(f"{where}.file_data.file_uri: file_uri is not specified\n")
        case "functionCall" | "functionResponse":
            field = "function_call" if kind == "functionCall" else "function_response"
            if not inside.get("name"):
                raise Rejected(f"{where}.{field}.name: [FIELD_INVALID] name cannot be empty.\n")
            if "id" in inside and not gemini.takes_ids:
                raise Rejected(
                    f"Invalid JSON payload received. Unknown name \"id\" at '{field}': Cannot find field."
                )
            content = inside.get("args" if kind == "functionCall" else "response")
            if content is not None and not isinstance(content, dict):
                raise Rejected(
                    f"Invalid value at '{where}.{field}' (type.googleapis.com/google.protobuf.Struct)"
                )
        case _:
            pass


def _calls(content: JsonObject) -> list[JsonObject]:
    return [part(item, "functionCall") for item in items(content, "parts") if "functionCall" in item]


def _responses(content: JsonObject) -> list[JsonObject]:
    return [part(item, "functionResponse") for item in items(content, "parts") if "functionResponse" in item]


def _check_order(contents: list[JsonObject]) -> None:
    for place, content in enumerate(contents):
        before = contents[place - 1] if place else None
        after = contents[place + 1] if place + 1 < len(contents) else None
        calls, responses = _calls(content), _responses(content)
        if calls and (content.get("role") != "model" or before is None or before.get("role") == "model"):
            raise Rejected(
                "Please ensure that function call turn comes immediately after a user turn or after a function response "
                "turn."
            )
        if responses and (before is None or not _calls(before)):
            raise Rejected(
                "Please ensure that function response turn comes immediately after a function call turn."
            )
        if calls:
            _check_answers(calls, _responses(after) if after is not None else [])
    if contents[-1].get("role") == "model":
        raise Rejected("Please ensure that multiturn requests end with a user role or a function response.")


def _check_answers(calls: list[JsonObject], responses: list[JsonObject]) -> None:
    if len(responses) != len(calls):
        raise Rejected(
            "Please ensure that the number of function response parts is equal to the number of function call parts of the "
            "function call turn."
        )
    if sorted(str(call["name"]) for call in calls) != sorted(str(response["name"]) for response in responses):
        raise Rejected(
            "Please ensure that function response parts name the functions of the function call turn."
        )
    ids = {str(call["id"]) for call in calls if "id" in call}
    for response in responses:
        if "id" in response and ids and str(response["id"]) not in ids:
            raise Rejected(
                f"Function response id '{response['id']}' does not match any function call of the turn."
            )


def _check_signatures(contents: list[JsonObject], gemini: Gemini, secret: bytes) -> int:
    """How many are ours, not counting dummies."""
    current = ours = 0
    for place, content in enumerate(contents):
        if content.get("role") != "model" and any("text" in item for item in items(content, "parts")):
            current = place
    for place, content in enumerate(contents):
        for item in items(content, "parts"):
            ours += _check_signature(item, secret)
        calls = [item for item in items(content, "parts") if "functionCall" in item]
        if gemini.signatures and place > current and calls and "thoughtSignature" not in calls[0]:
            name = part(calls[0], "functionCall")["name"]
            raise Rejected(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
                "correctly, and missing thought_signature may lead to degraded model performance. Additional data, "
                f"function call `default_api:{name}` , position {place + 1}. Please refer to "
                "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
            )
    return ours


def _check_signature(item: JsonObject, secret: bytes) -> bool:
    """A signature, where there is one, is the dummy, or was made here for this part, which is True."""
    given = item.get("thoughtSignature")
    if given is None:
        return False
    raw = urlsafe_b64decode((given + "=" * (-len(given) % 4)).replace("+", "-").replace("/", "_"))
    if raw == DUMMY or raw == urlsafe_b64decode(DUMMY):
        return False
    standard = b64encode(raw).decode("ascii")
    if "functionCall" in item:
        ours = signing.verified(secret, CALL_KIND, call_content(part(item, "functionCall")), standard)
    else:
        ours = signing.opened(secret, TEXT_KIND, standard) is not None
    if not ours:
        raise Rejected("Corrupted thought signature.")
    return True


def _talk(contents: list[JsonObject], seals: int) -> Talk:
    prompt, cost, media = "", 0, 0
    results: list[str] = []
    for content in contents:
        parts = items(content, "parts")
        cost += tokens.MESSAGE_TOKENS
        for item in parts:
            if "inlineData" in item or "fileData" in item:
                media += tokens.MEDIA_TOKENS
            elif not item.get("thought"):
                cost += tokens.count(_text(item))
        if content.get("role") == "model":
            continue
        texts = [item["text"] for item in parts if "text" in item]
        if texts:
            prompt = "\n".join(texts)
            results = []
        results += [_text(item) for item in parts if "functionResponse" in item]
    return Talk(
        prompt=prompt,
        results=tuple(results),
        input_tokens=cost + media,
        seals=seals,
        media_tokens=media,
    )


def _text(item: JsonObject) -> str:
    if "text" in item:
        return item["text"]
    if "functionCall" in item:
        return f"{item['functionCall']['name']} {json.encode_text(item['functionCall'].get('args') or {})}"
    response = part(part(item, "functionResponse"), "response")
    only = next(iter(response.values())) if len(response) == 1 else None
    return only if isinstance(only, str) else json.encode_text(response)
