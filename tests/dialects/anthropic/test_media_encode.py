import pytest

from allgate.core.errors import WireError
from allgate.operations.chat.parts import FileRef, Inline, Media, Url
from dialects.anthropic.exchange import encoded, foreign


def source(part: Media, **narrowed) -> dict:
    body = encoded(foreign(part, role="user"), **narrowed)
    return body["messages"][0]["content"][1]["source"]


def document(mime: str, data: str = "aGk=") -> Media:
    return Media(kind="document", source=Inline(mime=mime, base64=data))


def test_pictures_are_sent_inline_by_address_or_as_files():
    assert source(Media(kind="image", source=Inline(mime="image/png", base64="iVBO"))) == {
        "type": "base64", "media_type": "image/png", "data": "iVBO",
    }  # fmt: skip
    assert source(Media(kind="image", source=Url(url="https://e.x/a"))) == {
        "type": "url",
        "url": "https://e.x/a",
    }
    assert source(Media(kind="image", source=FileRef(origin="anthropic", ref="f"))) == {
        "type": "file",
        "file_id": "f",
    }
    assert (
        source(Media(kind="image", source=Inline(mime="image/jpg", base64="")))["media_type"] == "image/jpeg"
    )


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        ("iVBORw0KGgoAAA", "image/png"),
        ("/9j/4AAQ", "image/jpeg"),
        ("R0lGODlh", "image/gif"),
        ("UklGRg", "image/webp"),
    ],
)
def test_a_picture_s_own_bytes_decide_about_its_type(data, mime):
    assert source(Media(kind="image", source=Inline(mime="image/heic", base64=data)))["media_type"] == mime


def test_regression_79_a_pdf_is_a_document():
    assert source(document("application/pdf"))["media_type"] == "application/pdf"


@pytest.mark.parametrize("mime", ["text/plain", "text/markdown; charset=utf-8", "application/json"])
def test_texts_are_sent_as_plain_text(mime):
    assert source(document(mime)) == {"type": "text", "media_type": "text/plain", "data": "hi"}


@pytest.mark.parametrize(
    "part",
    [
        Media(kind="audio", source=Inline(mime="audio/wav", base64="")),
        Media(kind="video", source=Url(url="https://e.x/v")),
        Media(kind="image", source=Inline(mime="image/bmp", base64="")),
        Media(kind="image", source=FileRef(origin="openai", ref="file-1")),
        Media(kind="image", source=Url(url="http://e.x/a.png")),
        document("application/msword"),
        document("text/plain", "no base64!"),
    ],
)
def test_what_the_vendor_does_not_take_is_refused(part):
    with pytest.raises(WireError) as caught:
        source(part)
    assert caught.value.failure.status == 400


def test_caps_decide_about_addresses_and_kinds():
    with pytest.raises(WireError, match="by URL"):
        source(Media(kind="image", source=Url(url="https://e.x/a")), image_url=False)
    with pytest.raises(WireError, match="no image input"):
        source(Media(kind="image", source=Url(url="https://e.x/a")), image_mimes=())


def test_a_document_keeps_title_context_and_citations():
    part = Media(
        kind="document", source=Url(url="https://e.x/a.pdf"), title="T", context="C", citations=False
    )
    block = encoded(foreign(part, role="user"))["messages"][0]["content"][1]
    assert (block["title"], block["context"], block["citations"]) == ("T", "C", {"enabled": False})
