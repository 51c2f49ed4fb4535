"""What an answer rests on: groundingMetadata, citationMetadata and urlContextMetadata ↔ annotations and hosted calls.

Gemini names its sources once, in chunks, and then says which bytes of the text rest on which of them; several sources
for one place are several annotations. Its offsets count UTF-8 bytes; a part's index is given only where it is not the
first. Here all places count bytes of the whole visible text (`Citation`), because a stream brings that text in pieces.
"""

from collections.abc import Iterable, Sequence

from allgate.core.value import Value, changed
from allgate.dialects.gemini.members import members_of
from allgate.dialects.passes.lenient import count_of, list_of, object_of, objects_of, text_or_none, texts_of
from allgate.dialects.passes.offsets import Utf8Offsets
from allgate.operations.chat.parts import Annotation, Hosted, HostedResult, Part, SearchHit, Text
from allgate.wire.json import Json, JsonObject

_CHUNK_KINDS = ("web", "retrievedContext", "maps", "image")


class Citation(Value, frozen=True, kw_only=True):
    """A source for the bytes from `start` to `end` (None: to the end) of the visible text."""

    start: int
    end: int | None
    annotation: Annotation


def members(value: Json) -> JsonObject:
    """The members of a provider's object, named in camelCase; none of anything else."""
    return members_of(object_of(value), "reply")


def citations_of(candidate: JsonObject, part_starts: Sequence[int]) -> list[Citation]:
    """All citations of a candidate. `part_starts` are the bytes of visible text before each of its wire parts."""
    metadata = members(candidate.get("groundingMetadata"))
    sources = [_source(chunk) for chunk in objects_of(metadata.get("groundingChunks"))]
    found: list[Citation] = []
    for support in objects_of(metadata.get("groundingSupports")):
        support = members(support)
        segment = members(support.get("segment"))
        base = _base(count_of(segment.get("partIndex")), part_starts)
        for index in list_of(support.get("groundingChunkIndices")):
            place = count_of(index)
            if place is not None and place < len(sources) and (source := sources[place]) is not None:
                annotation = changed(source, cited_text=text_or_none(segment.get("text")))
                found.append(_cited(segment, base, annotation))
    for citation in objects_of(members(candidate.get("citationMetadata")).get("citations")):
        citation = members(citation)
        annotation = Annotation(
            kind="url", url=text_or_none(citation.get("uri")), title=text_or_none(citation.get("title"))
        )
        found.append(_cited(citation, 0, annotation))
    return found


def _cited(place: JsonObject, base: int, annotation: Annotation) -> Citation:
    start, end = count_of(place.get("startIndex")) or 0, count_of(place.get("endIndex"))
    return Citation(start=base + start, end=None if end is None else base + end, annotation=annotation)


def _base(part: int | None, part_starts: Sequence[int]) -> int:
    return part_starts[part] if part is not None and part < len(part_starts) else 0


def _source(chunk: JsonObject) -> Annotation | None:
    chunk = members(chunk)
    for kind in _CHUNK_KINDS:
        if kind in chunk:
            source = members(chunk[kind])
            uri = text_or_none(source.get("uri")) or text_or_none(source.get("sourceUri"))
            title = text_or_none(source.get("title"))
            if kind == "retrievedContext":
                return Annotation(
                    kind="file",
                    url=uri,
                    title=title,
                    filename=title,
                    file_id=text_or_none(source.get("documentName")),
                )
            return Annotation(kind="url", url=uri, title=title)
    return None


def annotations_in(text: str, base: int, citations: Iterable[Citation]) -> list[Annotation]:
    """The citations that begin within `text`, which begins at byte `base`, as annotations of it."""
    offsets = Utf8Offsets(text)
    size = offsets.utf8_bytes(len(text))
    return [
        changed(
            citation.annotation,
            start=offsets.code_points(citation.start - base),
            end=len(text) if citation.end is None else offsets.code_points(citation.end - base),
        )
        for citation in citations
        if 0 <= citation.start - base < max(1, size)
    ]


