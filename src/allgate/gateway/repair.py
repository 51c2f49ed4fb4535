"""A provider's 400 that names exactly what it will not take is repaired once, on the same candidate, and noted.

Two cases, both from rulings 2 and 5:
- an unknown top-level member that the client sent and we passed on: it is removed;
- thinking history that the provider cannot verify: it is removed. Where it only misses some, because another vendor
  answered in between, a body that was passed through is translated: the encoder knows what such a history needs.
Everything else is the client's to mend, and the message reaches it word for word (Claude Code reads it to mend itself).
"""

import re

from allgate.core.errors import AttemptFailed, ErrorKind, Phase
from allgate.core.value import Value
from allgate.dialects.contract import Head

# How vendors name a member they do not know: OpenAI (two spellings), Anthropic, Gemini's proto parser.
_UNKNOWN_MEMBER = re.compile(
    r"(?:Unrecognized request argument supplied: |Unknown parameter: '|Unknown name \")(\w+)"
    r"|^(\w+): Extra inputs are not permitted"
)
_SIGNATURE = re.compile(
    r"invalid.{0,20}signature|thought_signature|signature.{0,40}(?:invalid|missing|verif)|encrypted_content",
    re.IGNORECASE,
)
# Gemini's unsigned call, Anthropic's tool loop that begins without thinking, OpenAI's reasoning that it never gave.
_FOREIGN = re.compile(
    r"missing a thought_signature|Expected .thinking. or|Item with id 'rs_\w+' not found", re.IGNORECASE
)
# Without these there is no request.
_NEEDED = frozenset({"model", "messages", "input", "contents", "stream", "max_tokens"})


class Repair(Value, frozen=True, kw_only=True):
    """What to leave out of the repeated request, or that it must not be passed through again."""

    member: str | None = None
    thinking: bool = False
    translated: bool = False


UNREPAIRED = Repair()


def repair_for(failed: AttemptFailed, head: Head, *, passthrough: bool) -> Repair | None:
    """The repair that a refusal asks for; None: there is none. `passthrough`: the body was the client's own."""
    failure = failed.failure
    if failed.phase is not Phase.REFUSED or failure.kind not in (ErrorKind.BAD_REQUEST, ErrorKind.NOT_FOUND):
        return None
    named = _UNKNOWN_MEMBER.search(failure.message)
    if named is not None:
        member = named[1] or named[2]
        return Repair(member=member) if member in head.fields and member not in _NEEDED else None
    if _FOREIGN.search(failure.message):
        return Repair(translated=True) if passthrough else Repair(thinking=True)
    return Repair(thinking=True) if _SIGNATURE.search(failure.message) else None
