"""The opaque slot of a reasoning item: `encrypted_content`, the vendor's own or an envelope of ours.

An envelope can hold a seal of any vendor, because a client of this dialect sends reasoning items back verbatim. One
that is marked `next` belongs to the item behind it: its reasoning item was only the carrier.
"""

from allgate.core.value import Value
from allgate.dialects.openai_responses.own import VENDOR
from allgate.dialects.seals import OURS, SealBox, is_envelope
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import Seal

CLIENT_DECLARED = "client-declared"
NO_NOTES: tuple[Note, ...] = ()


class Slot(Value, frozen=True, kw_only=True):
    """What a slot held: a seal of this reasoning, or of the next item; None where there is none to trust."""

    seal: Seal | None = None
    for_next: bool = False
    notes: tuple[Note, ...] = NO_NOTES


def opened(encrypted_content: str | None, seals: SealBox) -> Slot:
    """The seal in a client's reasoning item."""
    if not encrypted_content:
        return Slot()
    if not is_envelope(encrypted_content):
        return Slot(seal=native(encrypted_content, CLIENT_DECLARED))
    found = seals.unwrap(encrypted_content)
    if found is None:
        return Slot(notes=(dropped("encrypted_content", "not sealed by this gateway for this account"),))
    if found.seal.origin == OURS:
        return Slot()
    return Slot(seal=found.seal, for_next=found.next_part)


def native(encrypted_content: str, scope: str, origin: str = VENDOR) -> Seal:
    """The seal of a reasoning item as its vendor wrote it."""
    return Seal(origin=origin or VENDOR, scope=scope, form="encrypted", value=encrypted_content)
