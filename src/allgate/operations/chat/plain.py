"""Plain conversations: one text a turn and nothing else, which is what most requests are.

A dialect reads such a request by type (msgspec checks and builds in one call what is otherwise asked for member by
member), and writes one without asking for what is not there. What is not plain goes the long way, which knows everything;
for what is, both ways give the same result, and tests hold them to it.
"""

from collections.abc import Iterable

from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import (
    NO_CACHE,
    NOBODY,
    STATELESS,
    ChatRequest,
    Role,
    Sampling,
    State,
    Turn,
)

PLAIN_BYTES_MAX = 8 * 1024
"""Of a request's body that a dialect tries to read by type. What is not plain stands behind the messages (an agent's tools),
so finding it costs as much as reading those, 0.5 to 1.2 µs for 1 KB and up to 3.7 for 8; what is saved, 4 to 6, is the same
whatever the length; and long bodies are those of agents."""

_UNKEPT = State(store=False)


def plain_conversation(
    spoken: Iterable[tuple[Role, str]],
) -> tuple[tuple[Text, ...], tuple[Turn, ...]] | None:
    """(system, turns) of these texts, in normal form already; None where normal form would have something to do.

    >>> plain_conversation([("system", "Be kind."), ("user", "Hi")])[0]
    (Text(text='Be kind.', annotations=(), logprobs=None, cache=None, seals=(), id=None, extra={}),)
    >>> plain_conversation([("user", "Hi"), ("user", "")]) is None
    True
    """
    system: list[Text] = []
    turns: list[Turn] = []
    last: Role = "system"
    for role, text in spoken:
        if not text or role == last == "assistant":
            return None
        if role == "user" or role == "assistant":
            turns.append(Turn(role=role, parts=(Text(text=text),)))
        elif turns or role == "tool":
            return None
        else:
            system.append(Text(text=text))
        last = role
    return (tuple(system), tuple(turns)) if turns else None


def spoken_in(request: ChatRequest, *, unkept: bool = False) -> list[tuple[Role, str]] | None:
    """Role and text of each turn of a plain request; None if it holds or wishes anything but texts and sampling.

    Its `system` may be asked for beside: plain too. What a dialect alone has a word for (`extra`) is not plain. With `unkept`
    the wish not to be stored (`State.store` false, as most clients of Responses say) is plain too, for an encoder that
    has no need of it or asks for it beside.
    """
    if (
        request.tools or request.tool_choice is not None or request.reasoning is not None or request.output is not None
        or request.modalities or request.extra or request.notes or request.service_tier is not None
        or request.safety is not None or request.audio_out is not None or request.image_out is not None
        or request.cache != NO_CACHE or request.identity != NOBODY
        or not (request.state == STATELESS or (unkept and request.state == _UNKEPT))
    ):  # fmt: skip
        return None
    return texts_in(request)


def texts_in(request: ChatRequest) -> list[tuple[Role, str]] | None:
    """Role and text of each turn, where each is one plain text and the system is plain too; whatever is wished beside."""
    spoken: list[tuple[Role, str]] = []
    for turn in request.turns:
        if (
            len(turn.parts) != 1
            or turn.extra
            or turn.name is not None
            or turn.id is not None
            or turn.phase is not None
        ):
            return None
        part = turn.parts[0]
        if type(part) is not Text or not is_plain(part):
            return None
        spoken.append((turn.role, part.text))
    for text in request.system:
        if not is_plain(text):
            return None
    return spoken


def is_ordinary(sampling: Sampling) -> bool:
    """Whether it says nothing but how long an answer may be, and how warm."""
    return sampling == Sampling(
        temperature=sampling.temperature, top_p=sampling.top_p, max_tokens=sampling.max_tokens
    )


def is_plain(text: Text) -> bool:
    """Whether it is words and nothing else."""
    return not (
        text.annotations
        or text.extra
        or text.seals
        or text.cache is not None
        or text.id is not None
        or text.logprobs
    )
