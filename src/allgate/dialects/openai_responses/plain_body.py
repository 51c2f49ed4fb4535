"""The body of a plain answer to a plain request, which most are: one finished text. Filled into a template.

The object around the text is large, and all of it but some values goes without saying. What that is, and in which order,
only the long way knows (`response_encode`): it writes the template itself, once, of an answer whose values are marks.
"""

from collections.abc import Callable

import msgspec

from allgate.core.usage import Usage
from allgate.dialects.contract import Asked
from allgate.dialects.openai_responses.item_ids import PREFIXES, made_id
from allgate.dialects.openai_responses.own import NAME
from allgate.dialects.openai_responses.plain_request import STATES
from allgate.dialects.openai_responses.skeleton import instructions_of
from allgate.dialects.openai_responses.usage import told_counts
from allgate.dialects.seals import SealBox
from allgate.operations.chat.notes import Note
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import NO_CACHE, NOBODY, ChatRequest, Sampling, State
from allgate.operations.chat.response import ChatResponse, Choice, Finish

_encode = msgspec.json.Encoder().encode
_TIER, _ALL = b'"default"', b"1.0"  # where neither the request nor the answer says
_MESSAGE_ID = PREFIXES["message"] + "_"

Encode = Callable[[ChatResponse, Asked], tuple[bytes, tuple[Note, ...]]]


class PlainBody:
    """Writes what `encode` writes of plain answers."""

    __slots__ = ("_templates",)

    def __init__(self, encode: Encode) -> None:
        self._templates = {store: _template(encode, state) for store, state in STATES.items()}

    def of(self, response: ChatResponse, asked: Asked) -> bytes | None:
        """The body; None where the answer, or what it repeats of the request, is not plain."""
        request, usage = asked.request, response.usage
        text = _only_text(response)
        if text is None or usage is None or not _repeats_little(request):
            return None
        counts = told_counts(usage)
        if counts is None:
            return None
        item_id, sampling = text.id, request.sampling
        if not item_id or not item_id.startswith(_MESSAGE_ID):
            item_id = made_id("message", asked.response_id, 0)
        try:
            return self._templates[request.state.store] % (
                _encode(asked.response_id),
                asked.created_s,
                *counts,
                _encode(item_id),
                _encode(text.text),
                _encode(instructions_of(request)),
                _encode(sampling.max_tokens),
                _TIER if response.service_tier is None else _encode(response.service_tier),
                _ALL if sampling.temperature is None else _encode(sampling.temperature),
                _ALL if sampling.top_p is None else _encode(sampling.top_p),
                _encode(asked.model),
            )
        except ValueError:  # half a surrogate pair
            return None


def _only_text(response: ChatResponse) -> Text | None:
    """The text of an answer that has nothing else to tell."""
    if len(response.choices) != 1 or NAME in response.extra:
        return None
    choice = response.choices[0]
    if len(choice.parts) != 1 or choice.finish.reason != "stop":
        return None
    text = choice.parts[0]
    if type(text) is not Text or text.annotations or text.seals or text.extra or text.logprobs is not None:
        return None
    return text


def _repeats_little(request: ChatRequest) -> bool:
    """Whether an answer repeats nothing of it but instructions, sampling, and whether it is kept."""
    return (
        not (request.tools or request.extra or request.sampling.top_logprobs)
        and request.tool_choice is request.reasoning is request.output is request.service_tier is None
        and request.state == STATES[request.state.store]
        and request.cache == NO_CACHE
        and request.identity == NOBODY
    )


def _template(encode: Encode, state: State) -> bytes:
    """A body of `encode`'s with a place for each value, in the order in which `PlainBody.of` fills them."""
    created, read, cached, written, output, reasoning, most, temperature, top_p = range(
        90_000_001, 90_000_010
    )
    request = ChatRequest(
        dialect=NAME,
        model="",
        turns=(),
        system=(Text(text="@instructions"),),
        sampling=Sampling(max_tokens=most, temperature=temperature, top_p=top_p),
        state=state,
    )
    asked = Asked(
        request=request, response_id="@id", created_s=created, model="@model", seals=SealBox((b"",), "")
    )
    text = Text(text="@text", id=f"{_MESSAGE_ID}@")
    usage = Usage(
        input_tokens=read,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        output_tokens=output,
        reasoning_tokens=reasoning,
    )
    choice = Choice(index=0, parts=(text,), finish=Finish(reason="stop"))
    response = ChatResponse(id="", model="", choices=(choice,), usage=usage, service_tier="@tier")
    numbers = (created, read, cached, written, output, reasoning, read + output)
    words = (text.id, text.text, "@instructions", most, "@tier", temperature, top_p, "@model")
    template, rest = b"", encode(response, asked)[0].replace(b"%", b"%%")
    for mark in ("@id", *numbers, *words):
        before, rest = rest.split(_encode(mark), 1)
        template += before + (b"%d" if mark in numbers else b"%b")
    return template + rest
