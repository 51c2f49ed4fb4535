"""The final value of a part, built from its skeleton and the pieces that a stream brought."""

from typing import cast

from allgate.core.value import changed
from allgate.operations.chat.events import Delta
from allgate.operations.chat.parts import (
    Hosted,
    Inline,
    Media,
    Part,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
)
from allgate.wire.json import Json


def assembled(part: Part, main: str, rest: list[Delta]) -> Part:
    """The final value of a part: its skeleton, the text of its main channel, and its other pieces."""
    if not rest and type(part) is Text:
        return changed(part, text=main)
    seals = part.seals + tuple(delta.seal for delta in rest if delta.seal is not None)
    match part:
        case Text():
            logprobs = [entry for delta in rest if delta.logprobs is not None for entry in _entries(delta)]
            return changed(
                part,
                text=main,
                seals=seals,
                annotations=part.annotations + tuple(d.annotation for d in rest if d.annotation is not None),
                logprobs=logprobs or part.logprobs,
            )
        case Thinking():
            return _thought(part, main, rest, seals)
        case Refusal():
            return changed(part, text=main, seals=seals)
        case ToolCall():
            return changed(part, input=main, seals=seals)
        case Hosted():
            results = [delta.result for delta in rest if delta.result is not None]
            return changed(part, input=main, seals=seals, result=results[-1] if results else part.result)
        case Media():
            spoken = "".join(delta.text for delta in rest if delta.channel == "transcript")
            source = part.source
            if isinstance(source, Inline):
                source = Inline(mime=source.mime, base64=main or source.base64)
            return changed(part, source=source, transcript=spoken or part.transcript, seals=seals)
        case _:
            return changed(part, seals=seals)


def _thought(part: Thinking, main: str, rest: list[Delta], seals: tuple[Seal, ...]) -> Thinking:
    """Raw thinking, or a digest of paragraphs, or nothing that can be read."""
    paragraphs: dict[int, str] = {}
    if part.form == "summary" and main:
        paragraphs[0] = main
    for delta in rest:
        if delta.channel == "summary":
            paragraphs[delta.segment] = paragraphs.get(delta.segment, "") + delta.text
    if paragraphs and part.form != "raw":
        segments = tuple(paragraphs[key] for key in sorted(paragraphs))
        return changed(part, text="\n\n".join(segments), form="summary", segments=segments, seals=seals)
    spoken = "".join((main, *(d.text for d in rest if d.channel in ("thinking", "summary"))))
    return changed(part, text=spoken, form="raw" if spoken else part.form, seals=seals)


def _entries(delta: Delta) -> list[Json]:
    return cast(list[Json], delta.logprobs) if isinstance(delta.logprobs, list) else [delta.logprobs]
