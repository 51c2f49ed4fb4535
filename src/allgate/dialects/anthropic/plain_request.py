"""A plain Messages request, read by type: one call checks what is otherwise asked for member by member.

Plain is a model, texts, a system prompt, sampling and `stream`, which is what an ordinary call of an SDK holds; a text
stands as a string or as the one block of a list. Anything else (a tool, thinking, a cache mark, a member of another
type) is unknown to these types and goes the long way of `request_decode`, which has a word for it or an error. For what
is plain both ways give the same request.
"""

from typing import Literal

import msgspec

from allgate.dialects.anthropic.request_decode import ATTRIBUTION, decode_any_request
from allgate.dialects.anthropic.versions import DIALECT, said_in
from allgate.dialects.seals import SealBox
from allgate.operations.chat.plain import PLAIN_BYTES_MAX, plain_conversation
from allgate.operations.chat.request import ChatRequest, Role, Sampling
from allgate.wire.message import WireRequest


class _Block(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: Literal["text"]
    text: str


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user", "assistant"]
    content: str | tuple[_Block]


class _Request(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The numbers stay as they were written: 1 is not 1.0."""

    model: str
    messages: list[_Message]
    system: str | list[_Block] = ""
    max_tokens: int | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | None = None
    stop_sequences: tuple[str, ...] = ()
    stream: bool = False


_read = msgspec.json.Decoder(_Request).decode


def decode_request(request: WireRequest, seals: SealBox) -> ChatRequest:
    """The canonical request. Raises: WireError: not a Messages request; `param` names the member."""
    if len(request.body) > PLAIN_BYTES_MAX:
        return decode_any_request(request, seals)
    try:
        said = _read(request.body)
    except (msgspec.DecodeError, ValueError):
        return decode_any_request(request, seals)
    spoken = _spoken(said)
    if spoken is None or (conversation := plain_conversation(spoken)) is None:
        return decode_any_request(request, seals)
    version, betas = said_in(request.headers)
    return ChatRequest(
        dialect=DIALECT,
        model=said.model,
        system=conversation[0],
        turns=conversation[1],
        sampling=Sampling(
            temperature=said.temperature,
            top_p=said.top_p,
            top_k=said.top_k,
            max_tokens=said.max_tokens,
            stop=said.stop_sequences,
        ),
        stream=said.stream,
        stream_usage=True,
        betas=betas,
        api_version=version,
    )


def _spoken(said: _Request) -> list[tuple[Role, str]] | None:
    """Who says what, the system prompt first; None where a block of that is for the vendor alone."""
    spoken: list[tuple[Role, str]] = []
    if isinstance(said.system, str):
        if said.system:
            spoken.append(("system", said.system))
    else:
        for block in said.system:
            if block.text.startswith(ATTRIBUTION):
                return None
            spoken.append(("system", block.text))
    for message in said.messages:
        content = message.content
        spoken.append((message.role, content if isinstance(content, str) else content[0].text))
    return spoken
