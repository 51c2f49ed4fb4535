"""Citations of a text block ↔ annotations.

The vendor attaches a citation to a whole block, so an annotation read here has no offsets. One that has (OpenAI, Gemini) gets
a block of its own: the text is cut where it begins and ends. In a stream the text has left when its citation comes; there
it is written on the block that holds it, with the text between its offsets as what was cited. A web citation's
`encrypted_index` is a seal. What only this vendor says (page, character and block numbers of a document) is kept whole.
"""

from collections.abc import Iterator
from itertools import pairwise

from allgate.core.value import changed
from allgate.dialects.anthropic.seal_slots import readable, slot_text
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.passes.lenient import objects_of, text_of, text_or_none
from allgate.dialects.seals import SealBox, is_envelope
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Annotation, Seal, Text
from allgate.wire.json import Json, JsonObject

WEB = "web_search_result_location"


def annotations_of(citations: Json, origin: str, scope: str) -> tuple[Annotation, ...]:
    """The annotations of a block's `citations`; `scope` is the trust domain its seals belong to."""
    return tuple(annotation_of(citation, origin, scope) for citation in objects_of(citations))


def annotation_of(citation: JsonObject, origin: str, scope: str) -> Annotation:
    cited_text = text_or_none(citation.get("cited_text"))
    if citation.get("type") == WEB:
        index = text_of(citation.get("encrypted_index"))
        return Annotation(
            kind="url",
            url=text_or_none(citation.get("url")),
            title=text_or_none(citation.get("title")),
            cited_text=cited_text,
            seal=Seal(origin=origin, scope=scope, form="encrypted", value=index) if index else None,
        )
    title = citation.get("document_title") or citation.get("title")
    return Annotation(
        kind="document",
        url=text_or_none(citation.get("source")),
        title=text_or_none(title),
        file_id=text_or_none(citation.get("file_id")),
        cited_text=cited_text,
        extra={DIALECT: citation},
    )


def opened(annotation: Annotation, box: SealBox) -> Annotation:
    """An annotation that a client sent back, with the seal of an envelope restored."""
    seal = annotation.seal
    if seal is None or not is_envelope(seal.value):
        return annotation
    envelope = box.unwrap(seal.value)
    return changed(annotation, seal=envelope.seal if envelope else None)


def cut(part: Text, box: SealBox) -> Iterator[tuple[str, list[JsonObject]]]:
    """The text in pieces, each with the citations that cover all of it, for a client."""
    length = len(part.text)
    spans = [(one.start or 0, length if one.end is None else one.end, one) for one in part.annotations]
    cuts = sorted({0, length, *(at for start, end, _ in spans for at in (start, end) if 0 < at < length)})
    for start, end in pairwise(cuts):
        covering = [one for first, last, one in spans if first <= start and end <= last]
        yield part.text[start:end], [shown_one(one, part.text, box) for one in covering]


def shown(part: Text, box: SealBox) -> list[JsonObject]:
    """The citations of a text that has left in one block."""
    return [shown_one(annotation, part.text, box) for annotation in part.annotations]


def shown_one(annotation: Annotation, text: str, box: SealBox) -> JsonObject:
    if DIALECT in annotation.extra:
        return annotation.extra[DIALECT]
    seal = annotation.seal
    return _web(annotation, text, "" if seal is None else slot_text(seal, box))


def replayed(part: Text, caps: Caps) -> list[JsonObject]:
    """The citations that may go back to a provider: its own documents, and web citations whose seal it can read."""
    found: list[JsonObject] = []
    for annotation in part.annotations:
        if DIALECT in annotation.extra:
            found.append(annotation.extra[DIALECT])
        elif annotation.seal is not None and readable(annotation.seal, caps):
            found.append(_web(annotation, part.text, annotation.seal.value))
    return found


def _web(annotation: Annotation, text: str, index: str) -> JsonObject:
    cited = annotation.cited_text
    if cited is None:
        cited = text[annotation.start or 0 : annotation.end]
    where = annotation.url or annotation.file_id or ""
    return {
        "type": WEB, "cited_text": cited, "url": where, "title": annotation.title, "encrypted_index": index,
    }  # fmt: skip
