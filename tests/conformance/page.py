"""Writes docs/dialects.md: what each dialect makes of each thing a request can say, asked of the encoders themselves.

.venv/bin/python tests/conformance/page.py > docs/dialects.md
"""

from collections.abc import Mapping

from said import SAID

from allgate.core.errors import WireError
from allgate.dialects import CHAT_DIALECTS
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.request import ChatRequest
from allgate.wiring.registry import packaged_providers

# The vendor whose own capabilities stand for its dialect.
VENDORS = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
}
HEAD = """# What crosses, what is converted, what becomes a note

Each row is one thing that a request can say, whichever dialect it came in; each column is what the encoder for a provider of that
dialect does with it, by the capabilities of the vendor's own row (another provider's row may say otherwise). Every deviation
reaches the client in the header `x-allgate-notes`; what would change the meaning in silence is a 400.

A picture, document or film by URL that the provider would not take is fetched by the gateway first, so its row says what happens
where the fetch is not possible.

This page is written by `tests/conformance/page.py`, and a test holds it to the code.

- **carried**: in the target's own words
- **converted**, **added**, **clamped**, **dropped**: done, and noted
- **refused**: a 400 that says what the model cannot do

"""
RECORDED = """
## Recorded replies

342 recorded replies of real providers (114 Chat, 87 Responses, 65 Messages, 76 Gemini; 133 of them streams) are replayed as the
provider's answer and asked for through all four doors, read by the vendors' own SDKs: 1,368 cases, all with the same text,
thinking, calls, finish and token totals as the provider's SDK reads from the recording itself (`tests/matrix`). Stated
differences, where a dialect has no word for what was said: a Messages client sees `[image]` for a picture in the answer; calls that
the length limit cut off in mid-argument are empty or absent where arguments are objects; a call that Gemini itself finds
fault with ends as `stop` or as a call; code that the provider ran is not written into the text of a chat answer.
"""


def page() -> str:
    """The whole page."""
    caps = {name: _caps(name, vendor) for name, vendor in VENDORS.items()}
    lines = ["| | " + " | ".join(f"`{name}`" for name in VENDORS) + " |", "| --- " * 5 + "|"]
    for title, request in SAID:
        lines.append(f"| {title} | " + " | ".join(_outcome(name, request, caps) for name in VENDORS) + " |")
    return HEAD + "\n".join(lines) + "\n" + RECORDED


def _caps(dialect: str, vendor: str) -> Caps:
    speaks = packaged_providers()[vendor].in_dialect(dialect)
    assert speaks is not None
    return speaks.caps


def _outcome(dialect: str, request: ChatRequest, caps: Mapping[str, Caps]) -> str:
    try:
        call = CHAT_DIALECTS[dialect].encode_request(request, "m", caps[dialect])
    except WireError as error:
        return f"refused: {error.failure.message}".replace("|", "/")
    told = dict.fromkeys(f"{note.kind}: {note.reason or note.path}" for note in call.notes)
    return "; ".join(told).replace("|", "/") or "carried"


if __name__ == "__main__":
    print(page(), end="")
