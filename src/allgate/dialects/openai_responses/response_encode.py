"""A canonical answer as a whole Responses body."""

from allgate.dialects.contract import Asked
from allgate.dialects.openai_responses import answer_items as items
from allgate.dialects.openai_responses.answer import Answer, continues
from allgate.dialects.openai_responses.finish import encode_finish, malformed_call
from allgate.dialects.openai_responses.plain_body import PlainBody
from allgate.dialects.openai_responses.skeleton import echo, head
from allgate.operations.chat.notes import Note
from allgate.operations.chat.parts import Part, Refusal, Text, Thinking, ToolCall
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire import json
from allgate.wire.json import JsonObject

_NOTHING = Choice(index=0, parts=(), finish=Finish(reason="other"))


def encode_response(response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
    """The body for the client, and notes of what it could not be told. Of several choices this dialect has one."""
    body = _plain.of(response, asked)
    return (body, response.notes) if body is not None else encode_any_response(response, asked)


def encode_any_response(response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
    """The same, for an answer of any kind."""
    answer = Answer(asked)
    if len(response.choices) > 1:
        answer.drop("choices beyond the first")
    choice = response.choices[0] if response.choices else _NOTHING
    ending = encode_finish(choice.finish, set(map(type, choice.parts)), asked.request)
    output = _output(choice.parts, answer, "incomplete" if ending.incomplete_reason else "completed")
    failure = malformed_call(choice.finish) if ending.status == "failed" else None
    told = head(asked, ending, output, response.usage, failure)
    told |= echo(asked, response.extra, response.service_tier)
    return json.encode(told), (*response.notes, *answer.notes)


def _output(parts: tuple[Part, ...], answer: Answer, last_status: str) -> list[JsonObject]:
    """The output items. Only the last one can be incomplete."""
    groups: list[list[Part]] = []  # the texts of one message together, everything else alone
    for part in parts:
        if groups and continues(groups[-1][-1], part):
            groups[-1].append(part)
        else:
            groups.append([part])
    found: list[JsonObject] = []
    for group in groups:
        status = last_status if group is groups[-1] else "completed"
        found += _items(group, answer, status, len(found))
    return found


def _items(group: list[Part], answer: Answer, status: str, place: int) -> list[JsonObject]:
    """The item of a group, with the carriers of its seals."""
    part = group[0]
    match part:
        case Text() | Refusal():
            texts = [text for text in group if isinstance(text, (Text, Refusal))]
            made = [items.message(answer.item_id("message", part.id, place), texts, answer, status)]
            return made + _carriers(group[-1], answer, place + 1) if group[-1].seals else made
        case Thinking():
            made = [items.reasoning(answer.item_id("reasoning", part.id, place), part, answer)]
            return made + _carriers(part, answer, place + 1, after=1)
        case ToolCall():
            made = _carriers(part, answer, place, for_next=True)
            kind = items.call_type(part, answer)
            item_id = answer.item_id(kind, part.id, place + len(made))
            return [*made, items.call(item_id, part, answer, status)]
        case _:
            kind = items.whole_type(part)
            if kind is None:
                answer.drop(type(part).__name__.lower())
                return []
            item_id = answer.item_id(kind, part.id, place)
            return [items.whole(kind, item_id, part, status), *_carriers(part, answer, place + 1)]


def _carriers(
    part: Part, answer: Answer, place: int, *, after: int = 0, for_next: bool = False
) -> list[JsonObject]:
    return [
        items.carrier(answer.item_id("reasoning", None, place + index), seal, answer, for_next=for_next)
        for index, seal in enumerate(part.seals[after:])
    ]


_plain = PlainBody(encode_any_response)
