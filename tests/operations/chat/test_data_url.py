import pytest

from allgate.core.errors import WireError
from allgate.operations.chat.data_url import data_url, inline_of, regular_base64
from allgate.operations.chat.parts import Inline


@pytest.mark.parametrize(
    ("url", "mime", "payload"),
    [
        ("data:image/png;base64,iVBO", "image/png", "iVBO"),
        ("DATA:image/png;BASE64,iVBO", "image/png", "iVBO"),
        ("data:text/plain;charset=utf-8;base64,YQ==", "text/plain;charset=utf-8", "YQ=="),
        ("data:;base64,YQ", "application/pdf", "YQ=="),
        ("data:text/html,%3Cb%3E", "text/html", "PGI+"),
        ("data:,", "application/pdf", ""),
    ],
)
def test_a_data_url_becomes_type_and_padded_base64(url: str, mime: str, payload: str) -> None:
    assert inline_of(url, "application/pdf") == Inline(mime=mime, base64=payload)


@pytest.mark.parametrize("url", ["http://a/b,c", "data:image/png;base64", ""])
def test_what_is_no_data_url_is_refused(url: str) -> None:
    with pytest.raises(WireError):
        inline_of(url)


def test_url_safe_letters_white_space_and_missing_padding_are_made_regular() -> None:
    assert regular_base64("a-_b\n YQ") == "a+/bYQ=="
    assert regular_base64("YQ%3D%3D") == "YQ=="


def test_a_data_url_is_written_back_as_it_was() -> None:
    assert data_url(inline_of("data:image/png;base64,iVBO")) == "data:image/png;base64,iVBO"
