"""Events → chunks.

What holds for every stream written here, because the vendor's SDK breaks otherwise: all chunks share id, created, model
and object; the first of each choice has the role; a call's id and name are sent once; call indexes count calls only,
from 0; `choices` is never null; exactly one chunk of a choice has a finish_reason, its last. The usage chunk is sent
only to who asked for it, then `[DONE]`. A failure is a frame with `error` and no `[DONE]`.

Frames are put together from bytes that were encoded once per choice; an ordinary piece of text costs one encoded
string and one join.
"""

import msgspec

from allgate.dialects.contract import Asked
from allgate.dialects.openai_chat.answer_encode import (
    THOUGHTS_SEPARATOR,
    annotations_wire,
    details_wire,
    google_content,
    image_wire,
    shows_thinking,
    speaks_legacy,
)
from allgate.dialects.openai_chat.errors import encode_stream_error
from allgate.dialects.openai_chat.finish import finish_word
from allgate.dialects.openai_chat.own import own
from allgate.dialects.openai_chat.usage_encode import encode_usage
from allgate.operations.chat.events import (
    Closed,
    Delta,
    Ended,
    Event,
    Failed,
    Finished,
    Opened,
    Start,
    Tick,
    UsageSeen,
)
from allgate.operations.chat.parts import Media, Part, Refusal, Text, Thinking, ToolCall
from allgate.wire import json
from allgate.wire.json import JsonObject

KEEP_ALIVE = b": keep-alive\n\n"
DONE_FRAME = b"data: [DONE]\n\n"
_UNFINISHED = b'},"logprobs":null,"finish_reason":null}]}\n\n'

_encode = msgspec.json.Encoder().encode


Frame = tuple[bytes, bytes]
"""What stands before and behind the encoded text of a chunk."""


class _Choice:
    """What was said of one choice so far. `frames` are those of the open part, by channel."""

    __slots__ = (
        "calls", "details", "frames", "images", "prefix", "refused", "segment", "silent", "text_characters", "thought",
    )  # fmt: skip

    def __init__(self, prefix: bytes) -> None:
        self.prefix = prefix  # up to and with `"delta":{`
        self.frames: dict[str, Frame] = {}
        self.calls = 0
        self.details = 0
        self.images = 0
        self.text_characters = 0  # of the text parts before the open one: citations count from the first
        self.refused = False
        self.thought = False  # earlier parts showed reasoning: more of it begins with a separator
        self.segment = 0
        self.silent = True  # the open call has no arguments yet


