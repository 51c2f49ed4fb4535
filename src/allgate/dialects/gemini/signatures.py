"""thoughtSignature ↔ seals.

One slot per part carries whatever must come back: Gemini's own signature bare, any other vendor's seal in an envelope
of ours. The slot must hold padded standard base64, or Google's Python SDK rejects the whole chunk.

Gemini CLI drops thought parts from its history and keeps the signatures of the others. So a foreign seal of a thought
rides on the next part that is not a thought, and on the way back a thought's seal found on such a part belongs to the
thought before it (`belongs_to_thought`). Where there is none, an unreadable one is put there.

Python's SDK sends back in url-safe base64 what it was given in standard: both are the same signature.
`skip_thought_signature_validator`, plain or in base64, is what clients write for "I have none".
"""

import binascii

from allgate.dialects.gemini.media import standard_base64
from allgate.dialects.seals import OURS, SealBox, is_envelope
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Seal

ORIGIN = "gemini"
CLIENT_DECLARED = "client-declared"
NO_SIGNATURE = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""What Google documents for history from another model: it decodes to "skip_thought_signature_validator"."""
_NO_SIGNATURES = frozenset({"", "skip_thought_signature_validator", NO_SIGNATURE})


def seals_in(signature: str | None, box: SealBox) -> tuple[Seal, ...]:
    """The seal that a client sent back; none for the dummy and for an envelope that is not ours."""
    if signature is None or signature in _NO_SIGNATURES:
        return ()
    signature = _standard(signature)
    if is_envelope(signature):
        opened = box.unwrap(signature)
        return () if opened is None or opened.seal == unsealed("") else (opened.seal,)
    return (Seal(origin=ORIGIN, scope=CLIENT_DECLARED, form="thought", value=signature),)


def seals_of_provider(signature: str | None, caps: Caps) -> tuple[Seal, ...]:
    """The seal of a part that this deployment answered with."""
    if not signature:
        return ()
    origin = caps.seal_origin or ORIGIN
    return (Seal(origin=origin, scope=caps.seal_scope, form="thought", value=signature),)


def unsealed(thinking: str) -> Seal:
    """What stands on the first call of an answer that nobody signed: Gemini must never be passed such a call as it is.

    It holds the thinking that led to the call, because some vendors (DeepSeek) must have it back and Gemini's clients do
    not return thoughts.
    """
    return Seal(origin=OURS, scope="", form="signature", value=thinking)


def belongs_to_thought(seal: Seal) -> bool:
    """True for a seal that other vendors give to their thinking, not to what follows it."""
    return seal.origin != ORIGIN and seal.form != "thought"


def for_client(seal: Seal, box: SealBox) -> str:
    """What goes into the slot of a client's part."""
    native = seal.origin == ORIGIN and _is_base64(seal.value) and not is_envelope(seal.value)
    return seal.value if native else box.wrap(seal)


def for_provider(seals: tuple[Seal, ...], caps: Caps) -> str | None:
    """The signature to replay to this deployment; None if no seal is its own."""
    for seal in seals:
        if seal.origin == (caps.seal_origin or ORIGIN) and seal.scope in (CLIENT_DECLARED, caps.seal_scope):
            return seal.value
    return None


def _standard(signature: str) -> str:
    """Python's SDK sends url-safe base64 where it was given standard: the same bytes must be the same seal."""
    standard = standard_base64(signature)
    return standard if standard != signature and _is_base64(standard) else signature


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return bool(text)
