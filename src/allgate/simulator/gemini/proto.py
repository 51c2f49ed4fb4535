"""Gemini's request messages, and reading JSON into them as Google's proto parser does.

Field names are taken in camelCase and in snake_case; one object stands for an array of one; a number may be written as
text. The first name that a message does not have refuses the whole request. What comes out is in camelCase throughout,
so the rules have one spelling to look for. Source: `google.genai.types`, recordings/google, and Google's error texts.

A field's kind is a scalar (`string`, `bool`, `int`, `float`, `bytes`), `any`, an enum (`=Name`), a message (`Name`), an
array (`[kind]`) or a map to messages (`{Name}`).
"""

import re
from base64 import b64decode, urlsafe_b64decode
from binascii import Error as Base64Error
from typing import cast

from allgate.simulator.exchange import Rejected
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

_ENUMS: dict[str, tuple[str, ...]] = {
    "Mode": ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
    "ThinkingLevel": ("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"),
    "Modality": ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"),
    "MediaResolution": (
        "MEDIA_RESOLUTION_UNSPECIFIED", "MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH",
        "MEDIA_RESOLUTION_ULTRA_HIGH",
    ),
    "Type": ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"),
    "HarmCategory": (
        "HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH", "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT", "HARM_CATEGORY_CIVIC_INTEGRITY",
    ),
    "HarmBlockThreshold": ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"),
}  # fmt: skip

_MESSAGES: dict[str, dict[str, str]] = {
    "GenerateContentRequest": {
        "model": "string", "contents": "[Content]", "systemInstruction": "Content", "tools": "[Tool]",
        "toolConfig": "ToolConfig", "safetySettings": "[SafetySetting]", "generationConfig": "GenerationConfig",
        "cachedContent": "string", "labels": "any", "store": "bool", "serviceTier": "string",
        "continuationToken": "string",
    },
    "CountTokensRequest": {
        "model": "string", "contents": "[Content]", "generateContentRequest": "GenerateContentRequest",
    },
    "Content": {"role": "string", "parts": "[Part]"},
    "Part": {
        "text": "string", "inlineData": "Blob", "fileData": "FileData", "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse", "executableCode": "any", "codeExecutionResult": "any",
        "toolCall": "any", "toolResponse": "any", "thought": "bool", "thoughtSignature": "bytes",
        "videoMetadata": "VideoMetadata", "mediaResolution": "any", "partMetadata": "any",
    },
    "Blob": {"mimeType": "string", "data": "bytes", "displayName": "string"},
    "FileData": {"mimeType": "string", "fileUri": "string", "displayName": "string"},
    "VideoMetadata": {"startOffset": "string", "endOffset": "string", "fps": "float"},
    "FunctionCall": {"id": "string", "name": "string", "args": "any", "partialArgs": "any", "willContinue": "bool"},
    "FunctionResponse": {
        "id": "string", "name": "string", "response": "any", "parts": "[FunctionResponsePart]", "willContinue": "bool",
        "scheduling": "string",
    },
    "FunctionResponsePart": {"inlineData": "Blob", "fileData": "FileData"},
    "SafetySetting": {"category": "=HarmCategory", "threshold": "=HarmBlockThreshold", "method": "string"},
    "Tool": {
        "functionDeclarations": "[FunctionDeclaration]", "googleSearch": "any", "googleSearchRetrieval": "any",
        "codeExecution": "any", "urlContext": "any", "googleMaps": "any", "fileSearch": "any", "computerUse": "any",
        "mcpServers": "any",
    },
    "FunctionDeclaration": {
        "name": "string", "description": "string", "parameters": "Schema", "parametersJsonSchema": "any",
        "response": "Schema", "responseJsonSchema": "any", "behavior": "string",
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig", "retrievalConfig": "any",
        "includeServerSideToolInvocations": "bool",
    },
    "FunctionCallingConfig": {
        "mode": "=Mode", "allowedFunctionNames": "[string]", "streamFunctionCallArguments": "bool",
    },
    "GenerationConfig": {
        "temperature": "float", "topP": "float", "topK": "float", "candidateCount": "int", "maxOutputTokens": "int",
        "stopSequences": "[string]", "seed": "int", "presencePenalty": "float", "frequencyPenalty": "float",
        "responseLogprobs": "bool", "logprobs": "int", "responseMimeType": "string", "responseSchema": "Schema",
        "responseJsonSchema": "any", "responseFormat": "any", "responseModalities": "[=Modality]",
        "speechConfig": "any", "imageConfig": "any", "mediaResolution": "=MediaResolution", "audioTimestamp": "bool",
        "thinkingConfig": "ThinkingConfig", "enableEnhancedCivicAnswers": "bool",
    },
    "ThinkingConfig": {"includeThoughts": "bool", "thinkingBudget": "int", "thinkingLevel": "=ThinkingLevel"},
    "Schema": {
        "type": "=Type", "format": "string", "title": "string", "description": "string", "nullable": "bool",
        "enum": "[string]", "items": "Schema", "minItems": "int", "maxItems": "int", "properties": "{Schema}",
        "required": "[string]", "minProperties": "int", "maxProperties": "int", "minimum": "float", "maximum": "float",
        "minLength": "int", "maxLength": "int", "pattern": "string", "example": "any", "anyOf": "[Schema]",
        "propertyOrdering": "[string]", "default": "any",
    },
}  # fmt: skip

