"""A plain reply read by type: one choice that is one text, beside it usage, which is what most replies are.

Members that would make it more (calls, reasoning, sound, log probabilities, cited pages) may stand in it, but must be empty.
In any other reply one of them is not, which msgspec finds before it has read what stands in it, and the answer is None: the
long ways (`response_decode.decode_any_response`, `meter.read_any_facts`) read the reply by its events, and would tell
of a plain one the same.
"""

import msgspec

from allgate.dialects.contract import Facts, Sent
from allgate.dialects.openai_chat.finish import finish_of
from allgate.dialects.openai_chat.own import NAME
from allgate.dialects.openai_chat.pieces import OnlyText
from allgate.dialects.openai_chat.usage import Totals, usage_told
from allgate.operations.chat.parts import Text
from allgate.operations.chat.response import ChatResponse, Choice
from allgate.wire.json import JsonObject


class _Choice(msgspec.Struct, gc=False):
    message: OnlyText
    index: int = 0
    finish_reason: str | None = None
    delta: None = None
    logprobs: None = None


class _Reply(msgspec.Struct, gc=False):
    choices: tuple[_Choice]
    id: str | None = None
    model: str | None = None
    created: int | None = None
    usage: Totals | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    citations: None = None
    search_results: None = None
    x_groq: JsonObject | None = None


_NO_TOTALS = Totals()
_decoder = msgspec.json.Decoder(_Reply)


def plain_response(body: bytes, sent: Sent) -> ChatResponse | None:
    """The answer in a plain reply; None for any other."""
    said = _read(body)
    if said is None or sent.caps.think_tags:
        return None
    usage, fingerprint, (choice,) = said.usage, said.system_fingerprint, said.choices
    return ChatResponse(
        id=said.id or "",
        model=said.model or "",
        created_s=said.created or None,
        service_tier=said.service_tier,
        usage=usage and usage_told(usage, sent.caps.usage_excludes_reasoning, said.service_tier),
        extra={NAME: {"system_fingerprint": fingerprint}} if fingerprint else {},
        choices=(
            Choice(
                index=choice.index,
                parts=(Text(text=choice.message.content),),
                finish=finish_of(choice.finish_reason or "", called=False),
            ),
        ),
    )


def plain_facts(body: bytes) -> Facts | None:
    """The facts of a plain reply; None for any other."""
    said = _read(body)
    if said is None:
        return None
    usage = usage_told(said.usage or _NO_TOTALS, False, said.service_tier)
    return Facts(usage=usage, finished=True, empty=False, text=said.choices[0].message.content)


def _read(body: bytes) -> _Reply | None:
    try:
        said = _decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if said.x_groq is not None and (said.usage is None or said.usage == _NO_TOTALS):
        return None  # it tells of usage where Groq tells it nowhere else
    return said if said.choices[0].message.content else None
