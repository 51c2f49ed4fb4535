"""A plain body, decoded with its types: texts, sampling, and nothing else.

Any other member, spelling or type makes the typed decode fail, and the body is then read member by member
(`request_decode`). So what most requests are costs one pass in C, and nothing that is rare can be overlooked: a type here
takes no more than what both ways read alike.
"""

from typing import Literal

import msgspec

from allgate.dialects.gemini.address import ALT, Address
from allgate.operations.chat.plain import PLAIN_BYTES_MAX, plain_conversation
from allgate.operations.chat.request import ChatRequest, Role, Sampling

_UNSAID = Sampling()


class _Said(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A part."""

    text: str


class _Content(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    parts: tuple[_Said]
    role: Literal["user", "model"] = "user"


class _Instruction(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    parts: tuple[_Said]
    role: str | None = None
    """Whatever it is: nobody reads it."""


class _Config(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """generationConfig."""

    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: tuple[str, ...] | None = None
    candidate_count: int | None = None
    seed: int | None = None
    presence_penalty: int | float | None = None
    frequency_penalty: int | float | None = None


class _Body(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    contents: list[_Content]
    system_instruction: _Instruction | None = None
    generation_config: _Config | None = None


_decode = msgspec.json.Decoder(_Body).decode


def plain_request(body: bytes, address: Address) -> ChatRequest | None:
    """The request; None where it is not plain, or no request at all."""
    if len(body) > PLAIN_BYTES_MAX:
        return None
    try:
        said = _decode(body)
    except (msgspec.DecodeError, ValueError):
        return None
    spoken: list[tuple[Role, str]] = []
    if (instruction := said.system_instruction) is not None:
        spoken.append(("system", instruction.parts[0].text))
    for content in said.contents:
        spoken.append(("user" if content.role == "user" else "assistant", content.parts[0].text))
    if (conversation := plain_conversation(spoken)) is None:
        return None
    config = said.generation_config
    return ChatRequest(
        dialect="gemini",
        model=address.model,
        system=conversation[0],
        turns=conversation[1],
        sampling=_UNSAID
        if config is None
        else Sampling(
            temperature=config.temperature,
            top_p=config.top_p,
            top_k=config.top_k,
            max_tokens=config.max_output_tokens,
            stop=config.stop_sequences or (),
            n=config.candidate_count,
            seed=config.seed,
            presence_penalty=config.presence_penalty,
            frequency_penalty=config.frequency_penalty,
        ),
        stream=address.stream,
        stream_usage=True,
        extra={"gemini": {ALT: "json"}} if address.stream and address.alt == "json" else {},
    )
