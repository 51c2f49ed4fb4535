"""Answers as legacy text completions: `choices[].text`, whole and streamed. Whatever is no text becomes a note."""

from allgate.dialects.contract import Asked
from allgate.dialects.openai_chat.errors import encode_stream_error
from allgate.dialects.openai_chat.finish import finish_word
from allgate.dialects.openai_chat.stream_encode import DONE_FRAME, KEEP_ALIVE
from allgate.dialects.openai_chat.usage_encode import encode_usage
from allgate.dialects.openai_completions.request import NAME, prompt_of
from allgate.dialects.passes.legacy_logprobs import legacy_of_entries
from allgate.dialects.passes.lenient import list_of, objects_of, text_of
from allgate.operations.chat.events import Delta, Ended, Event, Failed, Finished, Tick
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import Refusal, Text
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

_UNFINISHED = b',"logprobs":null,"finish_reason":null}]}\n\n'


def encode_response(response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
    """(the body, what has no place in it)."""
    notes: list[Note] = [
        dropped(type(part).__name__.lower(), f"{NAME} has only text")
        for choice in response.choices
        for part in choice.parts
        if not isinstance(part, (Text, Refusal))
    ]
    body = _head(asked) | {
        "choices": [_choice(choice, prompt_of(asked.request)) for choice in response.choices]
    }
    if response.usage is not None:
        body["usage"] = encode_usage(response.usage)
    return json.encode(body), (*response.notes, *notes)


def _head(asked: Asked) -> JsonObject:
    return {
        "id": asked.response_id,
        "object": "text_completion",
        "created": asked.created_s,
        "model": asked.model,
    }


def _choice(choice: Choice, prompt: str) -> JsonObject:
    texts = [part for part in choice.parts if isinstance(part, (Text, Refusal))]
    entries: list[Json] = [
        entry for part in texts if isinstance(part, Text) for entry in list_of(part.logprobs)
    ]
    return {
        "text": prompt + "".join(part.text for part in texts),
        "index": choice.index,
        "logprobs": legacy_of_entries(entries, len(prompt)),
        "finish_reason": _word(choice.finish),
    }


def _word(finish: Finish) -> str:
    word = finish_word(finish, refused=True, legacy=False)
    return "stop" if word == "tool_calls" else word


class CompletionsStreamEncoder:
    """emit(event) → the bytes that tell it: text, finish, usage and terminator."""

    __slots__ = ("_asked", "_characters", "_head", "_prompt")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._head = b"data: " + json.encode(_head(asked))[:-1] + b',"choices":['
        self._prompt = prompt_of(asked.request)
        self._characters: dict[int, int] = {}  # code points told per choice

    def emit(self, event: Event) -> bytes:
        match event:
            case Delta(channel="text" | "refusal", choice=index, text=text):
                return self._told(index, text)
            case Delta(channel="logprobs", choice=index):
                return self._logprobs(index, event.logprobs)
            case Finished(choice=index):
                echo = b"" if index in self._characters else self._told(index, "")
                word = json.encode(_word(event.finish))
                return (
                    echo + self._chunk(index, "") + b',"logprobs":null,"finish_reason":' + word + b"}]}\n\n"
                )
            case Ended():
                return self._usage(event) + DONE_FRAME
            case Failed():
                return encode_stream_error(event.failure)
            case Tick():
                return KEEP_ALIVE
            case _:
                return b""

    def _told(self, index: int, text: str) -> bytes:
        """A piece of text; the first one of a choice has the prompt in front, where the client wants it back."""
        if index not in self._characters:
            text, self._characters[index] = self._prompt + text, 0
        self._characters[index] += len(text)
        return self._chunk(index, text) + _UNFINISHED if text else b""

    def _logprobs(self, index: int, entries: Json) -> bytes:
        """Those of text that was just told: their offsets count back from its end."""
        told = sum(len(text_of(entry.get("token"))) for entry in objects_of(entries))
        wire = legacy_of_entries(entries, max(0, self._characters.get(index, 0) - told))
        return self._chunk(index, "") + b',"logprobs":' + json.encode(wire) + b',"finish_reason":null}]}\n\n'

    def _chunk(self, index: int, text: str) -> bytes:
        return self._head + b'{"index":%d,"text":' % index + json.encode(text)

    def _usage(self, event: Ended) -> bytes:
        if event.usage is None or not self._asked.request.stream_usage:
            return b""
        return self._head + b'],"usage":' + json.encode(encode_usage(event.usage)) + b"}\n\n"
