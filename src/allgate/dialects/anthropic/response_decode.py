"""A whole Messages reply → the canonical answer."""

from allgate.core.errors import WireError, wire_error
from allgate.dialects.anthropic.errors import failure_in_stream
from allgate.dialects.anthropic.finish import finish_of
from allgate.dialects.anthropic.reply_blocks import ReplyReader, join_results
from allgate.dialects.anthropic.usage import COUNTED, decode_usage, unnamed_members
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.contract import Sent
from allgate.dialects.passes.lenient import object_of, text_of, text_or_none
from allgate.operations.chat.parts import Extra
from allgate.operations.chat.response import ChatResponse, Choice
from allgate.wire.json import JsonObject, decode_lenient

_KEPT = ("container", "context_management", "diagnostics", "input_transformations")


def decode_any_response(body: bytes, sent: Sent) -> ChatResponse:
    """The answer, whatever it holds. Raises: WireError: no Messages reply, or an error in the place of one."""
    reply = object_of(decode_lenient(body))
    if reply.get("type") == "error" or ("error" in reply and "content" not in reply):
        raise WireError(failure_in_stream(reply))
    if not isinstance(reply.get("content"), list):
        raise wire_error("The reply is not a Messages reply: it has no content")
    usage = object_of(reply.get("usage"))
    reader = ReplyReader(sent)
    parts = join_results(reply["content"], reader)
    finish = finish_of(text_of(reply.get("stop_reason")), reply, called=reader.called)
    return ChatResponse(
        id=text_of(reply.get("id")),
        model=text_of(reply.get("model")),
        choices=(Choice(index=0, parts=tuple(parts), finish=finish),),
        usage=decode_usage(usage) if usage else None,
        service_tier=text_or_none(usage["service_tier"]) if "service_tier" in usage else None,
        extra=reply_extra(reply, usage),
    )


def reply_extra(reply: JsonObject, usage: JsonObject) -> Extra:
    """What of a reply only this dialect has a word for; counts without one keep their place in `usage`."""
    members: JsonObject = {}
    for key in _KEPT:
        if key in reply and reply[key] is not None:
            members[key] = reply[key]
    if not usage.keys() <= COUNTED and (others := unnamed_members(usage)):
        members["usage"] = others
    return {DIALECT: members} if members else {}
