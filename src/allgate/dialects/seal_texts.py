"""Where seals stand in the bytes of a request or a reply, in any dialect, without decoding it.

All dialects keep them in members of a few names, as strings without escapes: base64, or an envelope of ours, which is
base64 too (Google's SDKs send back the letters of URLs where they were given the standard ones). `data` is also what
pictures are called, so it counts only in bytes that speak of sealed data; a picture that slips in is a text that nobody
remembers. Nothing is verified here: this only tells which seals a client brings back, so that they can be brought to
whoever issued them.
"""

import re

_NAMES = (b'"signature"', b'"thoughtSignature"', b'"thought_signature"', b'"encrypted_content"')
_DATA = b'"data"'
_SEALED_DATA = (b"redacted_thinking", b"reasoning.encrypted")
_VALUE = re.compile(rb'\s*:\s*"([^"\\]{16,65536})"')
"""A shorter one signs nothing (Gemini CLI's `skip_thought_signature_validator` is a note, and longer), a longer one is
no seal: encrypted reasoning is some 10 KB."""

_STANDARD = bytes.maketrans(b"-_", b"+/")

WINDOW_BYTES = 1024 * 1024
"""How far from its end a body is searched: the newest seals decide, and a megabyte takes a millisecond."""


def newest_seals(octets: bytes, limit: int) -> list[bytes]:
    """The last `limit` seals in these bytes, the newest first, in the letters of standard base64.

    >>> newest_seals(b'{"type": "thinking", "signature": "RXJvUUNrWUlBUkFD"}', 1)
    [b'RXJvUUNrWUlBUkFD']
    """
    names = (*_NAMES, _DATA) if any(word in octets for word in _SEALED_DATA) else _NAMES
    floor = max(0, len(octets) - WINDOW_BYTES)
    found: list[tuple[int, bytes]] = []
    for name in names:
        end = len(octets)
        for _ in range(limit):
            end = octets.rfind(name, floor, end)
            if end < 0:
                break
            if value := _VALUE.match(octets, end + len(name)):
                found.append((end, value[1].translate(_STANDARD)))
    return [seal for _, seal in sorted(found, reverse=True)[:limit]]


def may_hold_seals(octets: bytes) -> bool:
    """False for nearly every chunk of a stream, at the price of four memmems."""
    return (
        b"ignature" in octets
        or b"encrypted_content" in octets
        or any(word in octets for word in _SEALED_DATA)
    )
