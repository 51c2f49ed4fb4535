"""Data URLs (RFC 2397), which chat clients use to put pictures and files into a request."""

import base64
from urllib.parse import unquote_to_bytes

from allgate.core.errors import wire_error
from allgate.operations.chat.parts import Inline

_STANDARD = str.maketrans("-_", "+/")
_MIME_DEFAULT = "text/plain"


def inline_of(url: str, mime: str | None = None) -> Inline:
    """The bytes of a data URL as padded standard base64; `mime` counts where the URL names no type.

    The base64 text is made regular (url-safe letters, missing padding, line ends), not decoded: a body may hold 20 MB.
    Parameters other than ";base64" (charset) stay in the type. Raises: WireError: no data URL.

    >>> inline_of("data:image/png;base64,iVBO")
    Inline(mime='image/png', base64='iVBO')
    >>> inline_of("data:,a%20b")
    Inline(mime='text/plain', base64='YSBi')
    """
    head, comma, payload = url.partition(",")
    if head[:5].lower() != "data:" or not comma:
        raise wire_error("Invalid data URL: expected 'data:<media type>;base64,<data>'")
    declared, separator, encoding = head[5:].rpartition(";")
    is_base64 = encoding.strip().lower() == "base64"
    kind = (declared if is_base64 and separator else "" if is_base64 else head[5:]).strip()
    if not is_base64:
        payload = base64.b64encode(unquote_to_bytes(payload)).decode("ascii")
    return Inline(mime=kind or mime or _MIME_DEFAULT, base64=regular_base64(payload))


def regular_base64(text: str) -> str:
    """`text` with the standard alphabet, padding, and no white space. The same object where it is regular already."""
    if "%" in text:
        text = unquote_to_bytes(text).decode("latin-1")
    if "-" in text or "_" in text:
        text = text.translate(_STANDARD)
    if "\n" in text or " " in text or "\r" in text or "\t" in text:
        text = "".join(text.split())
    missing = -len(text) % 4
    return text + "=" * missing if missing else text


def data_url(inline: Inline) -> str:
    """The data URL of these bytes."""
    return f"data:{inline.mime};base64,{inline.base64}"
