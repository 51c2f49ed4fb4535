"""`reasoning_details`: the slot in which chat carries reasoning that must come back unchanged (OpenRouter's convention).

An entry is `{type: "reasoning.text", text, signature}`, `{type: "reasoning.summary", summary}` or
`{type: "reasoning.encrypted", data}`, each with a `format` and an `index`. It is used in four places:

- a provider that sends them gets all of them back whole: the entries of one thinking part are its seal;
- an answer for a chat client carries the seals of other vendors here, each in our envelope;
- a client's history brings them back: an envelope gives the seal it holds, anything else what its `format` declares.
"""

from allgate.core.errors import WireError
from allgate.dialects.passes.lenient import count_of, objects_of, text_of
from allgate.dialects.seals import SealBox, is_envelope
from allgate.operations.chat.parts import Seal
from allgate.wire import json
from allgate.wire.json import JsonObject

CLIENT_SCOPE = "client-declared"

# The `format` words of entries that clients keep from elsewhere → whose seal it is.
_ORIGINS = {
    "anthropic-claude-v1": "anthropic",
    "openai-responses-v1": "openai",
    "google-gemini-v1": "gemini",
}
_FORMATS = {origin: word for word, origin in _ORIGINS.items()}
_PIECES = ("text", "summary", "data")  # members that a stream brings in pieces


class Details:
    """Puts the fragments of a streamed answer's entries together."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], JsonObject] = {}

    def take(self, fragments: list[JsonObject]) -> None:
        for place, fragment in enumerate(fragments):
            index = count_of(fragment.get("index"))
            key = (text_of(fragment.get("type")), place if index is None else index)
            entry = self._entries.setdefault(key, {})
            for name, value in fragment.items():
                if name in _PIECES and isinstance(value, str):
                    entry[name] = text_of(entry.get(name)) + value
                elif value is not None or name not in entry:
                    entry[name] = value

    def seal(self, origin: str, scope: str) -> Seal | None:
        """All entries so far as one seal, to be given back to `origin` as they are; None if there are none."""
        if not self._entries:
            return None
        value = json.encode_text(list(self._entries.values()))
        self._entries.clear()
        return Seal(origin=origin, scope=scope, form="encrypted", value=value)


def text_of_details(details: list[JsonObject]) -> str:
    """What can be read in these entries."""
    return "".join(text_of(entry.get("text")) or text_of(entry.get("summary")) for entry in details)


def details_of_seal(seal: Seal) -> list[JsonObject]:
    """The entries that `Details.seal` made into a seal; nothing for any other value."""
    try:
        return objects_of(json.decode(seal.value))
    except WireError:
        return []


def sealed_detail(
    seal: Seal, text: str, index: int, box: SealBox, *, summary: bool = False, next_part: bool = False
) -> JsonObject:
    """The entry that carries a seal to a chat client. `text`: the thinking it belongs to, if any can be read."""
    envelope = box.wrap(seal, next_part=next_part)
    if not text:
        entry: JsonObject = {"type": "reasoning.encrypted", "data": envelope}
    elif summary:
        entry = {"type": "reasoning.summary", "summary": text, "signature": envelope}
    else:
        entry = {"type": "reasoning.text", "text": text, "signature": envelope}
    return {**entry, "id": None, "format": _FORMATS.get(seal.origin, "unknown"), "index": index}


def is_ours(entry: JsonObject) -> bool:
    """True for an entry that `sealed_detail` wrote: no provider may see it."""
    return is_envelope(text_of(entry.get("signature"))) or is_envelope(text_of(entry.get("data")))


def client_seal(entry: JsonObject, box: SealBox) -> tuple[Seal | None, bool]:
    """(the seal in an entry of a client's history, whether it belongs to the text behind the thinking)."""
    value = text_of(entry.get("signature")) or text_of(entry.get("data"))
    if not value:
        return None, False
    if is_envelope(value):
        opened = box.unwrap(value)
        return (opened.seal, opened.next_part) if opened else (None, False)
    origin = _ORIGINS.get(text_of(entry.get("format")))
    if origin is None:
        return None, False
    form = "signature" if entry.get("signature") else "redacted" if origin == "anthropic" else "encrypted"
    return Seal(origin=origin, scope=CLIENT_SCOPE, form=form, value=value), False
