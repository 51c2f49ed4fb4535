"""The envelope that carries a foreign seal through a dialect's opaque slot and back.

`base64( "AGSL1:" tag compact-json{o,s,f,v[,n]} )`, padded standard base64, so that it is legal in Gemini's
thoughtSignature and always begins `QUdTTDE6`, by which it is recognised in every slot. The tag is the first 16 bytes of
HMAC-SHA256 over the account id and the JSON, keyed with the deployment's master key: a client cannot forge one, and an
envelope of one account is worthless to another. A bad tag drops the seal; it is never an error, because clients keep
histories longer than operators keep keys.
"""

import base64
import binascii
import hmac
from typing import Literal, cast

import msgspec

from allgate.core.value import Value
from allgate.operations.chat.parts import Seal

ENVELOPE_PREFIX = "QUdTTDE6"
OURS = "allgate"
"""The origin of a seal that seals nothing: it only marks a part as another vendor's work where the client's own vendor
would have put a seal. A body that holds one is translated, never passed through to a vendor who never wrote that part."""
_MAGIC = b"AGSL1:"
_TAG_BYTES = 16
_FORMS = ("signature", "encrypted", "redacted", "thought")


class Enveloped(Value, frozen=True, kw_only=True):
    """An opened envelope. `next_part`: the seal belongs to the part after the one whose slot carried it."""

    seal: Seal
    next_part: bool = False


class SealBox:
    """Wraps and opens envelopes for one account. `keys[0]` signs; all are tried when opening (rotation)."""

    __slots__ = ("_account", "_keys")

    def __init__(self, keys: tuple[bytes, ...], account_id: str) -> None:
        self._keys = keys
        self._account = account_id.encode()

    def wrap(self, seal: Seal, *, next_part: bool = False) -> str:
        """The text to put into an opaque slot."""
        members: dict[str, str] = {"o": seal.origin, "s": seal.scope, "f": seal.form, "v": seal.value}
        if next_part:
            members["n"] = "next"
        body = msgspec.json.encode(members)
        return base64.b64encode(_MAGIC + self._tag(self._keys[0], body) + body).decode("ascii")

    def unwrap(self, text: str) -> Enveloped | None:
        """The seal inside an envelope of ours; None for anything else, altered, or of another account."""
        if not text.startswith(ENVELOPE_PREFIX):
            return None
        try:
            raw = base64.b64decode(text, validate=True)
            tag, body = raw[len(_MAGIC) :][:_TAG_BYTES], raw[len(_MAGIC) + _TAG_BYTES :]
            if not any(hmac.compare_digest(tag, self._tag(key, body)) for key in self._keys):
                return None
            members = msgspec.json.decode(body, type=dict[str, str])
        except (binascii.Error, ValueError, msgspec.DecodeError):
            return None
        if members.get("f") not in _FORMS:
            return None
        form = cast(Literal["signature", "encrypted", "redacted", "thought"], members["f"])
        seal = Seal(
            origin=members.get("o", ""), scope=members.get("s", ""), form=form, value=members.get("v", "")
        )
        return Enveloped(seal=seal, next_part=members.get("n") == "next")

    def _tag(self, key: bytes, body: bytes) -> bytes:
        return hmac.digest(key, self._account + b"\x00" + body, "sha256")[:_TAG_BYTES]


def is_envelope(text: str) -> bool:
    """True for a text that claims to be an envelope of ours (not yet verified)."""
    return text.startswith(ENVELOPE_PREFIX)
