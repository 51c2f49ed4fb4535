"""JSON that we promised in a vendor's place: the answer is judged before its end is told.

Where a deployment has no switch for the form that a client asks for, its dialect asks in words or by a tool; nothing
holds the model to it then but this. Whole answers are judged before they leave. A stream has left by then, so its end
is judged: an answer that is not what was promised ends in an error in place of the terminator. Judged is a choice that
ended of itself, by its text; one that was cut at its limit, refused or calls tools says so by its finish.

A schema with `strict: false` is a wish: its answer must be JSON, no more.

Models that are asked in words like to put a fence of three backticks around their JSON. Nobody who asked for JSON wants
it, so it is taken off, in a stream too: what may be its beginning or its end is held back.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.value import changed
from allgate.dialects.contract import Sent, StreamDecoder
from allgate.dialects.passes.answer_schema import AnswerSchema
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Closed, Delta, Event, Failed, Finished, Opened
from allgate.operations.chat.notes import repaired
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import ChatRequest, OutputFormat
from allgate.operations.chat.response import ChatResponse, Choice
from allgate.wire import json

_ENDED_OF_ITSELF = ("stop", "stop_sequence")
_FENCE = "```"
_FENCE_GONE = repaired("content", "a fence of backticks around the JSON is taken off")
_MAY_END_IT = "` \t\r\n"
_LANGUAGE_CHARACTERS_MAX = 20
"""Behind an opening fence ("json", "jsonc"): what is longer is no fence's first line."""


class Promise:
    """The form of an answer, to be judged by us. Raises: WireError: the schema is none."""

    __slots__ = ("_schema",)

    def __init__(self, output: OutputFormat) -> None:
        bound = output.kind == "json_schema" and output.strict is not False
        wanted = output.schema if bound else None
        if output.kind == "json_object":
            wanted = {"type": "object"}
        self._schema = None if wanted is None else AnswerSchema(wanted)

    def check(self, text: str) -> None:
        """Raises: WireError: `text` is not what was promised."""
        try:
            answer = json.decode(text.encode("utf-8", "replace"), "answer")
        except WireError:
            raise _broken("is not JSON") from None
        fault = None if self._schema is None else self._schema.fault(answer)
        if fault is not None:
            raise _broken(f"does not match the schema that was asked for, {fault}")


def promise_for(request: ChatRequest, caps: Caps) -> Promise | None:
    """What we promise in the place of a deployment with these Caps; None: nothing, or the vendor does."""
    output = request.output
    if output is None:
        return None
    beside_tools = not request.tools or caps.schema_with_tools
    match output.kind:
        case "json_schema":
            return None if caps.json_schema != "none" and beside_tools else Promise(output)
        case "json_object":
            return None if caps.json_object and beside_tools else Promise(output)
        case _:
            return None


class Decoding(Protocol):
    """How the replies of a provider are read: two of a dialect's functions."""

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse: ...
    def stream_decoder(self, sent: Sent) -> StreamDecoder: ...


class Judged:
    """A dialect's reading of replies, each held to the promise. Implements `Decoding`."""

    __slots__ = ("_decoding", "_promise")

    def __init__(self, decoding: Decoding, promise: Promise) -> None:
        self._decoding, self._promise = decoding, promise

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse:
        """Raises: WireError: no reply, or not what was promised."""
        response = self._decoding.decode_response(body, sent)
        choices = tuple(self._choice(choice) for choice in response.choices)
        if choices == response.choices:
            return response
        return changed(response, choices=choices, notes=(*response.notes, _FENCE_GONE))

    def _choice(self, choice: Choice) -> Choice:
        parts = tuple(
            changed(part, text=_unfenced(part.text)) if isinstance(part, Text) else part
            for part in choice.parts
        )
        if choice.finish.reason in _ENDED_OF_ITSELF:
            self._promise.check("".join(part.text for part in parts if isinstance(part, Text)))
        return changed(choice, parts=parts)

    def stream_decoder(self, sent: Sent) -> StreamDecoder:
        return JudgedStream(self._decoding.stream_decoder(sent), self._promise)


