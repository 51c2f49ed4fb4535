import json

from allgate.dialects.gemini import GEMINI
from allgate.dialects.gemini.grounding import metadata_for
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Annotation, Hosted, HostedResult, SearchHit, Text
from dialects.gemini.exchange import events_of, reply, sent, sse

GROUNDS = {
    "webSearchQueries": ["wetter"],
    "groundingChunks": [
        {"web": {"uri": "https://a", "title": "A"}},
        {"web": {"uri": "https://b", "title": "B"}},
    ],
    "groundingSupports": [
        {"segment": {"startIndex": 8, "endIndex": 15, "text": "Zürich"}, "groundingChunkIndices": [0, 1]},
        {"segment": {"endIndex": 7}, "groundingChunkIndices": [1, 9]},
    ],
}
TEXT = "Grüße Zürich"
CITED = (
    Annotation(kind="url", url="https://a", title="A", start=6, end=12, cited_text="Zürich"),
    Annotation(kind="url", url="https://b", title="B", start=6, end=12, cited_text="Zürich"),
    Annotation(kind="url", url="https://b", title="B", start=0, end=5, cited_text=None),
)
SEARCH = Hosted(
    call_id="h", tool="web_search", name="web_search", queries=("wetter",),
    result=HostedResult(hits=(SearchHit(url="https://a", title="A"), SearchHit(url="https://b", title="B"))),
)  # fmt: skip


def whole(*parts: dict, **candidate):
    return (
        GEMINI.decode_response(json.dumps(reply(*parts, finish="STOP", **candidate)).encode(), sent())
        .choices[0]
        .parts
    )


def test_regression_86_every_source_of_a_place_is_a_citation():
    search, text = whole({"text": TEXT}, groundingMetadata=GROUNDS)
    assert text.annotations == CITED
    assert (search.tool, search.queries, search.result) == ("web_search", ("wetter",), SEARCH.result)


def test_sources_that_come_with_the_last_chunk_belong_to_the_text_that_came_before():
    pieces = [
        reply({"text": TEXT[:4]}),
        reply({"text": TEXT[4:]}),
        reply({"text": ""}, finish="STOP", groundingMetadata=GROUNDS),
    ]
    answer = fold(events_of([sse(*pieces)]))
    text, search = answer.choices[0].parts
    assert text.annotations == CITED
    assert search.queries == ("wetter",)


def test_searches_are_counted():
    body = reply({"text": "x"}, finish="STOP", groundingMetadata=GROUNDS, usage={"promptTokenCount": 1})
    answer = GEMINI.decode_response(json.dumps(body).encode(), sent())
    assert answer.usage.web_search_calls == 1


def test_the_index_of_a_part_says_where_its_bytes_begin():
    grounds = {
        **GROUNDS,
        "groundingSupports": [
            {"segment": {"partIndex": 2, "startIndex": 0, "endIndex": 2}, "groundingChunkIndices": [0]}
        ],
    }
    _, first, call, second = whole(
        {"text": "äö"},
        {"functionCall": {"name": "f", "args": {}}},
        {"text": "second"},
        groundingMetadata=grounds,
    )
    assert first.annotations == ()
    assert call.name == "f"
    assert [(one.start, one.end) for one in second.annotations] == [(0, 2)]


def test_files_pages_and_recited_places_are_sources_too():
    candidate = {
        "groundingMetadata": {
            "groundingChunks": [
                {"retrievedContext": {"title": "doc.pdf", "uri": "gs://x", "documentName": "d/1"}}
            ],
            "groundingSupports": [{"segment": {"endIndex": 3}, "groundingChunkIndices": [0]}],
        },
        "citationMetadata": {"citations": [{"startIndex": 1, "endIndex": 3, "uri": "https://c"}]},
        "urlContextMetadata": {
            "urlMetadata": [
                {"retrievedUrl": "https://p", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}
            ]
        },
    }
    fetch, text = whole({"text": "abc"}, **candidate)
    assert (fetch.tool, fetch.result.hits) == ("web_fetch", (SearchHit(url="https://p"),))
    assert [(one.kind, one.url, one.start) for one in text.annotations] == [
        ("file", "gs://x", 0),
        ("url", "https://c", 1),
    ]


def test_what_an_answer_rests_on_is_written_in_bytes():
    metadata = metadata_for((SEARCH, Text(text=TEXT, annotations=CITED[:1])), [0])
    assert metadata == {
        "webSearchQueries": ["wetter"],
        "groundingChunks": GROUNDS["groundingChunks"],
        "groundingSupports": [
            {"segment": {"startIndex": 8, "endIndex": 15, "text": "Zürich"}, "groundingChunkIndices": [0]}
        ],
    }


def test_written_sources_read_the_same():
    parts = (Text(text="äö"), Text(text=TEXT, annotations=CITED))
    for streamed in (True, False):
        metadata = metadata_for(parts, None if streamed else [0, 1])
        wire = [{"text": part.text} for part in parts]
        if streamed:
            wire = [{"text": "äö"}, {"functionCall": {"name": "f", "args": {}}}, {"text": TEXT}]
        found = [part for part in whole(*wire, groundingMetadata=metadata) if isinstance(part, Text)]
        spans = [(one.url, found[-1].text[one.start : one.end]) for one in found[-1].annotations]
        assert sorted(spans) == [("https://a", "Zürich"), ("https://b", "Grüße"), ("https://b", "Zürich")]


def test_an_answer_without_sources_has_no_metadata():
    assert metadata_for((Text(text="x"),), [0]) is None
