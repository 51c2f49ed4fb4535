"""Stop sequences matched by us."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.passes.stop_matcher import (
    StopMatcher,
    matched_stops,
    sent_stops,
    stop_notes,
    stopped,
)
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Closed, Delta, Ended, Failed, Finished, Opened, Start, UsageSeen
from allgate.operations.chat.fold import fold
from allgate.operations.chat.notes import converted, dropped
from allgate.operations.chat.parts import Text, Thinking, ToolCall
from allgate.operations.chat.request import Sampling
from allgate.operations.chat.response import ChatResponse, Choice, Finish

DONE = (UsageSeen(usage=Usage(output_tokens=9)), Finished(finish=Finish(reason="stop")), Ended())


def streamed(*pieces: str, last=DONE) -> list:
    return [
        Start(id="i", model="m"),
        Opened(index=0, part=Text(text="")),
        *(Delta(index=0, channel="text", text=piece) for piece in pieces),
        Closed(index=0, part=Text(text="".join(pieces))),
        *last,
    ]


def folded(stops: tuple[str, ...], *pieces: str, last=DONE) -> tuple[str, Finish]:
    (choice,) = fold(StopMatcher(stops).pass_on(streamed(*pieces, last=last))).choices
    return "".join(part.text for part in choice.parts), choice.finish


def test_the_answer_ends_before_the_first_marker():
    text, finish = folded(("END", "\n\n"), "one", " E", "ND two\n\n")
    assert text == "one "
    assert (finish.reason, finish.stop_sequence) == ("stop_sequence", "END")


def test_each_is_sent_or_matched_here_and_what_becomes_of_it_is_noted():
    wish = Sampling(stop=("a", " \n", "b", "c"))
    two = Caps(stop_max=2)
    assert (sent_stops(wish, two), matched_stops(wish, two)) == (("a", " \n"), ("b", "c"))
    assert (sent_stops(wish, two, blank=False), matched_stops(wish, two, blank=False)) == (
        ("a", "b"),
        (" \n", "c"),
    )
    assert matched_stops(wish, Caps(stop_max=0)) == wish.stop
    assert stop_notes(wish, two) == (converted("stop", "matched in the answer by the gateway"),)
    assert stop_notes(wish, Caps(stop_max=4)) == ()
    many = changed(wish, n=2)  # answers that arrive mixed
    assert matched_stops(many, two) == ()
    assert stop_notes(many, two) == (dropped("stop", "not taken by this model"),)


def test_what_is_no_marker_leaves_as_soon_as_that_is_known():
    matcher = StopMatcher(("END",))
    matcher.pass_on(streamed()[:2])
    texts = [
        [e.text for e in matcher.pass_on([Delta(index=0, channel="text", text=t)])]
        for t in ("aE", "N", "x", "E")
    ]
    assert texts == [["a"], [], ["ENx"], []]
    assert [getattr(e, "text", "") for e in matcher.pass_on([Closed(index=0, part=Text(text="aENxE"))])] == [
        "E",
        "",
    ]


def test_usage_still_counts_and_later_parts_are_swallowed():
    call = ToolCall(call_id="c", name="f", input="{}")
    events = [*streamed("a END")[:-3], Opened(index=1, part=call), Closed(index=1, part=call), *DONE]
    found = fold(StopMatcher(("END",)).pass_on(events))
    assert found.usage == Usage(output_tokens=9)
    assert [type(part) for part in found.choices[0].parts] == [Text]


def test_a_failure_behind_the_marker_does_not_matter():
    broken = (Failed(failure=Failure(kind=ErrorKind.UPSTREAM, message="x")),)
    assert folded(("END",), "aEND", last=broken)[0] == "a"


def test_thinking_is_not_searched():
    whole = ChatResponse(
        id="i", model="m", choices=(Choice(index=0, parts=(Thinking(text="END"), Text(text="aENDb")), finish=Finish(reason="length")),)
    )  # fmt: skip
    found = stopped(whole, ("END",)).choices[0]
    assert [part.text for part in found.parts] == ["END", "a"]
    assert found.finish.reason == "stop_sequence"
    assert stopped(whole, ("nowhere",)) is whole


@given(
    st.text(alphabet="abE", max_size=30),
    st.lists(st.text(alphabet="abE", min_size=1, max_size=4), max_size=3),
    st.data(),
)
def test_any_slicing_ends_at_the_same_place(text, stops, data):
    stops = tuple(stops)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    found, finish = folded(stops, *pieces)
    if not ends:
        assert (found, finish.reason) == (text, "stop")
    else:
        assert finish.reason == "stop_sequence"
        assert found == text[: min(ends)[1]]


def test_of_overlapping_markers_the_one_that_is_complete_first_counts():
    for pieces in (("abE",), ("ab", "E"), ("a", "b", "E")):
        assert folded(("abE", "b"), *pieces)[0] == "a"
