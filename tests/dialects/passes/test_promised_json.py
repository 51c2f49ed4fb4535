"""Answers held to a promise of JSON: fences come off, slicing changes nothing, the end of a wrong one is an error."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.passes.promised_json import Judged, JudgedEvents, Promise, Unfenced, promise_for
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Closed, Delta, Ended, Event, Failed, Finished, Opened, Start
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Text, Thinking
from allgate.operations.chat.request import ChatRequest, OutputFormat
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.operations.chat.tools import Function

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
BOUND = OutputFormat(kind="json_schema", schema=CITY, strict=True)
RIGHT = '{"city": "Paris ```x``` \\n"}'


def request(output: OutputFormat | None, *tools: Function) -> ChatRequest:
    return ChatRequest(dialect="openai_chat", model="m", turns=(), output=output, tools=tools)


@pytest.mark.parametrize(
    ("output", "caps", "promised"),
    [
        (None, Caps(json_schema="none"), False),
        (OutputFormat(), Caps(json_schema="none", json_object=False), False),
        (BOUND, Caps(), False),
        (BOUND, Caps(json_schema="subset"), False),
        (BOUND, Caps(json_schema="none"), True),
        (OutputFormat(kind="json_object"), Caps(), False),
        (OutputFormat(kind="json_object"), Caps(json_object=False), True),
    ],
)
def test_we_promise_what_the_vendor_does_not(output: OutputFormat | None, caps: Caps, promised: bool) -> None:
    assert (promise_for(request(output), caps) is not None) == promised


def test_beside_tools_a_vendor_may_promise_nothing() -> None:
    asked = request(BOUND, Function(name="f"))
    assert promise_for(asked, Caps(schema_with_tools=False)) is not None
    assert promise_for(asked, Caps(schema_with_tools=True)) is None


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (BOUND, RIGHT),
        (changed(BOUND, strict=None), RIGHT),
        (changed(BOUND, strict=False), '{"town": "Paris"}'),
        (changed(BOUND, schema=None), "[1]"),
        (OutputFormat(kind="json_object"), "{}"),
    ],
)
def test_what_was_promised_passes(output: OutputFormat, text: str) -> None:
    Promise(output).check(text)


@pytest.mark.parametrize(
    ("output", "text", "why"),
    [
        (BOUND, "Paris", "is not JSON"),
        (BOUND, "", "is not JSON"),
        (BOUND, '{"city": NaN}', "is not JSON"),
        (BOUND, '{"city": 1}', r"does not match the schema that was asked for, at properties/city \(type\)"),
        (changed(BOUND, strict=None), "{}", "does not match"),
        (changed(BOUND, strict=False), "Paris", "is not JSON"),
        (OutputFormat(kind="json_object"), "[1]", "does not match"),
    ],
)
def test_what_was_not_promised_is_an_error_of_the_answer(output: OutputFormat, text: str, why: str) -> None:
    with pytest.raises(WireError, match=why) as broken:
        Promise(output).check(text)
    assert (broken.value.failure.code, broken.value.failure.upstream) == ("output_mismatch", True)


FENCED = [
    (f"```json\n{RIGHT}\n```", RIGHT),
    (f"```\n{RIGHT}```\n", RIGHT),
    (f"\n ```JSON \n\n{RIGHT}\n", f"\n{RIGHT}\n"),
    (RIGHT, RIGHT),
    ("``", "``"),
    ("```", "```"),
    ("```json", "```json"),
    ("```a fence of words\nx```", "```a fence of words\nx```"),
    (f"```json\n{RIGHT}\n```\nHere it is.", f"{RIGHT}\n```\nHere it is."),
    ("", ""),
]


@given(st.sampled_from(FENCED), st.lists(st.integers(0, 60)))
def test_a_fence_comes_off_however_the_text_is_cut(case: tuple[str, str], places: list[int]) -> None:
    text, left = case
    fence = Unfenced()
    cuts = sorted({0, len(text), *(place for place in places if place < len(text))})
    pieces = [text[here:there] for here, there in pairwise(cuts)]
    said = "".join([*(fence.feed(piece) for piece in pieces), fence.close()])
    assert said == fence.text == left


def told(text: str, *, reason: str = "stop", pieces: int = 3) -> list[Event]:
    step = max(1, len(text) // pieces)
    deltas = [Delta(index=1, channel="text", text=text[at : at + step]) for at in range(0, len(text), step)]
    return [
        Start(id="a", model="m"),
        Opened(index=0, part=Thinking()),
        Delta(index=0, channel="thinking", text="```"),
        Closed(index=0, part=Thinking(text="```")),
        Opened(index=1, part=Text(text="")),
        *deltas,
        Closed(index=1, part=Text(text=text)),
        Finished(finish=Finish(reason=reason, native=reason)),
        Ended(),
    ]


def test_a_stream_is_passed_on_without_its_fence() -> None:
    events = list(JudgedEvents(Promise(BOUND)).pass_on(told(f"```json\n{RIGHT}\n```")))
    (choice,) = fold(events).choices
    assert choice.parts == (Thinking(text="```"), Text(text=RIGHT))
    assert "".join(e.text for e in events if isinstance(e, Delta) and e.channel == "text") == RIGHT


def test_a_wrong_stream_fails_in_place_of_its_end() -> None:
    events = list(JudgedEvents(Promise(BOUND)).pass_on(told("Paris")))
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Finished | Ended) for event in events)


@pytest.mark.parametrize("reason", ["length", "refusal", "tool_calls", "content_filter"])
def test_an_answer_that_did_not_end_of_itself_is_not_judged(reason: str) -> None:
    events = list(JudgedEvents(Promise(BOUND)).pass_on(told('{"ci', reason=reason)))
    assert isinstance(events[-1], Ended)


class Reading:
    """A dialect's reading of one whole answer."""

    def __init__(self, text: str) -> None:
        self._text = text

    def decode_response(self, body: bytes, sent: object) -> ChatResponse:
        finish = Finish(reason="stop", native="stop")
        return ChatResponse(
            id="a", model="m", choices=(Choice(index=0, parts=(Text(text=self._text),), finish=finish),)
        )


def test_a_whole_answer_is_judged_and_unfenced() -> None:
    judged = Judged(Reading(f"```json\n{RIGHT}\n```"), Promise(BOUND)).decode_response(b"", None)
    assert judged.choices[0].parts == (Text(text=RIGHT),)
    assert [note.kind for note in judged.notes] == ["repaired"]
    assert not Judged(Reading(RIGHT), Promise(BOUND)).decode_response(b"", None).notes
    with pytest.raises(WireError, match="is not JSON"):
        Judged(Reading("no"), Promise(BOUND)).decode_response(b"", None)
