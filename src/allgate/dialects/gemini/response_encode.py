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
from allgate.operations.chat.parts import Part, Text
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire.json import Json, JsonObject, encode


def encode_response(response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
    """The body for a client, and what it could not hold."""
    if (candidate := _plain_candidate(response)) is not None:
        return encode(envelope([candidate], response.usage, asked)), ()
    return encode_parts(response, asked)


def _plain_candidate(response: ChatResponse) -> JsonObject | None:
    """The candidate of an answer that is one text and nothing beside it; None for any other."""
    if len(response.choices) != 1 or response.extra.get("gemini"):
        return None
    choice = response.choices[0]
    finish, part = choice.finish, choice.parts[0] if len(choice.parts) == 1 else None
    if type(part) is not Text or not part.text or choice.logprobs or finish.detail is not None:
        return None
    if part.annotations or part.seals or part.logprobs or part.extra.get("gemini"):
        return None
    content = {"parts": [{"text": part.text}], "role": "model"}
    return {"content": content, "finishReason": finish_word(finish), "index": choice.index}


def encode_parts(response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
    """The same for any answer, part by part."""
    notes: list[Note] = []
    own = response.extra.get("gemini")
    if own and (
        blocked := block_of(own, [choice.finish for choice in response.choices], _has_parts(response))
    ):
        return encode({"promptFeedback": blocked, **envelope([], response.usage, asked)}), ()
    candidates = [_candidate(choice, own, asked, notes) for choice in response.choices]
    return encode(envelope(candidates, response.usage, asked)), tuple(notes)


def envelope(candidates: list[JsonObject], usage: Usage | None, asked: Asked) -> JsonObject:
    """A reply around its candidates."""
    body: JsonObject = {"candidates": candidates} if candidates else {}
    if usage is not None:
        body["usageMetadata"] = metadata_of(usage)
    body["modelVersion"] = asked.model
    body["responseId"] = asked.response_id
    return body


def ending(
    index: int,
    finish: Finish,
    parts: Sequence[Part],
    reply: JsonObject | None,
    *,
    malformed: bool,
    places: Sequence[int] | None = None,
) -> JsonObject:
    """How a candidate ends: its finish, and what a Gemini provider said beside it or the parts rest on.

    `reply`: members of the reply that only Gemini has a word for. `places`: where in the content each text stands; None:
    in a stream.
    """
    ended: JsonObject = {**object_of(object_of(reply.get("candidates")).get(str(index)))} if reply else {}
    told = "groundingMetadata" in ended
    word = finish_word(finish)
    ended["finishReason"] = "MALFORMED_FUNCTION_CALL" if malformed and word == "STOP" else word
    if finish.detail is not None:
        ended["finishMessage"] = finish.detail
    if not told and (grounds := metadata_for(parts, places)):
        ended["groundingMetadata"] = grounds
    ended["index"] = index
    return ended


def block_of(reply: JsonObject, finishes: Sequence[Finish], has_parts: bool) -> JsonObject | None:
    """promptFeedback, where a Gemini provider refused the prompt: then there are no candidates."""
    feedback = object_of(reply.get("promptFeedback"))
    refused = not has_parts and all(finish.reason == "content_filter" for finish in finishes)
    return feedback if feedback.get("blockReason") and refused else None


def _has_parts(response: ChatResponse) -> bool:
    return any(choice.parts for choice in response.choices)


def _candidate(choice: Choice, reply: JsonObject | None, asked: Asked, notes: list[Note]) -> JsonObject:
    encoder = PartsEncoder(asked)
    parts: list[JsonObject] = []
    places: list[int] = []
    logprobs: list[Json] = []
    for part in choice.parts:
        encoded = encoder.whole(part)
        if isinstance(part, Text):
            places.append(len(parts) + max(0, len(encoded) - 1))  # seals go before it
            logprobs += part.logprobs or ()
        parts += encoded
    if encoder.waiting:
        parts += encoder.rest()
    notes += encoder.notes
    content: JsonObject = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    ended = ending(
        choice.index, choice.finish, choice.parts, reply, malformed=encoder.malformed, places=places
    )
    if (entries := choice.logprobs or logprobs) and (result := result_for(entries)):
        ended["logprobsResult"] = result
    return {"content": content, **ended}
