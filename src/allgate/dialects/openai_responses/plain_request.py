"""A plain request, which most are: texts, sampling, and nothing else. Read by type, in one step.

Whatever is of another type or has no place here is left to `request_decode`. Of the rest both ways make the same, and tests
hold them to it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from allgate.dialects.openai_responses.own import MESSAGE, NAME
from allgate.operations.chat.parts import Text
from allgate.operations.chat.plain import PLAIN_BYTES_MAX
from allgate.operations.chat.request import STATELESS, ChatRequest, Sampling, State, Turn
from allgate.wire.json import JsonObject
from allgate.wire.message import WireRequest

_TELLING = frozenset({b"user-agent", b"originator", b"openai-beta"})
"""Header fields that the long way reads; of the first, whether it is Codex that asks."""

STATES = {None: STATELESS, False: State(store=False), True: State(store=True)}
"""By `store`."""

_NO_SAMPLING = Sampling()


class _Content(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["input_text", "output_text", "text"]
    text: str


_OneText = Annotated[list[_Content], msgspec.Meta(min_length=1, max_length=1)]


class _Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | _OneText
    type: Literal["message"] | UnsetType = UNSET


class _Request(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    model: str
    input: str | list[_Message]
    instructions: str | None = None
    max_output_tokens: int | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    store: bool | None = None
    stream: bool | None = None


_read = msgspec.json.Decoder(_Request).decode


def plain_request(request: WireRequest) -> ChatRequest | None:
    """What a client asks, if that is plain; None for any other bytes."""
    if len(request.body) > PLAIN_BYTES_MAX:
        return None
    try:
        said = _read(request.body)
    except (msgspec.DecodeError, ValueError):
        return None
    for name, value in request.headers:
        if name in _TELLING and (name != b"user-agent" or value[:5].lower() == b"codex"):
            return None
    words = said.input
    messages = [_Message("user", words)] if isinstance(words, str) else words
    conversed = _conversation(messages, said.instructions)
    if conversed is None or not said.model:
        return None
    system, turns = conversed
    if said.max_output_tokens is said.temperature is said.top_p is None:
        sampling = _NO_SAMPLING
    else:
        sampling = Sampling(temperature=said.temperature, top_p=said.top_p, max_tokens=said.max_output_tokens)
    return ChatRequest(
        dialect=NAME,
        model=said.model,
        system=system,
        turns=turns,
        sampling=sampling,
        state=STATES[said.store],
        stream=bool(said.stream),
        stream_usage=True,
    )


def _conversation(
    messages: list[_Message], instructions: str | None
) -> tuple[tuple[Text, ...], tuple[Turn, ...]] | None:
    """(system, turns), in normal form; None where that form would have something to do."""
    system = [Text(text=instructions)] if instructions else []
    turns: list[Turn] = []
    last = "system"
    for message in messages:
        role, said = message.role, message.content
        text = said if isinstance(said, str) else said[0].text
        if not text or role == last == "assistant":
            return None
        last = role
        if role == "user":
            turns.append(Turn(role=role, parts=(Text(text=text),)))
            continue
        # a message of anyone else keeps its members, so that it can be written as it was
        members: JsonObject = {"role": role} if message.type is UNSET else {"type": "message", "role": role}
        kept = Text(text=text, extra={NAME: {MESSAGE: members}})
        if role == "assistant":
            turns.append(Turn(role=role, parts=(kept,)))
        elif turns:
            return None
        else:
            system.append(kept)
    return (tuple(system), tuple(turns)) if turns else None
