"""The canonical answer → a chat completion. A choice that is one plain text needs no collecting of parts."""

from allgate.dialects.contract import Asked
from allgate.dialects.openai_chat.answer_encode import (
    THOUGHTS_SEPARATOR,
    annotations_wire,
    call_wire,
    details_wire,
    image_wire,
    shows_thinking,
    speaks_legacy,
)
from allgate.dialects.openai_chat.finish import finish_word
from allgate.dialects.openai_chat.own import NAME, own
from allgate.dialects.openai_chat.usage_encode import encode_usage
from allgate.dialects.passes.lenient import list_of, object_of
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import (
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
from allgate.wire import json
from allgate.wire.json import Json, JsonObject


def encode_response(response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
    """(the body, what chat has no place for)."""
    notes: list[Note] = list(response.notes)
    body: JsonObject = {
        "id": asked.response_id,
        "object": "chat.completion",
        "created": asked.created_s,
        "model": asked.model,
        "choices": [choice_wire(choice, asked, notes) for choice in response.choices],
    }
    if response.usage is not None:
        body["usage"] = encode_usage(response.usage)
    if response.service_tier is not None:
        body["service_tier"] = response.service_tier
    if response.extra:
        body |= {key: value for key, value in own(response.extra).items() if key not in body}
        notes += [dropped(name, f"{NAME} has no place for it") for name in response.extra if name != NAME]
    return json.encode(body), tuple(notes)


def choice_wire(choice: Choice, asked: Asked, notes: list[Note]) -> JsonObject:
    """One entry of `choices`."""
    part = choice.parts[0] if len(choice.parts) == 1 else None
    if type(part) is not Text or part.annotations or part.logprobs or part.seals or choice.logprobs:
        return any_choice(choice, asked, notes)
    return {
        "index": choice.index,
        "message": {"role": "assistant", "content": part.text, "refusal": None},
        "logprobs": None,
        "finish_reason": finish_word(choice.finish, refused=False, legacy=speaks_legacy(asked)),
    }


def any_choice(choice: Choice, asked: Asked, notes: list[Note]) -> JsonObject:
    """The same of any parts."""
    message = _MessageBuilder(asked, notes)
    for part in choice.parts:
        message.add(part)
    word = finish_word(choice.finish, refused=bool(message.refusal), legacy=speaks_legacy(asked))
    logprobs: JsonObject = {"content": message.logprobs} if message.logprobs else {}
    if choice.logprobs:
        logprobs |= object_of(choice.logprobs)
    return {
        "index": choice.index,
        "message": message.wire(),
        "logprobs": logprobs or None,
        "finish_reason": word,
    }


class _MessageBuilder:
    """Collects the parts of one choice into one message."""

    def __init__(self, asked: Asked, notes: list[Note]) -> None:
        self._asked = asked
        self._notes = notes
        self._shown = shows_thinking(asked)
        self._content: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[JsonObject] = []
        self._details: list[JsonObject] = []
        self._annotations: list[JsonObject] = []
        self._images: list[JsonObject] = []
        self._audio: JsonObject | None = None
        self.logprobs: list[Json] = []
        self.refusal = ""

    def add(self, part: Part) -> None:
        match part:
            case Text():
                self._add_text(part)
            case Thinking():
                if part.text and self._shown:
                    self._thoughts.append(part.text)
                self._add_details(part)
            case ToolCall():
                self._calls.append(call_wire(part, self._asked.seals))
            case Refusal():
                self.refusal += part.text
            case Media():
                self._add_media(part)
            case Hosted():
                self._notes.append(dropped(f"hosted.{part.tool}", f"{NAME} shows only its citations"))
            case ToolResult() | Opaque():
                self._notes.append(dropped("content", f"{NAME} has no place for it"))

    def wire(self) -> JsonObject:
        content = "".join(self._content)
        message: JsonObject = {
            "role": "assistant",
            "content": content if content or not (self._calls or self.refusal or self._audio) else None,
            "refusal": self.refusal or None,
        }
        if self._thoughts:
            message["reasoning_content"] = THOUGHTS_SEPARATOR.join(self._thoughts)
        for name, found in (
            ("reasoning_details", self._details),
            ("annotations", self._annotations),
            ("images", self._images),
            ("audio", self._audio),
        ):
            if found:
                message[name] = found
        calls = self._calls
        if calls and speaks_legacy(self._asked) and "function" in calls[0]:
            message["function_call"] = calls[0]["function"]
            calls = calls[1:]
        if calls:
            message["tool_calls"] = calls
        return message

    def _add_text(self, text: Text) -> None:
        if text.annotations:
            self._annotations += annotations_wire(text, sum(map(len, self._content)))
        self._content.append(text.text)
        if text.logprobs:
            self.logprobs += list_of(text.logprobs)
        if text.seals:
            self._add_details(text)

    def _add_details(self, part: Thinking | Text) -> None:
        self._details += details_wire(part, len(self._details), self._asked.seals, shown=self._shown)

    def _add_media(self, media: Media) -> None:
        if media.kind in ("image", "video"):
            self._images.append(image_wire(media, self._asked.seals, len(self._images)))
        elif media.kind == "audio" and self._audio is None and isinstance(media.source, Inline):
            self._audio = {
                "id": media.id or f"audio_{self._asked.response_id}",
                "data": media.source.base64,
                "transcript": media.transcript or "",
                "expires_at": self._asked.created_s,
            }
        else:
            self._notes.append(dropped("content", f"{NAME} has no place for {media.kind} output"))
