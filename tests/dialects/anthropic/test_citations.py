from allgate.core.value import changed
from allgate.dialects.anthropic import citations
from allgate.operations.chat.parts import Annotation, Text
from dialects.anthropic.exchange import BOX, BUDGET, native, other_seal

WEB = {
    "type": "web_search_result_location",
    "cited_text": "c",
    "url": "u",
    "title": "t",
    "encrypted_index": "aWR4",
}
PAGE = {
    "type": "page_location",
    "cited_text": "c",
    "document_title": "d",
    "document_index": 0,
    "start_page_number": 1,
}
SEARCH = {
    "type": "search_result_location",
    "source": "s",
    "title": "t",
    "cited_text": "c",
    "search_result_index": 0,
}


def test_a_web_citation_is_an_annotation_with_a_seal():
    (note,) = citations.annotations_of([WEB], "anthropic", "acct")
    assert note == Annotation(
        kind="url", url="u", title="t", cited_text="c", seal=native("aWR4", "encrypted", "acct")
    )


def test_a_document_s_citation_is_kept_whole():
    page, found = citations.annotations_of([PAGE, SEARCH], "anthropic", "")
    assert (page.kind, page.title, page.extra) == ("document", "d", {"anthropic": PAGE})
    assert (found.url, found.title) == ("s", "t")


def test_odd_citations_are_no_error():
    assert citations.annotations_of(None, "anthropic", "") == ()
    assert citations.annotations_of([None, {}], "anthropic", "")[0].kind == "document"


def test_what_is_shown_is_what_was_read():
    text = Text(text="x", annotations=citations.annotations_of([WEB, PAGE], "anthropic", "acct"))
    assert citations.shown(text, BOX) == [WEB, PAGE]
    assert citations.replayed(text, changed(BUDGET, seal_scope="acct")) == [WEB, PAGE]


def test_only_what_can_be_read_is_replayed():
    text = Text(text="x", annotations=citations.annotations_of([WEB, PAGE], "anthropic", "other"))
    assert citations.replayed(text, BUDGET) == [PAGE]


def test_a_foreign_seal_travels_in_an_envelope():
    note = Annotation(kind="url", url="u", seal=other_seal())
    shown = citations.shown_one(note, "text", BOX)
    back = citations.opened(citations.annotation_of(shown, "anthropic", "client-declared"), BOX)
    assert back.seal == other_seal()


def test_a_forged_index_is_no_seal():
    note = Annotation(kind="url", seal=native("QUdTTDE6nonsense", "encrypted"))
    assert citations.opened(note, BOX).seal is None
    assert citations.opened(Annotation(kind="url"), BOX).seal is None


def test_a_span_is_told_by_its_text():
    note = Annotation(kind="url", url="u", start=2, end=4)
    assert citations.shown_one(note, "abcdef", BOX)["cited_text"] == "cd"
