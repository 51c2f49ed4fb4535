"""The two API versions, the beta header, and the few words that every file of this dialect needs.

`2026-10-21` (the default of the vendor's newest SDKs) took temperature, top_p and top_k away, and refuses documents in
assistant messages and citations in user messages. `2023-06-01` still takes all of them, so it is what converted
requests are sent with. A client's own version is kept for its own dialect, unless the deployment offers only the new one.
Facts: anthropic 2.11 SDK; the section on Messages of our wire-format notes.
"""

from allgate.operations.chat.caps import Caps
from allgate.operations.chat.request import ChatRequest
from allgate.wire.headers import Headers

DIALECT = "anthropic"
VERSION_OLD = "2023-06-01"
VERSION_NEW = "2026-10-21"

_JSON = (b"content-type", b"application/json")

CALL_ID = r"[A-Za-z0-9_-]+"
CALL_ID_CHARACTERS_MAX = 256
"""The vendor checks the alphabet and names no length; ours keeps an id from being a hiding place for a document."""

INTERLEAVED_THINKING = "interleaved-thinking"
"""With this beta a thinking budget spans a whole tool loop and may exceed max_tokens."""


def said_in(headers: Headers) -> tuple[str | None, tuple[str, ...]]:
    """(version, betas) of a request: the values of every `anthropic-beta` line, in order, each once."""
    version: str | None = None
    betas: list[str] = []
    for name, value in headers:
        if name == b"anthropic-version" and version is None:
            version = value.decode("latin-1")
        elif name == b"anthropic-beta":
            betas += [beta.strip() for beta in value.decode("latin-1").split(",")]
    return version, tuple(dict.fromkeys(filter(None, betas))) if betas else ()


def sent_version(request: ChatRequest, caps: Caps) -> str:
    """The version to send a request with."""
    if request.dialect == DIALECT and request.api_version and caps.api_version in (None, VERSION_OLD):
        return request.api_version
    return caps.api_version or VERSION_OLD


def takes_sampling(version: str) -> bool:
    """Versions are dates, so they compare as text."""
    return version < VERSION_NEW


def call_headers(version: str, betas: tuple[str, ...]) -> Headers:
    """Content type, version and betas of a call to a provider."""
    said = (b"anthropic-version", version.encode("latin-1"))
    if not betas:
        return (_JSON, said)
    return (_JSON, said, (b"anthropic-beta", ",".join(betas).encode("latin-1")))
