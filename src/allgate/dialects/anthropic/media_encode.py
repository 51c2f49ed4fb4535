"""Pictures and documents for the vendor: what it takes, in its shapes; what it lacks is refused by name.

A picture is base64, an https address or a file of the vendor's own; a document is a PDF or plain text. Other text types
(Markdown, CSV, source code) are sent as plain text, which is what they are. The vendor compares a picture's declared type
with its first bytes and refuses a mismatch, so the bytes decide. Fetching by URL for a deployment that takes none is the
gateway's step before this one.
"""

import base64
import binascii

from allgate.core.errors import unsupported, wire_error
from allgate.dialects.anthropic.seal_slots import ORIGIN
from allgate.dialects.anthropic.versions import DIALECT
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import FileRef, Inline, Media, Url
from allgate.wire.json import JsonObject

_TEXT_TYPES = frozenset(
    {
        "application/json",
        "application/xml",
        "application/javascript",
        "application/x-yaml",
        "application/toml",
    }
)

# How base64 of each type begins (the first bytes that are always the same).
_PICTURES = (
    ("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp"),
)  # fmt: skip


def media_block(part: Media, caps: Caps) -> JsonObject:
    """An image or document block. Raises: WireError: a kind, type or source that this deployment does not take."""
    match part.kind:
        case "image":
            return {"type": "image", "source": _image_source(part, caps)}
        case "document":
            return {"type": "document", "source": _document_source(part, caps), **_document_members(part)}
        case kind:
            raise unsupported(f"This model takes no {kind} input", param="messages")


def _image_source(part: Media, caps: Caps) -> JsonObject:
    if not caps.image_mimes:
        raise unsupported("This model takes no image input", param="messages")
    source = part.source
    if isinstance(source, Inline):
        mime = _picture_type(source)
        if mime not in caps.image_mimes:
            raise unsupported(f"This model takes no images of type {source.mime}", param="messages")
        return {"type": "base64", "media_type": mime, "data": source.base64}
    return _remote_source(source, by_url=caps.image_url, kind="image")


def _picture_type(source: Inline) -> str:
    """What the picture's first bytes say, else what was declared."""
    for beginning, mime in _PICTURES:
        if source.base64.startswith(beginning):
            return mime
    return "image/jpeg" if source.mime == "image/jpg" else source.mime


def _document_source(part: Media, caps: Caps) -> JsonObject:
    if DIALECT in part.extra and "_source" in part.extra[DIALECT]:
        return part.extra[DIALECT]["_source"]
    source = part.source
    if not isinstance(source, Inline):
        return _remote_source(source, by_url=caps.document_url, kind="document")
    mime = source.mime.partition(";")[0].strip().lower()
    if mime.startswith("text/") or mime in _TEXT_TYPES:
        return {"type": "text", "media_type": "text/plain", "data": _decoded(source.base64)}
    if mime not in caps.document_mimes:
        raise unsupported(f"This model takes no documents of type {source.mime}", param="messages")
    return {"type": "base64", "media_type": mime, "data": source.base64}


def _document_members(part: Media) -> JsonObject:
    members: JsonObject = {}
    if part.title is not None:
        members["title"] = part.title
    if part.context is not None:
        members["context"] = part.context
    if part.citations is not None:
        members["citations"] = {"enabled": part.citations}
    return members


def _remote_source(source: Url | FileRef, *, by_url: bool, kind: str) -> JsonObject:
    if isinstance(source, FileRef):
        if source.origin != ORIGIN:
            raise unsupported(f"A file of {source.origin} cannot be read by this model", param="messages")
        return {"type": "file", "file_id": source.ref}
    if not by_url:
        raise unsupported(f"This model takes no {kind} by URL", param="messages")
    if not source.url.startswith("https://"):
        raise unsupported(f"This model takes a {kind} by https only", param="messages")
    return {"type": "url", "url": source.url}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise wire_error(f"A text document is not valid base64: {error}", param="messages") from error