_LABELS = {
    "string": "TYPE_STRING",
    "bool": "TYPE_BOOL",
    "int": "TYPE_INT32",
    "float": "TYPE_FLOAT",
    "bytes": "TYPE_BYTES",
}
_SNAKE = re.compile(r"_([a-z])")
_CAMEL = re.compile(r"([A-Z])")


def parse(message: str, value: Json, path: str = "") -> JsonObject:
    """`value` as this message, in camelCase. Raises: Rejected: as Google words it.

    >>> parse("Content", {"parts": {"inline_data": {"mime_type": "image/png"}}})
    {'parts': [{'inlineData': {'mimeType': 'image/png'}}]}
    """
    if not isinstance(value, dict):
        raise _invalid(path, f"type.googleapis.com/google.ai.generativelanguage.v1beta.{message}", value)
    fields = _MESSAGES[message]
    read: JsonObject = {}
    for given, inner in cast(JsonObject, value).items():
        name = _SNAKE.sub(lambda match: match[1].upper(), given.lstrip("_"))
        if name not in fields:
            raise _unknown(given, path)
        if inner is not None:
            read[name] = _field(fields[name], inner, f"{path}.{_snake(name)}" if path else _snake(name))
    return read


def _field(kind: str, value: Json, path: str) -> Json:
    if kind.startswith("["):
        inner: list[Json] = cast(list[Json], value) if isinstance(value, list) else [value]
        return [_field(kind[1:-1], item, f"{path}[{place}]") for place, item in enumerate(inner)]
    if kind.startswith("{"):
        if not isinstance(value, dict):
            raise _invalid(path, "map", value)
        members = cast(JsonObject, value)
        return {
            key: _field(kind[1:-1], item, f"{path}[{place}].value")
            for place, (key, item) in enumerate(members.items())
        }
    if kind.startswith("="):
        return _enum(kind[1:], value, path)
    if kind in _MESSAGES:
        return parse(kind, value, path)
    return _scalar(kind, value, path)


def _enum(name: str, value: Json, path: str) -> str:
    if not isinstance(value, str) or value.upper() not in _ENUMS[name]:
        raise _invalid(path, f"type.googleapis.com/google.ai.generativelanguage.v1beta.{name}", value)
    return value.upper()


def _scalar(kind: str, value: Json, path: str) -> Json:
    match kind:
        case "string" if isinstance(value, str):
            return value
        case "bool" if isinstance(value, bool):
            return value
        case "int" | "float" if not isinstance(value, bool):
            return _number(kind, value, path)
        case "bytes" if isinstance(value, str):
            return _base64(value, path)
        case "any":
            return value
        case _:
            raise _invalid(path, _LABELS[kind], value)


def _number(kind: str, value: Json, path: str) -> float | int:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise _invalid(path, _LABELS[kind], value) from error
    if kind == "int" and not number.is_integer():
        raise _invalid(path, _LABELS[kind], value)
    return int(number) if kind == "int" else number


def _base64(value: str, path: str) -> str:
    """`value` unchanged, if it is base64 of either alphabet, padded or not."""
    padded = value + "=" * (-len(value) % 4)
    try:
        if "-" in value or "_" in value:
            urlsafe_b64decode(padded)
        else:
            b64decode(padded, validate=True)
    except (Base64Error, ValueError) as error:
        raise Rejected(
            f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for \"{value[:40]}\"",
            details=_violation(path, "Base64 decoding failed"),
        ) from error
    return value


def _snake(name: str) -> str:
    return _CAMEL.sub(lambda match: "_" + match[1].lower(), name)


def _unknown(name: str, path: str) -> Rejected:
    where = f" at '{path}'" if path else ""
    told = f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'
    return Rejected(told, details=_violation(path, told))


def _invalid(path: str, label: str, value: Json) -> Rejected:
    shown = json.encode_text(value)[:80]
    told = f"Invalid value at '{path}' ({label}), {shown}"
    return Rejected(told, details=_violation(path, told))


def _violation(path: str, told: str) -> list[Json]:
    violation = {"field": path, "description": told} if path else {"description": told}
    return [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