class JudgedStream:
    """A stream decoder behind which an answer that breaks the promise fails. Implements `StreamDecoder`."""

    __slots__ = ("_decoder", "_judge")

    def __init__(self, decoder: StreamDecoder, promise: Promise) -> None:
        self._decoder = decoder
        self._judge = JudgedEvents(promise)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        return self._judge.pass_on(self._decoder.feed(chunk))

    def close(self) -> Iterator[Event]:
        return self._judge.pass_on(self._decoder.close())


class JudgedEvents:
    """pass_on(events) → the events without fences, up to the end or to the first broken promise."""

    __slots__ = ("_fences", "_over", "_promise", "_texts")

    def __init__(self, promise: Promise) -> None:
        self._promise = promise
        self._fences: dict[int, Unfenced] = {}  # by choice: its open text
        self._texts: dict[int, list[str]] = {}
        self._over = False

    def pass_on(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            if self._over:
                return
            match event:
                case Delta(channel="text") | Opened() | Closed():
                    yield from self._text(event)
                case Finished():
                    yield self._finished(event)
                case _:
                    yield event

    def _text(self, event: Delta | Opened | Closed) -> Iterator[Event]:
        choice = event.choice
        match event:
            case Opened(part=Text()):
                self._fences[choice] = Unfenced()
            case Delta() if choice in self._fences:
                if text := self._fences[choice].feed(event.text):
                    yield changed(event, text=text)
                return
            case Closed(part=Text() as part) if choice in self._fences:
                fence = self._fences.pop(choice)
                if rest := fence.close():
                    yield Delta(index=event.index, channel="text", text=rest, choice=choice)
                self._texts.setdefault(choice, []).append(fence.text)
                yield changed(event, part=changed(part, text=fence.text))
                return
            case _:
                pass
        yield event

    def _finished(self, event: Finished) -> Event:
        if event.finish.reason not in _ENDED_OF_ITSELF:
            return event
        try:
            self._promise.check("".join(self._texts.get(event.choice, ())))
        except WireError as error:
            self._over = True
            return Failed(failure=error.failure)
        return event


class Unfenced:
    """One text without the fence around it. `text` is what has left."""

    __slots__ = ("_fenced", "_held", "text")

    def __init__(self) -> None:
        self._held = ""
        self._fenced: bool | None = None  # None: not known yet
        self.text = ""

    def feed(self, piece: str) -> str:
        """What may leave now."""
        self._held += piece
        if self._fenced is None:
            self._begin()
        if self._fenced is None:
            return ""
        leaves = self._held.rstrip(_MAY_END_IT) if self._fenced else self._held
        self._held = self._held[len(leaves) :]
        self.text += leaves
        return leaves

    def close(self) -> str:
        """The rest, without the closing fence."""
        rest = "" if self._fenced and self._held.strip() == _FENCE else self._held
        self._held = ""
        self.text += rest
        return rest

    def _begin(self) -> None:
        """Find out whether the text begins with a fence, and take its line off."""
        told = self._held.lstrip()
        if not told.startswith(_FENCE):
            self._fenced = None if _FENCE.startswith(told) else False
            return
        line, newline, rest = told[len(_FENCE) :].partition("\n")
        if not newline and len(line) <= _LANGUAGE_CHARACTERS_MAX:
            return
        self._fenced = bool(newline) and (not line.strip() or line.strip().isalnum())
        if self._fenced:
            self._held = rest


def _unfenced(text: str) -> str:
    fence = Unfenced()
    fence.feed(text)
    fence.close()
    return fence.text


def _broken(what: str) -> WireError:
    return WireError(
        Failure(
            kind=ErrorKind.UPSTREAM,
            message=f"The model's answer {what}. Please try again, or choose a model with schemas of its own.",
            code="output_mismatch",
            upstream=True,
        )
    )
