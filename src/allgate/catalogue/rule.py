"""A rule of a model: what becomes of a setting that it does not take as it is.

| action    | what happens                                                     | the client sees   |
|-----------|------------------------------------------------------------------|-------------------|
| `clear`   | the setting is not sent                                          | a note            |
| `clamp`   | it is brought to the nearest allowed value                       | a note            |
| `rename`  | it is sent under another name                                    | a note            |
| `set`     | it is sent with this value, whatever the client said             | a note            |
| `default` | it is sent with this value where the client said nothing         | a note            |
| `refuse`  | it would change the meaning: the request ends here               | a 400 that says why |

Settings have canonical names (`catalogue.settings`), so one rule holds in every dialect that can express it. The bounds
`at_least`, `at_most`, `among` and `below` (another setting) say which values are meant: `clamp` goes to the nearest one
inside, `refuse` acts only outside. `when` are conditions that must all hold; `not ` before a word turns it round.
"""

from typing import Literal

from allgate.core.value import Value
from allgate.wire.json import Json

Action = Literal["clear", "clamp", "rename", "set", "default", "refuse"]
CONDITIONS = ("thinking", "stream", "interleaved", "together")
"""`thinking`: the client asked for it. `interleaved`: thinking between calls was switched on by the vendor's header.
`together`: the client set all of the rule's settings. The name of a setting is a condition too: the client set that one."""

NOT = "not "


class Rule(Value, frozen=True, kw_only=True):
    """One rule. `value` is what `set` and `default` send, and the new name of `rename`.

    `to`: only where the provider is spoken to in one of these dialects; empty: everywhere. `why` ends the note or the 400.
    """

    action: Action
    settings: tuple[str, ...]
    when: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    among: tuple[str, ...] = ()
    below: str | None = None
    value: Json = None
    to: tuple[str, ...] = ()
    why: str = ""
