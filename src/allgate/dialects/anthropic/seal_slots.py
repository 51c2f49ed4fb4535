"""The two opaque slots of this dialect, `thinking.signature` and `redacted_thinking.data`, and who may read what is in them.

A seal of the vendor's own travels bare; any other travels in an envelope (`dialects.seals`). A seal that belongs to a
part without a slot (a tool call, a text) rides on a redacted_thinking block of its own directly before that part, marked
"next"; one that became known too late to stand before it rides behind.

Clients send thinking back only with a non-empty signature, so a block that has none gets a filler: an envelope of our
own origin. Where the client asked not to be shown the thinking, the filler holds the text, because some models must
have it back (DeepSeek refuses a tool loop without it).
"""

from typing import Literal

from allgate.core.value import Value
from allgate.dialects.seals import OURS, SealBox, is_envelope
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Seal

ORIGIN = "anthropic"
CLIENT_DECLARED = "client-declared"

SlotForm = Literal["signature", "redacted"]


class Slot(Value, frozen=True, kw_only=True):
    """What was in a slot. `text` is hidden thinking; `next_part`: the seal belongs to the part after this one.

    `forged`: it looked like an envelope of ours and was none (altered, or of another account): the seal is lost.
    """

    seal: Seal | None = None
    text: str = ""
    next_part: bool = False
    forged: bool = False


def open_slot(value: str | None, form: SlotForm, box: SealBox) -> Slot:
    """Read what a client sent in a slot."""
    if not value:
        return Slot()
    if not is_envelope(value):
        return Slot(seal=Seal(origin=ORIGIN, scope=CLIENT_DECLARED, form=form, value=value))
    opened = box.unwrap(value)
    if opened is None:
        return Slot(forged=True)
    if opened.seal.origin == OURS:
        return Slot(text=opened.seal.value)
    return Slot(seal=opened.seal, next_part=opened.next_part)


def is_native(seal: Seal) -> bool:
    """A seal of the vendor itself travels bare: its clients and its API know it."""
    return seal.origin == ORIGIN


def slot_text(seal: Seal, box: SealBox) -> str:
    """What to put into a slot for a client to carry."""
    return seal.value if is_native(seal) else box.wrap(seal)


def carrier(seal: Seal, box: SealBox, *, before: bool) -> dict[str, str]:
    """The block that carries a seal for a part without a slot, standing before or behind it."""
    return {"type": "redacted_thinking", "data": box.wrap(seal, next_part=before)}


def filler(box: SealBox, hidden: str = "") -> str:
    """A signature for thinking that has none; `hidden` is thinking that the client did not want to see."""
    return box.wrap(Seal(origin=OURS, scope="", form="signature", value=hidden))


def readable(seal: Seal, caps: Caps) -> bool:
    """May this deployment be sent this seal? A native one that the client sent is trusted for any scope of its vendor."""
    return (
        bool(caps.seal_origin)
        and seal.origin == caps.seal_origin
        and seal.scope in (caps.seal_scope, CLIENT_DECLARED)
    )