def hosted_calls(candidate: JsonObject) -> list[Hosted]:
    """The searches and fetches that a candidate's metadata tells of."""
    calls: list[Hosted] = []
    metadata = members(candidate.get("groundingMetadata"))
    queries = texts_of(metadata.get("webSearchQueries"))
    hits = [hit for chunk in objects_of(metadata.get("groundingChunks")) if (hit := _hit(chunk))]
    if queries or hits:
        calls.append(_call("web_search", queries, hits))
    fetched = objects_of(members(candidate.get("urlContextMetadata")).get("urlMetadata"))
    pages = [
        SearchHit(url=url) for page in fetched if (url := text_or_none(members(page).get("retrievedUrl")))
    ]
    if pages:
        calls.append(_call("web_fetch", (), pages))
    return calls


def _hit(chunk: JsonObject) -> SearchHit | None:
    source = members(members(chunk).get("web"))
    url = text_or_none(source.get("uri"))
    return SearchHit(url=url, title=text_or_none(source.get("title"))) if url else None


def _call(kind: str, queries: tuple[str, ...], hits: list[SearchHit]) -> Hosted:
    tool = "web_search" if kind == "web_search" else "web_fetch"
    return Hosted(call_id="", tool=tool, name=tool, queries=queries, result=HostedResult(hits=tuple(hits)))


def searches_in(metadata: JsonObject) -> int | None:
    """How many searches groundingMetadata reports; None where it reports none."""
    return len(texts_of(metadata.get("webSearchQueries"))) or None


def metadata_for(parts: Sequence[Part], places: Sequence[int] | None = None) -> JsonObject | None:
    """groundingMetadata that says what these parts of an answer rest on; None where on nothing.

    `places` are the indexes of the texts among the parts of a whole content, by which they are named; None: the answer
    was streamed, and offsets run through all of its text.
    """
    if not [
        part for part in parts if isinstance(part, Hosted) or (isinstance(part, Text) and part.annotations)
    ]:
        return None  # as nearly always
    queries = [
        query
        for part in parts
        if isinstance(part, Hosted) and part.tool == "web_search"
        for query in part.queries
    ]
    chunks: dict[tuple[str | None, str | None], int] = {}
    supports: list[JsonObject] = []
    for part in parts:
        if isinstance(part, Hosted) and part.tool == "web_search" and part.result is not None:
            for hit in part.result.hits:
                chunks.setdefault((hit.url, hit.title), len(chunks))
    base = 0
    texts = [part for part in parts if isinstance(part, Text)]
    for number, part in enumerate(texts):
        place = None if places is None else places[number]
        for annotation in part.annotations:
            key = (annotation.url or annotation.file_id, annotation.title or annotation.filename)
            chunk = chunks.setdefault(key, len(chunks))
            supports.append(
                {
                    "segment": _segment(part, annotation, base, place),
                    "groundingChunkIndices": [chunk],
                }
            )
        base += len(part.text.encode("utf-8", "surrogatepass")) if places is None else 0
    if not (queries or chunks):
        return None
    web = [
        {"web": {key: value for key, value in (("uri", url), ("title", title)) if value}}
        for url, title in chunks
    ]
    metadata: JsonObject = {
        "webSearchQueries": queries,
        "groundingChunks": web,
        "groundingSupports": supports,
    }
    return {key: value for key, value in metadata.items() if value}


def _segment(part: Text, annotation: Annotation, base: int, place: int | None) -> JsonObject:
    offsets = Utf8Offsets(part.text)
    start = annotation.start or 0
    end = len(part.text) if annotation.end is None else annotation.end
    segment: JsonObject = {
        "startIndex": base + offsets.utf8_bytes(start),
        "endIndex": base + offsets.utf8_bytes(end),
        "text": annotation.cited_text or part.text[start:end],
    }
    return {"partIndex": place, **segment} if place else segment
