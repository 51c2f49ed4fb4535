"""ChatResponse → a whole reply of generateContent."""

from collections.abc import Sequence

from allgate.core.usage import Usage
from allgate.dialects.contract import Asked
from allgate.dialects.gemini.finish import finish_word
from allgate.dialects.gemini.grounding import metadata_for
from allgate.dialects.gemini.logprobs import result_for
from allgate.dialects.gemini.parts_encode import PartsEncoder
from allgate.dialects.gemini.usage import metadata_of
from allgate.dialects.passes.lenient import object_of
from allgate.operations.chat.notes import Note
from allgate.operations.chat.parts import Extra, Part, Text
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire.json import JsonObject, encode


def encode_response(response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
    """The body for a client, and what it could not hold."""
    notes: list[Note] = []
    blocked = block_of(response.extra, [choice.finish for choice in response.choices], _has_parts(response))
    candidates = (
        [] if blocked else [_candidate(choice, response.extra, asked, notes) for choice in response.choices]
    )
    body = envelope(candidates, response.usage, asked)
    if blocked:
        body = {"promptFeedback": blocked, **body}
    return encode(body), tuple(notes)


def envelope(candidates: list[JsonObject], usage: Usage | None, asked: Asked) -> JsonObject:
    """A reply around its candidates."""
    body: JsonObject = {"candidates": candidates} if candidates else {}
    if usage is not None:
        body["usageMetadata"] = metadata_of(usage)
    return {**body, "modelVersion": asked.model, "responseId": asked.response_id}


def ending(
    index: int,
    finish: Finish,
    parts: Sequence[Part],
    extra: Extra,
    *,
    malformed: bool,
    places: Sequence[int] | None = None,
) -> JsonObject:
    """How a candidate ends: its finish, and what a Gemini provider said beside it or the parts rest on.

    `places`: where in the content each text stands; None: in a stream.
    """
    own = object_of(object_of(extra.get("gemini", {}).get("candidates")).get(str(index)))
    word = finish_word(finish)
    ended: JsonObject = {
        **own,
        "finishReason": "MALFORMED_FUNCTION_CALL" if malformed and word == "STOP" else word,
    }
    if finish.detail is not None:
        ended["finishMessage"] = finish.detail
    if "groundingMetadata" not in own and (grounds := metadata_for(parts, places)):
        ended["groundingMetadata"] = grounds
    ended["index"] = index
    return ended


def block_of(extra: Extra, finishes: Sequence[Finish], has_parts: bool) -> JsonObject | None:
    """promptFeedback, where a Gemini provider refused the prompt: then there are no candidates."""
    feedback = object_of(extra.get("gemini", {}).get("promptFeedback"))
    refused = not has_parts and all(finish.reason == "content_filter" for finish in finishes)
    return feedback if feedback.get("blockReason") and refused else None


def _has_parts(response: ChatResponse) -> bool:
    return any(choice.parts for choice in response.choices)


def _candidate(choice: Choice, extra: Extra, asked: Asked, notes: list[Note]) -> JsonObject:
    encoder = PartsEncoder(asked)
    parts: list[JsonObject] = []
    places: list[int] = []
    for part in choice.parts:
        encoded = encoder.whole(part)
        if isinstance(part, Text):
            own = (place for place, one in enumerate(encoded) if one.get("text") == part.text)
            places.append(len(parts) + next(own, 0))
        parts += encoded
    parts += encoder.rest()
    notes += encoder.notes
    content: JsonObject = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    ended = ending(
        choice.index, choice.finish, choice.parts, extra, malformed=encoder.malformed, places=places
    )
    entries = [
        entry for part in choice.parts if isinstance(part, Text) and part.logprobs for entry in part.logprobs
    ]
    if result := result_for(choice.logprobs or entries):
        ended["logprobsResult"] = result
    return {"content": content, **ended}
