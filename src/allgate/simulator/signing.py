"""Signatures and seals, as vendors use them to get their own reasoning back unchanged.

A signature is an HMAC over what it stands beside; a seal carries its content inside, hidden from the eye and covered
by the HMAC. Both are padded standard base64, which is all that a client may assume of a vendor's. The key is the
simulator's (`start(secret=…)`): what another simulator signed is foreign.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import blake2b, sha256

_MARK = b"SIM"
_TAG_BYTES = 16


def sign(secret: bytes, kind: str, content: str) -> str:
    """The signature of `content`; `kind` keeps one slot's signatures out of another slot."""
    return b64encode(_MARK + _tag(secret, kind, content.encode("utf-8", "surrogatepass"))).decode("ascii")


def verified(secret: bytes, kind: str, content: str, signature: str) -> bool:
    """Did this simulator sign exactly this content in this kind of slot?"""
    return hmac.compare_digest(
        sign(secret, kind, content).encode(), signature.encode("utf-8", "surrogatepass")
    )


def seal(secret: bytes, kind: str, content: str) -> str:
    """`content` as an opaque text that `opened` turns back."""
    plain = content.encode("utf-8", "surrogatepass")
    return b64encode(_MARK + _tag(secret, kind, plain) + _masked(secret, kind, plain)).decode("ascii")


def opened(secret: bytes, kind: str, sealed: str) -> str | None:
    """What `seal` was given; None for anything that this simulator did not seal in this kind of slot."""
    try:
        raw = b64decode(sealed, validate=True)
    except (Base64Error, ValueError):
        return None
    tag, plain = (
        raw[len(_MARK) : len(_MARK) + _TAG_BYTES],
        _masked(secret, kind, raw[len(_MARK) + _TAG_BYTES :]),
    )
    if not raw.startswith(_MARK) or not hmac.compare_digest(tag, _tag(secret, kind, plain)):
        return None
    return plain.decode("utf-8", "surrogatepass")


def _tag(secret: bytes, kind: str, content: bytes) -> bytes:
    return hmac.digest(secret, kind.encode() + b"\x00" + content, sha256)[:_TAG_BYTES]


def _masked(secret: bytes, kind: str, content: bytes) -> bytes:
    """Exclusive-or with a key stream: enough that nobody can read or use it by accident, which is all we need."""
    stream = b"".join(
        blake2b(number.to_bytes(8, "big"), key=secret[:64], person=kind.encode()[:16]).digest()
        for number in range(len(content) // 64 + 1)
    )
    return bytes(left ^ right for left, right in zip(content, stream, strict=False))
