"""Which bodies a deployment's Caps have a say in: those are translated, even into the client's own dialect.

Pass-through forwards what the client wrote. Where the deployment does not take a member that is written there, the
vendor would refuse the request or, worse, ignore the member; translation leaves it out with a note, or keeps its
promise in another way (stop sequences are matched by us, a schema is asked for in words). So one place says what
becomes of such a member, the encoder, and pass-through is only for bodies that no such rule touches (ruling 2a).

Members that clients borrow from other vendors (`extra_body.google`, `thinking` on chat) are understood by translation;
a vendor that has them itself says so in `vendor_fields`, or in `reasoning_replay` for the reasoning in earlier answers. What is merely unknown here is forwarded, and a bound that is
exceeded is the vendor's to explain.
"""

from collections.abc import Callable

from allgate.dialects.contract import Head
from allgate.operations.chat.caps import Caps


def _promises_less(caps: Caps) -> bool:
    """Whether there is a form of the answer that this deployment does not hold it to."""
    return caps.json_schema != "native" or not caps.json_object or not caps.schema_with_tools


_REFUSES: dict[str, Callable[[Caps], bool]] = {
    **dict.fromkeys(("temperature", "top_p"), lambda caps: not caps.sampling),
    "generationConfig": lambda caps: not caps.sampling or caps.json_schema == "none",
    **dict.fromkeys(("output_config", "output_format"), lambda caps: caps.json_schema == "none"),
    "text": _promises_less,
    **dict.fromkeys(("presence_penalty", "frequency_penalty"), lambda caps: not caps.penalties),
    **dict.fromkeys(("logprobs", "top_logprobs"), lambda caps: not caps.logprobs),
    "logit_bias": lambda caps: not caps.logit_bias,
    "seed": lambda caps: not caps.seed,
    "stop": lambda caps: not caps.stop_max,
    "reasoning_effort": lambda caps: caps.thinking != "effort",
    "web_search_options": lambda caps: caps.web_search_style != "options",
    "response_format": _promises_less,
}
_RULED = frozenset(_REFUSES)


def touched_member(head: Head, caps: Caps) -> str | None:
    """A top-level member of this body that a rule of `caps` touches; None: there is none.

    >>> touched_member(Head(model="m", fields=frozenset({"model", "seed"})), Caps(seed=False))
    'seed'
    """
    if head.borrowed and (foreign := head.borrowed - _own_members(caps)):
        return min(foreign)
    for member in head.fields & _RULED:
        if _REFUSES[member](caps):
            return member
    return None


def _own_members(caps: Caps) -> frozenset[str]:
    """Non-standard members that this deployment has itself."""
    replayed = () if caps.reasoning_replay == "none" else (caps.reasoning_field,)
    return frozenset((*caps.vendor_fields, *replayed))