class ChatStreamEncoder:
    """emit(event) → the bytes that tell it, possibly none."""

    __slots__ = ("_asked", "_choices", "_head", "_legacy", "_shown", "_usage")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._shown = shows_thinking(asked)
        self._legacy = speaks_legacy(asked)
        self._choices: dict[int, _Choice] = {}
        self._head = self._chunk_head({})
        self._usage: JsonObject | None = None

    def emit(self, event: Event) -> bytes:
        """The bytes of one event. Those of `Ended` are the usage chunk and the terminator."""
        if isinstance(event, Delta):  # before the table, because a stream is made of them
            choice = self._choices[event.choice]
            frame = choice.frames.get(event.channel)
            if frame is None:
                return self._rare_delta(event, choice)
            choice.silent = False
            try:
                return frame[0] + _encode(event.text) + frame[1]
            except (UnicodeEncodeError, ValueError):  # half an emoji
                return frame[0] + json.encode(event.text) + frame[1]
        match event:
            case Opened():
                return self._opened(event)
            case Closed():
                return self._closed(event)
            case Finished():
                return self._finished(event)
            case Start():
                self._head = self._chunk_head(_first_members(event))
                return b""
            case UsageSeen():
                return b""
            case Ended():
                return self._ended(event)
            case Failed():
                return encode_stream_error(event.failure)
            case Tick():
                return KEEP_ALIVE

    def _chunk_head(self, members: JsonObject) -> bytes:
        """`data: {…,"choices":[` with what all chunks of this answer share."""
        shared = {
            "id": self._asked.response_id,
            "object": "chat.completion.chunk",
            "created": self._asked.created_s,
            "model": self._asked.model,
            **members,
        }
        return b"data: " + json.encode(shared)[:-1] + b',"choices":['

    def _choice(self, index: int) -> tuple[_Choice, bytes]:
        """The choice, and the chunk that introduces it where it is new."""
        choice = self._choices.get(index)
        if choice is not None:
            return choice, b""
        choice = self._choices[index] = _Choice(self._head + b'{"index":%d,"delta":{' % index)
        return choice, choice.prefix + b'"role":"assistant","content":""' + _UNFINISHED

    def _chunk(self, choice: _Choice, delta: JsonObject) -> bytes:
        """A chunk with these members in its delta."""
        return choice.prefix + json.encode(delta)[1:-1] + _UNFINISHED

    def _rare_delta(self, event: Delta, choice: _Choice) -> bytes:
        """Reasoning that needs a separator, and log probabilities. All else is said when its part closes."""
        if event.channel == "logprobs":
            tail = (
                b'},"logprobs":' + json.encode({"content": event.logprobs}) + b',"finish_reason":null}]}\n\n'
            )
            return choice.prefix + tail
        if event.channel not in ("thinking", "summary") or not self._shown or not event.text:
            return b""
        separated = choice.thought or event.segment > choice.segment
        choice.thought, choice.segment = False, event.segment
        if event.channel == "thinking":
            choice.frames = {"thinking": (choice.prefix + b'"reasoning_content":', _UNFINISHED)}
        text = THOUGHTS_SEPARATOR + event.text if separated else event.text
        return self._chunk(choice, {"reasoning_content": text})

    def _opened(self, event: Opened) -> bytes:
        choice, introduction = self._choice(event.choice)
        part = event.part
        choice.frames, choice.silent, choice.segment = {}, True, 0
        match part:
            case Text():
                choice.frames = {"text": (choice.prefix + b'"content":', _UNFINISHED)}
            case Refusal():
                choice.refused = True
                choice.frames = {"refusal": (choice.prefix + b'"refusal":', _UNFINISHED)}
            case ToolCall():
                introduction += self._open_call(choice, part)
            case Media(kind="audio"):
                introduction += self._open_audio(choice, part)
            case _:
                pass
        return introduction

    def _open_call(self, choice: _Choice, call: ToolCall) -> bytes:
        """The chunk that names a call, and the frame of its arguments."""
        index, choice.calls = choice.calls, choice.calls + 1
        if self._legacy and index == 0 and call.input_kind == "json":
            choice.frames = {"input": (choice.prefix + b'"function_call":{"arguments":', b"}" + _UNFINISHED)}
            return self._chunk(choice, {"function_call": {"name": call.name, "arguments": ""}})
        index -= self._legacy
        kind, member = _call_words(call)
        head = b'"tool_calls":[{"index":%d,"%b":{"%b":' % (index, kind.encode(), member.encode())
        choice.frames = {"input": (choice.prefix + head, b"}}]" + _UNFINISHED)}
        opening = {"index": index, "id": call.call_id, "type": kind, kind: {"name": call.name, member: ""}}
        return self._chunk(choice, {"tool_calls": [opening]})

    def _open_audio(self, choice: _Choice, media: Media) -> bytes:
        tail = b"}" + _UNFINISHED
        choice.frames = {
            "data": (choice.prefix + b'"audio":{"data":', tail),
            "transcript": (choice.prefix + b'"audio":{"transcript":', tail),
        }
        return self._chunk(choice, {"audio": {"id": media.id or f"audio_{self._asked.response_id}"}})

    def _closed(self, event: Closed) -> bytes:
        choice, introduction = self._choice(event.choice)
        return introduction + self._close_part(choice, event.part)

    def _close_part(self, choice: _Choice, part: Part) -> bytes:
        """What can only be said of a whole part: citations, pictures, seals, and arguments that never came."""
        match part:
            case Text():
                found = annotations_wire(part, choice.text_characters)
                choice.text_characters += len(part.text)
                cited = self._chunk(choice, {"annotations": found}) if found else b""
                return cited + self._details(choice, part)
            case Thinking():
                choice.thought = choice.thought or bool(part.text)
                return self._details(choice, part)
            case ToolCall():
                return self._close_call(choice, part)
            case Media(kind="audio"):
                return self._chunk(choice, {"audio": {"expires_at": self._asked.created_s}})
            case Media(kind="image" | "video"):
                index, choice.images = choice.images, choice.images + 1
                return self._chunk(choice, {"images": [image_wire(part, self._asked.seals, index)]})
            case _:
                return b""

    def _close_call(self, choice: _Choice, call: ToolCall) -> bytes:
        told = b""
        if choice.silent and call.input_kind == "json":
            head, tail = choice.frames["input"]
            told = head + b'"{}"' + tail
        index = choice.calls - 1 - self._legacy
        if call.seals and index >= 0:  # a legacy `function_call` has no place for a seal
            kind, member = _call_words(call)
            fragment = {
                "index": index,
                kind: {member: ""},  # the SDK's stream helper takes no fragment without it
                **google_content(call.seals, self._asked.seals),
            }
            told += self._chunk(choice, {"tool_calls": [fragment]})
        return told

    def _details(self, choice: _Choice, part: Text | Thinking) -> bytes:
        if not part.seals:
            return b""
        found = details_wire(part, choice.details, self._asked.seals, shown=self._shown)
        choice.details += len(found)
        return self._chunk(choice, {"reasoning_details": found})

    def _finished(self, event: Finished) -> bytes:
        choice, introduction = self._choice(event.choice)
        word = finish_word(event.finish, refused=choice.refused, legacy=self._legacy)
        logprobs = json.encode(event.logprobs)
        tail = b'},"logprobs":' + logprobs + b',"finish_reason":"' + word.encode() + b'"}]}\n\n'
        return introduction + choice.prefix + tail

    def _ended(self, event: Ended) -> bytes:
        if event.usage is None or not self._asked.request.stream_usage:
            return DONE_FRAME
        return self._head + b'],"usage":' + json.encode(encode_usage(event.usage)) + b"}\n\n" + DONE_FRAME


def _call_words(call: ToolCall) -> tuple[str, str]:
    """The members that hold a call, and in it its input."""
    return ("custom", "input") if call.input_kind == "text" else ("function", "arguments")


def _first_members(start: Start) -> JsonObject:
    """What the provider says once and OpenAI repeats in every chunk."""
    members = {} if start.service_tier is None else {"service_tier": start.service_tier}
    fingerprint = own(start.extra).get("system_fingerprint")
    return members if fingerprint is None else {**members, "system_fingerprint": fingerprint}
