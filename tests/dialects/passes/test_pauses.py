"""Several replies as one: any answer, paused anywhere between its parts, is told as if it had come at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.usage import Usage
from allgate.dialects.contract import Sent, UpstreamCall
from allgate.dialects.passes.pauses import PAUSES_MAX, Continued, Paused
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Event
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import Hosted, HostedResult, Part, Text, Thinking
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.response import ChatResponse, Choice, Finish

REQUEST = ChatRequest(dialect="x", model="m", turns=(Turn(role="user", parts=(Text(text="hi"),)),))
SENT = Sent(request=REQUEST, caps=Caps())
USAGE = Usage(input_tokens=10, output_tokens=3)
CALL = Hosted(call_id="h", tool="web_search", name="web_search", status="in_progress")
RESULT = Hosted(call_id="h", tool="web_search", result=HostedResult(text="found"))
WHOLE = Hosted(
    call_id="h", tool="web_search", name="web_search", status="completed", result=HostedResult(text="found")
)
PARTS = st.one_of(
    st.builds(Text, text=st.text(min_size=1, max_size=4)),
    st.builds(Thinking, text=st.text(min_size=1, max_size=4)),
)
ANSWERS = st.lists(st.lists(PARTS, min_size=1, max_size=3), min_size=1, max_size=PAUSES_MAX)


def reply(parts: tuple[Part, ...], reason: str) -> ChatResponse:
    choice = Choice(index=0, parts=parts, finish=Finish(reason=reason))
    return ChatResponse(id="up", model="up", choices=(choice,), usage=USAGE)


class Told:
    """A provider that gives these replies one after the other, whole or as events. Implements `Decoding`."""

    def __init__(self, pieces: list[tuple[Part, ...]], last: str = "stop") -> None:
        ends = ["pause"] * (len(pieces) - 1) + [last]
        self._replies = [reply(parts, end) for parts, end in zip(pieces, ends, strict=True)]

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse:
        return self._replies.pop(0)

    def stream_decoder(self, sent: Sent) -> "TellingStream":
        return TellingStream(self._replies.pop(0) if self._replies else reply((), "stop"))


class TellingStream:
    def __init__(self, response: ChatResponse) -> None:
        *self._events, self._last = unfold(response)

    def feed(self, chunk: bytes) -> list[Event]:
        return self._events

    def close(self) -> list[Event]:
        return [self._last]


def asked(pieces: list[tuple[Part, ...]], last: str = "stop") -> tuple[Continued, list[ChatRequest]]:
    sent: list[ChatRequest] = []

    def encode(request: ChatRequest) -> UpstreamCall:
        sent.append(request)
        return UpstreamCall(path="/", body=b"{}")

    return Continued(Told(pieces, last), REQUEST, encode), sent


def whole(continued: Continued) -> ChatResponse:
    while True:
        try:
            return continued.decode_response(b"", SENT)
        except Paused:
            continue


def streamed(continued: Continued) -> ChatResponse:
    decoder, events = continued.stream_decoder(SENT), []
    while True:
        events += decoder.feed(b"")
        try:
            events += decoder.close()
        except Paused:
            continue
        return fold(events)


@given(ANSWERS)
def test_an_answer_in_pieces_is_the_answer(pieces: list[list[Part]]) -> None:
    tuples = [tuple(piece) for piece in pieces]
    parts = tuple(part for piece in tuples for part in piece)
    for read in (whole, streamed):
        continued, sent = asked(tuples)
        answer = read(continued)
        assert answer.choices[0].parts == parts
        assert answer.choices[0].finish.reason == "stop"
        assert answer.usage == Usage(input_tokens=10 * len(pieces), output_tokens=3 * len(pieces))
        assert [len(request.turns) for request in sent] == [2] * (len(pieces) - 1)
        for number, request in enumerate(sent, start=1):
            assert request.turns[-1].role == "assistant"
            assert request.turns[-1].parts == tuple(part for piece in tuples[:number] for part in piece)


@pytest.mark.parametrize("read", [whole, streamed])
def test_a_call_is_closed_by_the_result_that_comes_first_when_it_goes_on(read) -> None:
    continued, _ = asked([(Text(text="a"), CALL), (RESULT, Text(text="b"))])
    assert read(continued).choices[0].parts == (Text(text="a"), WHOLE, Text(text="b"))


@pytest.mark.parametrize("read", [whole, streamed])
def test_a_call_whose_result_never_comes_stays_open(read) -> None:
    continued, _ = asked([(CALL,), (Text(text="b"),)])
    assert read(continued).choices[0].parts == (CALL, Text(text="b"))


@pytest.mark.parametrize("read", [whole, streamed])
def test_a_pause_without_a_word_is_an_end(read) -> None:
    continued, sent = asked([()], last="pause")
    assert read(continued).choices[0].finish.reason == "pause"
    assert not sent


@pytest.mark.parametrize("read", [whole, streamed])
def test_a_turn_pauses_no_more_often_than_it_may(read) -> None:
    continued, sent = asked([(Text(text=str(n)),) for n in range(PAUSES_MAX + 1)], last="pause")
    answer = read(continued)
    assert len(sent) == PAUSES_MAX
    assert answer.choices[0].finish.reason == "pause"
    assert len(answer.choices[0].parts) == PAUSES_MAX + 1
