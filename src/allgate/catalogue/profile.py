"""What is known of a model, beside where it runs and what it costs: shown to clients, and enforced by the gateway.

Three members narrow what the provider's Caps say, in every dialect, when a snapshot is built (`compiled`): `abilities`,
`accepts` and `thinking`. `endpoints` closes doors. `rules` are kept while a request is under way. The rest is shown.
"""

from typing import Annotated, Literal

from msgspec import Meta

from allgate.core.value import Value

Kind = Literal[
    "chat", "completion", "embedding", "rerank", "moderation", "image", "video", "speech", "transcription"
]
"""What a model is for. One that answers chats with pictures is a chat model with the ability `image_output`."""

Ability = Literal[
    "tools", "image_input", "document_input", "audio_input", "video_input", "image_output", "audio_output",
    "video_output", "json_object", "json_schema", "web_search", "code_execution", "prompt_cache",
]  # fmt: skip
"""What a model may have or lack, in the words of `operations.chat.features` where both have one."""

Thinking = Literal["none", "budget", "level", "adaptive", "effort"]
"""How a model is told to think: not at all, by a budget of tokens, by a level word, by deciding itself, by an effort."""

Level = Literal["minimal", "low", "medium", "high", "xhigh"]
"""Gemini's words for how much to think, in lower case."""

CachePolicy = Literal["client", "system", "conversation"]
"""Whose cache marks are sent: the client's own; with one on the system prompt; with one on the last user turn too."""

Suffix = Literal["-thinking", "-nothinking", "-low", "-medium", "-high"]
"""Endings that make a public name of its own: the model, told to think so."""

Count = Annotated[int, Meta(gt=0)]
Said = Meta
"""A field's sentence in docs/settings.md."""


class Limits(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds that the vendor documents: `models.limits`."""

    context_tokens: Annotated[Count | None, Said(description="Input and output together; shown.")] = None
    output_tokens: Annotated[
        Count | None, Said(description="The longest answer. More is brought down to it, with a note.")
    ] = None
    stop_sequences: Annotated[
        Count | None, Said(description="How many are sent; the gateway matches the others in the answer.")
    ] = None
    images: Annotated[Count | None, Said(description="Pictures in one request.")] = None
    media_bytes: Annotated[Count | None, Said(description="Of one picture, document, sound or film.")] = None


class Profile(Value, frozen=True, kw_only=True):
    """What is known of one model. None means unknown: nothing is shown, and nothing is narrowed.

    `endpoints` are the dialects that clients may use, empty: every one. `accepts` are MIME types. `efforts` and `levels`
    are what it can be told to think with, empty: what the provider's Caps say. `safety` are the operator's settings by
    category, sent in place of the client's where the upstream has such settings; empty: the client's own.
    """

    family: str = ""
    kind: Kind = "chat"
    summary: str = ""
    abilities: tuple[Ability, ...] | None = None
    endpoints: tuple[str, ...] = ()
    accepts: tuple[str, ...] | None = None
    limits: Limits = Limits()
    thinking: Thinking | None = None
    efforts: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    suffixes: tuple[Suffix, ...] = ()
    cache: CachePolicy = "client"
    safety: dict[str, str] = {}


UNKNOWN = Profile()
"""The profile of a model whose row names no family and says nothing."""
