"""The form of the answer: `response_format` and `verbosity`, or an instruction where the deployment has no such switch.

OpenAI refuses `json_object` where no message mentions JSON, so the instruction is added there as well.
"""

from allgate.core.errors import unsupported
from allgate.dialects.passes.json_in_words import ONE_OBJECT, in_words
from allgate.dialects.passes.schemas import for_openai, is_strict
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added, converted, dropped
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import ChatRequest, OutputFormat
from allgate.wire.json import JsonObject

_NAME = "response"  # OpenAI requires a name
_RESPOND_IN_JSON = "Respond in JSON."


def encode_output(request: ChatRequest, caps: Caps, notes: list[Note]) -> tuple[JsonObject, str]:
    """(members of the body, what must be said in words). Raises: WireError: a grammar that cannot be kept."""
    wish = request.output
    if wish is None:
        return {}, ""
    members: JsonObject = {}
    if wish.verbosity is not None and caps.verbosity:
        members["verbosity"] = wish.verbosity
    elif wish.verbosity is not None:
        notes.append(dropped("verbosity", "not offered by this model"))
    if wish.kind == "grammar" and not caps.grammar_output:
        raise unsupported("This model cannot keep to a grammar", param="response_format")
    with_tools = bool(request.tools) and not caps.schema_with_tools
    if wish.kind == "json_schema":
        found, words = _schema(wish, caps, notes, with_tools=with_tools)
    elif wish.kind == "json_object":
        found, words = _object(request, caps, notes, with_tools=with_tools)
    else:
        found, words = {}, ""
    return members | found, words


def _schema(wish: OutputFormat, caps: Caps, notes: list[Note], *, with_tools: bool) -> tuple[JsonObject, str]:
    schema, losses = for_openai(wish.schema or {}, wish.strict)
    if caps.json_schema == "none" or with_tools:
        notes.append(converted("response_format", "the schema is asked for in words"))
        if caps.json_object and not with_tools:
            return {"response_format": {"type": "json_object"}}, in_words(wish)
        return {}, in_words(wish)
    notes += losses
    inner: JsonObject = {"name": wish.name or _NAME}
    if wish.description is not None:
        inner["description"] = wish.description
    inner["schema"] = schema
    if wish.strict is not None:
        inner["strict"] = wish.strict and is_strict(schema)
    return {"response_format": {"type": "json_schema", "json_schema": inner}}, ""


def _object(
    request: ChatRequest, caps: Caps, notes: list[Note], *, with_tools: bool
) -> tuple[JsonObject, str]:
    if not caps.json_object or with_tools:
        notes.append(converted("response_format", "a JSON object is asked for in words"))
        return {}, ONE_OBJECT
    words = "" if _mentions_json(request) else _RESPOND_IN_JSON
    if words:
        notes.append(added("messages", "an instruction to respond in JSON, which json_object needs"))
    return {"response_format": {"type": "json_object"}}, words


def _mentions_json(request: ChatRequest) -> bool:
    texts = [
        *request.system,
        *(part for turn in request.turns for part in turn.parts if isinstance(part, Text)),
    ]
    return any("json" in text.text.lower() for text in texts)
