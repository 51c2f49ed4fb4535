"""What money and health need of a whole reply that is passed through: its usage, and whether it was finished.

Of nearly every reply it is enough to read the counts and the types of its items. What else it holds is skipped over, however
large it is; only where something else is billed, or nothing was counted, the items are read themselves.
"""

import msgspec

from allgate.core.errors import wire_error
from allgate.dialects.contract import Facts
from allgate.dialects.openai_responses.usage import BILLED, Counts, decode_usage, usage_of
from allgate.dialects.passes.lenient import object_of, objects_of, text_of
from allgate.dialects.passes.openai_errors import failure_of
from allgate.wire.json import Json, JsonObject, decode_lenient, object_at

_UNFINISHED = ("in_progress", "queued")
_THOUGHTS = frozenset({"reasoning"})


class _Item(msgspec.Struct, gc=False):
    type: str = ""


class _Reply(msgspec.Struct, gc=False):
    """The members of a whole response that tell its cost; what else it holds is skipped over."""

    output: list[_Item]
    usage: Counts
    status: str = ""
    tool_usage: JsonObject | None = None
    service_tier: str | None = None
    error: None = None


_replies = msgspec.json.Decoder(_Reply)


def read_facts(body: bytes) -> Facts:
    """Usage and finish of a whole reply. Raises: WireError: not a response."""
    try:
        reply = _replies.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return read_any_facts(body)
    usage, kinds = reply.usage, {item.type for item in reply.output}
    if reply.status == "failed" or usage.output_tokens is None or not kinds.isdisjoint(BILLED):
        return read_any_facts(body)
    return Facts(
        usage=usage_of(usage, reply.tool_usage, reply.service_tier),
        finished=reply.status not in _UNFINISHED,
        empty=kinds <= _THOUGHTS,
    )


class _Whole(msgspec.Struct, gc=False):
    """The members of a whole response that are looked at."""

    status: str = ""
    usage: Json = None
    tool_usage: Json = None
    service_tier: Json = None
    error: Json = None
    output: list[JsonObject] | None = None


_wholes = msgspec.json.Decoder(_Whole)


def read_any_facts(body: bytes) -> Facts:
    """The same, of a reply that failed, or has nothing or more to bill than its tokens."""
    try:
        reply = _wholes.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        source = object_at(decode_lenient(body), "response")
        reply = _Whole(
            status=text_of(source.get("status")),
            usage=source.get("usage"),
            tool_usage=source.get("tool_usage"),
            service_tier=source.get("service_tier"),
            error=source.get("error"),
            output=objects_of(source.get("output")) if "output" in source else None,
        )
    if reply.status == "failed" or (reply.error and not reply.output):
        return Facts(failure=failure_of(object_of(reply.error) or {"message": reply.error}))
    if reply.output is None:
        raise wire_error("The reply is not a response object: it has no 'output'")
    usage = decode_usage(reply.usage, reply.tool_usage, reply.service_tier, reply.output)
    return Facts(
        usage=usage,
        finished=reply.status not in _UNFINISHED,
        empty=not [item for item in reply.output if item.get("type") != "reasoning"],
        text=text_in(reply.output) if usage is None else "",
    )


def text_in(output: list[JsonObject]) -> str:
    """What would be counted of these items if the provider does not report its tokens."""
    found: list[str] = []
    for item in output:
        found += [text_of(item.get(key)) for key in ("name", "arguments", "input", "code")]
        for part in (*objects_of(item.get("content")), *objects_of(item.get("summary"))):
            found += [text_of(part.get("text")), text_of(part.get("refusal"))]
    return "".join(found)
