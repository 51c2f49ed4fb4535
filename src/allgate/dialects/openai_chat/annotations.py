"""Citations: `{type: "url_citation", url_citation: {start_index, end_index, url, title}}`, offsets in code points."""

from allgate.dialects.openai_chat.own import NAME
from allgate.dialects.passes.lenient import count_of, list_of, object_of, objects_of, text_of
from allgate.operations.chat.parts import Annotation
from allgate.wire.json import Json, JsonObject

_KNOWN = frozenset({"start_index", "end_index", "url", "title", "content"})


def annotation_of(wire: JsonObject, offset: int = 0) -> Annotation:
    """A citation of a message. `offset`: code points of the message before the text part that it belongs to."""
    cited = object_of(wire.get("url_citation"))
    if not cited:
        return Annotation(kind="file", extra={NAME: wire})
    start, end = count_of(cited.get("start_index")), count_of(cited.get("end_index"))
    rest = {key: value for key, value in cited.items() if key not in _KNOWN}
    return Annotation(
        kind="url",
        url=text_of(cited.get("url")) or None,
        title=text_of(cited.get("title")) or None,
        start=None if start is None else max(0, start - offset),
        end=None if end is None else max(0, end - offset),
        cited_text=text_of(cited.get("content")) or None,
        extra={NAME: rest} if rest else {},
    )


def annotation_wire(annotation: Annotation, offset: int, text_characters: int) -> JsonObject | None:
    """The citation in a message; None for one that only another dialect can say.

    One without a span cites its whole text part, which lies at `offset` and has `text_characters` code points.
    """
    own = annotation.extra.get(NAME, {})
    if annotation.url is None:
        return own if "type" in own else None
    start = 0 if annotation.start is None else annotation.start
    end = text_characters if annotation.end is None else annotation.end
    cited: JsonObject = {
        **own,
        "start_index": offset + start,
        "end_index": offset + end,
        "url": annotation.url,
        "title": annotation.title or annotation.url,
    }
    if annotation.cited_text is not None:
        cited["content"] = annotation.cited_text
    return {"type": "url_citation", "url_citation": cited}


def pages_of(citations: Json, search_results: Json) -> list[Annotation]:
    """Perplexity's lists of pages: citations of the whole text, with the titles that `search_results` has."""
    titles = {text_of(hit.get("url")): text_of(hit.get("title")) for hit in objects_of(search_results)}
    urls = [text_of(url) for url in list_of(citations)] or list(titles)
    return [Annotation(kind="url", url=url, title=titles.get(url) or None) for url in urls if url]
