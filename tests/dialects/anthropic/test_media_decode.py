import base64

from allgate.operations.chat.parts import FileRef, Inline, Media, Url
from dialects.anthropic.exchange import decoded, encoded, parts_of, user


def document(source: dict, **members) -> dict:
    return {"type": "document", "source": source, **members}


def test_pictures_are_inline_addressed_or_files():
    sources = [
        {"type": "base64", "media_type": "image/png", "data": "iVBO"},
        {"type": "url", "url": "https://e.x/a.png"},
        {"type": "file", "file_id": "file_1"},
    ]
    assert [
        part.source for part in parts_of(*({"type": "image", "source": source} for source in sources))
    ] == [
        Inline(mime="image/png", base64="iVBO"),
        Url(url="https://e.x/a.png"),
        FileRef(origin="anthropic", ref="file_1"),
    ]


def test_a_document_has_title_context_and_citations():
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    (part,) = parts_of(document(source, title="T", context="C", citations={"enabled": True}))
    assert part == Media(
        kind="document",
        source=Inline(mime="application/pdf", base64="JVBE"),
        title="T",
        context="C",
        citations=True,
    )


def test_a_text_document_is_plain_text():
    (part,) = parts_of(document({"type": "text", "media_type": "text/plain", "data": "grün"}))
    assert part.source == Inline(mime="text/plain", base64=base64.b64encode("grün".encode()).decode())


def test_a_document_of_blocks_is_text_for_others_and_itself_for_its_own():
    source = {"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    request = decoded(messages=[user(document(source))])
    part = request.turns[0].parts[0]
    assert base64.b64decode(part.source.base64) == b"a\nb"
    assert encoded(request)["messages"][0]["content"] == [document(source)]
