"""Content blocks of a Messages request: which keys each has, and what must be in them.

A block is checked where it stands, so a message begins with the path: `messages.0.content.1.image.source: …`.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TypeAlias, TypeVar, cast

from allgate.simulator.exchange import Rejected
from allgate.simulator.reading import part, word
from allgate.wire.json import Json, JsonObject

Shape = TypeVar("Shape")

_Keys: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]

# type → (required keys, optional keys); the inside of a type that is not here is not looked at
_KEYS: dict[str, _Keys] = {
    "text": (("text",), ("cache_control", "citations")),
    "image": (("source",), ("cache_control", "transformations")),
    "document": (("source",), ("cache_control", "citations", "context", "title")),
    "search_result": (("content", "source", "title"), ("cache_control", "citations")),
    "thinking": (("thinking", "signature"), ()),
    "redacted_thinking": (("data",), ()),
    "tool_use": (("id", "name", "input"), ("cache_control", "caller", "toolset_name")),
    "tool_result": (("tool_use_id",), ("content", "is_error", "cache_control", "toolset_name")),
    "server_tool_use": (("id", "name", "input"), ("cache_control", "caller")),
    "tool_reference": (("tool_name",), ("cache_control",)),
}
_ID = re.compile(r"[a-zA-Z0-9_-]+")
IMAGES = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}


def extra(path: str) -> Rejected:
    """temperature: Extra inputs are not permitted"""
    return Rejected(f"{path}: Extra inputs are not permitted")


def missing(path: str) -> Rejected:
    """max_tokens: Field required"""
    return Rejected(f"{path}: Field required")


def shape(value: Json, kind: type[Shape], path: str, noun: str) -> Shape:
    """`value`, if it is of this type (a boolean is no integer). Raises: Rejected."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Rejected(f"{path}: Input should be a valid {noun}")
    return value


def mapping(value: Json, path: str) -> JsonObject:
    """`value`, if it is an object. Raises: Rejected."""
    return cast(JsonObject, shape(value, dict, path, "dictionary"))


def array(value: Json, path: str) -> list[Json]:
    """`value`, if it is an array. Raises: Rejected."""
    return cast(list[Json], shape(value, list, path, "list"))


def check_block(block: Json, path: str, allowed: tuple[str, ...], *, signed: bool = True) -> JsonObject:
    """One block of a kind that may stand here. `signed`: thinking needs a signature. Raises: Rejected."""
    found = mapping(block, path)
    kind = word(found, "type")
    if kind is None:
        raise missing(f"{path}.type")
    if kind not in allowed:
        tags = ", ".join(f"'{name}'" for name in sorted(allowed))
        raise Rejected(
            f"{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}"
        )
    path = f"{path}.{kind}"
    if kind in _KEYS:
        _check_keys(found, path, _KEYS[kind], signed=signed)
    match kind:
        case "text":
            _check_text(found, path)
        case "image":
            _check_image(found, path)
        case "document":
            _check_document(found, path)
        case "tool_use" | "server_tool_use":
            mapping(found["input"], f"{path}.input")
            if not _ID.fullmatch(found["id"]):
                raise Rejected(f"{path}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        case "search_result":
            for place, inner in enumerate(array(found["content"], f"{path}.content")):
                check_block(inner, f"{path}.content.{place}", ("text",))
        case _:
            pass
    _check_mark(found, path)
    return found


def _check_keys(block: JsonObject, path: str, keys: _Keys, *, signed: bool) -> None:
    required, optional = keys
    for name in required:
        if name not in block and (signed or name != "signature"):
            raise missing(f"{path}.{name}")
    for name in block:
        if name != "type" and name not in required and name not in optional:
            raise extra(f"{path}.{name}")
    for name in ("text", "thinking", "signature", "data", "id", "name", "tool_use_id"):
        if name in block and name in required and (signed or name != "signature"):
            shape(block[name], str, f"{path}.{name}", "string")


def _check_text(block: JsonObject, path: str) -> None:
    if not block["text"]:
        raise Rejected(f"{path.split('.', 1)[0]}: text content blocks must be non-empty")
    if not block["text"].strip():
        raise Rejected(f"{path.split('.', 1)[0]}: text content blocks must contain non-whitespace text")


def _check_mark(block: JsonObject, path: str) -> None:
    mark = block.get("cache_control")
    if mark is None:
        return
    found = mapping(mark, f"{path}.cache_control")
    if found.get("type") != "ephemeral":
        raise Rejected(
            f"{path}.cache_control: Input tag '{found.get('type')}' found using 'type' does not match any of the "
            "expected tags: 'ephemeral'"
        )
    if found.get("ttl") not in (None, "5m", "1h"):
        raise Rejected(f"{path}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    for name in found:
        if name not in ("type", "ttl", "scope"):
            raise extra(f"{path}.cache_control.ephemeral.{name}")


def _check_image(block: JsonObject, path: str) -> None:
    source = part(block, "source")
    match source.get("type"):
        case "base64":
            media_type, raw = word(source, "media_type") or "", _decoded(source, path)
            if media_type not in IMAGES:
                wanted = "'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
                raise Rejected(f"{path}.source.base64.media_type: Input should be {wanted}")
            if not raw.startswith(IMAGES[media_type]):
                raise Rejected(
                    f"{path}.source.base64.data: The image was specified using the {media_type} media type, but the "
                    "image does not appear to be one"
                )
        case "url":
            _check_https(source, path)
        case "file":
            pass
        case other:
            raise _bad_source(path, other, "'base64', 'file', 'url'")


def _check_document(block: JsonObject, path: str) -> None:
    source = part(block, "source")
    match source.get("type"):
        case "base64":
            if source.get("media_type") != "application/pdf":
                raise Rejected(f"{path}.source.base64.media_type: Input should be 'application/pdf'")
            if not _decoded(source, path).startswith(b"%PDF"):
                raise Rejected(f"{path}.source.base64.data: The PDF specified was not valid.")
        case "text":
            if source.get("media_type") != "text/plain":
                raise Rejected(f"{path}.source.text.media_type: Input should be 'text/plain'")
        case "url":
            _check_https(source, path)
        case "content" | "file":
            pass
        case other:
            raise _bad_source(path, other, "'base64', 'content', 'file', 'text', 'url'")


def _bad_source(path: str, kind: Json, tags: str) -> Rejected:
    return Rejected(
        f"{path}.source: Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}"
    )


def _check_https(source: JsonObject, path: str) -> None:
    if not str(source.get("url")).startswith("https://"):
        raise Rejected(f"{path}.source.url.url: Only HTTPS URLs are supported.")


def _decoded(source: JsonObject, path: str) -> bytes:
    try:
        return b64decode(
            shape(source.get("data"), str, f"{path}.source.base64.data", "string"), validate=True
        )
    except (Base64Error, ValueError) as error:
        raise Rejected(f"{path}.source.base64: invalid base64 data") from error
