"""Citations on a text: `url_citation`, `file_citation`, `container_file_citation`, `file_path`.

Offsets are code points into the text of the same content part, on the wire and inside.
"""

from allgate.dialects.openai_responses.own import NAME, own, rest
from allgate.dialects.passes.lenient import count_of, objects_of, text_of, text_or_none
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import Annotation, Text
from allgate.wire.json import Json, JsonObject

_URL = frozenset({"type", "url", "title", "start_index", "end_index"})
_FILE = frozenset({"file_id", "filename"})
_CONTAINER = frozenset({"type", "file_id", "filename", "start_index", "end_index"})


def decode_annotations(value: Json) -> tuple[Annotation, ...]:
    """The citations in an `annotations` array; unknown kinds are kept as files with all their members."""
    return tuple(decode_annotation(item) for item in objects_of(value))


def decode_annotation(item: JsonObject) -> Annotation:
    start, end = count_of(item.get("start_index")), count_of(item.get("end_index"))
    match item.get("type"):
        case "url_citation":
            return Annotation(
                kind="url",
                url=text_of(item.get("url")),
                title=text_or_none(item.get("title")),
                start=start,
                end=end,
                extra=rest(item, _URL),
            )
        case "container_file_citation":
            return Annotation(
                kind="container_file",
                file_id=text_or_none(item.get("file_id")),
                filename=text_or_none(item.get("filename")),
                start=start,
                end=end,
                extra=rest(item, _CONTAINER),
            )
        case _:
            return Annotation(
                kind="file",
                file_id=text_or_none(item.get("file_id")),
                filename=text_or_none(item.get("filename")),
                extra=rest(item, _FILE),
            )


def encode_annotations(text: Text) -> tuple[list[JsonObject], tuple[Note, ...]]:
    """The wire citations of a text. A citation of something without an address or a file id cannot be said here."""
    encoded = [_encoded(annotation, len(text.text)) for annotation in text.annotations]
    found = [item for item in encoded if item is not None]
    lost = len(encoded) - len(found)
    note = dropped("annotations", "a citation without an address or a file id") if lost else None
    return found, (note,) if note else ()


def encode_annotation(annotation: Annotation, text_length: int) -> JsonObject | None:
    """One wire citation, or None where this dialect has no word for it."""
    return _encoded(annotation, text_length)


def _encoded(annotation: Annotation, text_length: int) -> JsonObject | None:
    span = {
        "start_index": 0 if annotation.start is None else annotation.start,
        "end_index": text_length if annotation.end is None else annotation.end,
    }
    extra = own(annotation.extra)
    if annotation.kind == "container_file":
        named = {"file_id": annotation.file_id or "", "filename": annotation.filename or ""}
        return {"container_id": "", **extra, "type": "container_file_citation", **named, **span}
    if annotation.file_id:
        named = {"filename": annotation.filename} if annotation.filename is not None else {}
        return {"type": "file_citation", "index": 0, **extra, "file_id": annotation.file_id, **named}
    if annotation.url:
        title = annotation.title or annotation.filename or ""
        return {**extra, "type": "url_citation", "url": annotation.url, "title": title, **span}
    return dict(extra) if NAME in annotation.extra else None
