"""A stream and a whole answer say the same thing: `fold` turns events into a response, `unfold` a response into events.

Both are what makes one codec enough where the two sides differ in streaming: a provider that answers whole is unfolded
for a client that streams, and a streamed answer is folded for tests and for clients that want it whole.
`fold(unfold(response)) == response`, except for `notes` and `Choice.extra`, for which a stream has no place.
"""

from collections.abc import Iterable, Iterator

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.usage import Usage, merged
from allgate.core.value import changed
from allgate.operations.chat.events import (
    Channel,
    Closed,
    Delta,
    Ended,
    Event,
    Failed,
    Finished,
    Opened,
    Start,
    UsageSeen,
)
from allgate.operations.chat.parts import (
    Extra,
    Hosted,
    Inline,
    Media,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from allgate.operations.chat.response import ChatResponse, Choice


def fold(events: Iterable[Event]) -> ChatResponse:
    """The whole answer that these events tell.

    Raises: WireError: the stream failed, or ended before it was complete.
    """
    start: Start | None = None
    ended: Ended | None = None
    usage: Usage | None = None
    parts: dict[int, list[Part]] = {}
    finishes: dict[int, Finished] = {}
    for event in events:
        # Exact types, the frequent first: a class pattern costs twice as much, and every unary answer comes this way.
        if type(event) is Closed:
            parts.setdefault(event.choice, []).append(event.part)
        elif type(event) is Start:
            start, usage = event, event.usage
        elif type(event) is UsageSeen:
            usage = merged(usage, event.usage)
        elif type(event) is Finished:
            finishes[event.choice] = event
        elif type(event) is Ended:
            ended = event
        elif type(event) is Failed:
            raise WireError(event.failure)
    if start is None or ended is None or parts.keys() - finishes.keys():
        raise WireError(
            Failure(kind=ErrorKind.UPSTREAM, message="The stream ended before the answer was complete")
        )
    return ChatResponse(
        id=start.id,
        model=start.model,
        created_s=start.created_s,
        service_tier=start.service_tier,
        usage=usage if ended.usage is None else merged(usage, ended.usage),
        extra=joined(start.extra, ended.extra) if ended.extra else start.extra,
        choices=tuple(
            [
                Choice(
                    index=index,
                    parts=tuple(parts.get(index, ())),
                    finish=finishes[index].finish,
                    logprobs=finishes[index].logprobs,
                )
                for index in sorted(finishes)
            ]
        ),
    )


def unfold(response: ChatResponse) -> tuple[Event, ...]:
    """The events that tell this answer: every part opened, given in one piece per channel, and closed."""
    return tuple(_told(response))


def _told(response: ChatResponse) -> Iterator[Event]:
    yield Start(
        id=response.id,
        model=response.model,
        created_s=response.created_s,
        service_tier=response.service_tier,
        extra=response.extra,
    )
    for choice in response.choices:
        for index, part in enumerate(choice.parts):
            yield Opened(index=index, part=skeleton(part), choice=choice.index)
            yield from deltas(part, index, choice.index)
            yield Closed(index=index, part=part, choice=choice.index)
        yield Finished(finish=choice.finish, choice=choice.index, logprobs=choice.logprobs)
    yield Ended(usage=response.usage)


def skeleton(part: Part) -> Part:
    """The part as it is when it opens: kind, ids, names and MIME type, without content, seals and annotations."""
    match part:
        case Text():
            return changed(part, text="", annotations=(), logprobs=None, seals=())
        case Thinking():
            return changed(part, text="", segments=(), seals=())
        case Refusal():
            return changed(part, text="", seals=())
        case ToolCall():
            return changed(part, input="", seals=())
        case Hosted():
            return changed(part, input="", result=None, seals=())
        case Media(source=Inline(mime=mime)):
            return changed(part, source=Inline(mime=mime, base64=""), transcript=None, seals=())
        case Media():
            return changed(part, transcript=None, seals=())
        case ToolResult() | Opaque():
            return changed(part, seals=())


def main_channel(part: Part) -> Channel | None:
    """The channel on which this part's content arrives; None where the skeleton says it all."""
    match part:
        case Text():
            return "text"
        case Thinking():
            return "summary" if part.form == "summary" else "thinking"
        case Refusal():
            return "refusal"
        case ToolCall() | Hosted():
            return "input"
        case Media(source=Inline()):
            return "data"
        case Media() | ToolResult() | Opaque():
            return None


def main_text(part: Part) -> str:
    """What goes over the main channel."""
    match part:
        case Text() | Thinking() | Refusal():
            return part.text
        case ToolCall() | Hosted():
            return part.input
        case Media(source=Inline(base64=base64)):
            return base64
        case Media() | ToolResult() | Opaque():
            return ""


def deltas(part: Part, index: int, choice: int = 0) -> Iterator[Delta]:
    """The content of a whole part as the fewest pieces: its text, then what belongs to the text, then its seals."""
    channel, text = main_channel(part), main_text(part)
    if isinstance(part, Thinking) and part.segments:
        for segment, paragraph in enumerate(part.segments):
            yield Delta(index=index, channel="summary", text=paragraph, choice=choice, segment=segment)
    elif channel is not None and text:
        yield Delta(index=index, channel=channel, text=text, choice=choice)
    if isinstance(part, Text):
        if part.logprobs is not None:
            yield Delta(index=index, channel="logprobs", logprobs=part.logprobs, choice=choice)
        for annotation in part.annotations:
            yield Delta(index=index, channel="annotation", annotation=annotation, choice=choice)
    elif isinstance(part, Media) and part.transcript is not None:
        yield Delta(index=index, channel="transcript", text=part.transcript, choice=choice)
    elif isinstance(part, Hosted) and part.result is not None:
        yield Delta(index=index, channel="result", result=part.result, choice=choice)
    for seal in part.seals:
        yield Delta(index=index, channel="seal", seal=seal, choice=choice)


def joined(first: Extra, second: Extra) -> Extra:
    """The members of both, per dialect; the second wins."""
    if not first or not second:
        return first or second
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in (*first, *second)}
