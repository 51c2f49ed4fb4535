"""Pictures, documents and search results of a request.

A document may be given as blocks of its own (`source.type` "content") and a search result has a shape that no other
dialect knows: both become what others can use, a text document and a text, and keep the original beside it
(`_source`, `_block` in `extra`), so that the same dialect gets back what it sent.
"""

import base64

from allgate.core.errors import wire_error
from allgate.dialects.anthropic.content import texts_in
from allgate.dialects.anthropic.seal_slots import ORIGIN
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.passes.lenient import object_of, text_of
from allgate.operations.chat.data_url import regular_base64
from allgate.operations.chat.parts import (
    CacheMark,
    Extra,
    FileRef,
    Inline,
    Media,
    MediaKind,
    Source,
    Text,
    Url,
)
from allgate.wire.json import JsonObject, object_at, optional_text, text_at

_IMAGE_MEMBERS = frozenset({"type", "source", "cache_control"})
_DOCUMENT_MEMBERS = _IMAGE_MEMBERS | {"title", "context", "citations"}


def media_part(
    kind: MediaKind, block: JsonObject, path: str, mark: CacheMark | None, extra: JsonObject
) -> Media:
    """An image or document block. Raises: WireError: a source of no known type."""
    raw = object_at(block.get("source"), f"{path}.source")
    members = dict(extra)
    if raw.get("type") == "content":
        members["_source"] = raw
    known = _IMAGE_MEMBERS if kind == "image" else _DOCUMENT_MEMBERS
    members |= {key: value for key, value in block.items() if key not in known}
    media = Media(
        kind=kind,
        source=_source(raw, f"{path}.source"),
        cache=mark,
        extra={DIALECT: members} if members else {},
    )
    return media if kind == "image" else _with_document_members(media, block, path)


def _with_document_members(media: Media, block: JsonObject, path: str) -> Media:
    enabled = object_of(block.get("citations")).get("enabled")
    return Media(
        kind=media.kind,
        source=media.source,
        title=optional_text(block, "title", f"{path}.title"),
        context=optional_text(block, "context", f"{path}.context"),
        citations=enabled if isinstance(enabled, bool) else None,
        cache=media.cache,
        extra=media.extra,
    )


def _source(raw: JsonObject, path: str) -> Source:
    match raw.get("type"):
        case "base64":
            data = text_at(raw.get("data"), f"{path}.data")
            return Inline(
                mime=text_at(raw.get("media_type"), f"{path}.media_type"), base64=regular_base64(data)
            )
        case "url":
            return Url(url=text_at(raw.get("url"), f"{path}.url"))
        case "file":
            return FileRef(origin=ORIGIN, ref=text_at(raw.get("file_id"), f"{path}.file_id"))
        case "text":
            return _plain(text_at(raw.get("data"), f"{path}.data"))
        case "content":
            return _plain(texts_in(raw.get("content")))
        case other:
            kinds = "base64, url, file, text, content"
            raise wire_error(f"{path}.type: {other!r} is not one of {kinds}", param=f"{path}.type")


def _plain(text: str) -> Inline:
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    return Inline(mime="text/plain", base64=encoded)


def search_result_part(block: JsonObject, mark: CacheMark | None) -> Text:
    """A search result as text, with the block itself beside it."""
    raw = {key: value for key, value in block.items() if key != "cache_control"}
    head = "\n".join(line for line in (text_of(block.get("title")), text_of(block.get("source"))) if line)
    text = "\n\n".join(piece for piece in (head, texts_in(block.get("content"))) if piece)
    return Text(text=text or "[search result]", cache=mark, extra=kept(raw))


def tool_reference_part(block: JsonObject, mark: CacheMark | None) -> Text:
    """A tool that a search found: a sentence for models that have it among their tools already."""
    raw = {key: value for key, value in block.items() if key != "cache_control"}
    name = text_of(block.get("tool_name"))
    return Text(text=f"Tool {name} is now available.", cache=mark, extra=kept(raw))


def kept(raw: JsonObject) -> Extra:
    """A block that the same dialect sends instead of the part that stands for it."""
    return {DIALECT: {"_block": raw}}
