"""One open part at a time, whatever the provider interleaves."""

from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.passes.sequencer import PartSequencer
from allgate.operations.chat.events import Closed, Delta, Event, Opened
from allgate.operations.chat.parts import Annotation, Seal, Text, Thinking, ToolCall

CALL_A = ToolCall(call_id="a", name="f")
CALL_B = ToolCall(call_id="b", name="g")


def sequencer() -> tuple[PartSequencer, list[Event]]:
    events: list[Event] = []
    return PartSequencer(events), events


def test_pieces_of_the_current_part_leave_at_once():
    parts, events = sequencer()
    parts.open("t", Text(text=""))
    parts.append_text("t", "he")
    parts.append_text("t", "y")
    assert events == [
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="he"),
        Delta(index=0, channel="text", text="y"),
    ]
    parts.close("t")
    assert events[-1] == Closed(index=0, part=Text(text="hey"))


def test_interleaved_calls_leave_one_after_the_other():
    parts, events = sequencer()
    parts.open(0, CALL_A)
    parts.open(1, CALL_B)
    parts.append_text(0, "{")
    parts.append_text(1, "[")
    parts.append_text(0, "}")
    parts.append_text(1, "]")
    parts.close_all()
    assert events == [
        Opened(index=0, part=CALL_A),
        Delta(index=0, channel="input", text="{"),
        Delta(index=0, channel="input", text="}"),
        Closed(index=0, part=ToolCall(call_id="a", name="f", input="{}")),
        Opened(index=1, part=CALL_B),
        Delta(index=1, channel="input", text="[]"),
        Closed(index=1, part=ToolCall(call_id="b", name="g", input="[]")),
    ]


def test_a_part_behind_the_current_one_goes_on_live_once_it_is_current():
    parts, events = sequencer()
    parts.open(0, CALL_A)
    parts.open(1, CALL_B)
    parts.append_text(1, "x")
    parts.close(0)
    parts.append_text(1, "y")
    assert events[-2:] == [
        Delta(index=1, channel="input", text="x"),
        Delta(index=1, channel="input", text="y"),
    ]


def test_a_held_call_waits_until_its_name_is_complete():
    parts, events = sequencer()
    parts.open(0, ToolCall(call_id="a", name="get_"), hold=True)
    parts.amend(0, ToolCall(call_id="a", name="get_time"))
    assert events == []
    parts.append_text(0, "{}")
    assert events == [
        Opened(index=0, part=ToolCall(call_id="a", name="get_time")),
        Delta(index=0, channel="input", text="{}"),
    ]


def test_arguments_that_arrive_before_the_name_are_kept():
    parts, events = sequencer()
    parts.open(0, ToolCall(call_id="a", name=""), hold=True)
    parts.append_text(0, '{"a"')
    assert events == []
    parts.amend(0, CALL_A)
    parts.append_text(0, ":1}")
    parts.close(0)
    assert events[0] == Opened(index=0, part=CALL_A)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == '{"a":1}'


def test_a_call_without_name_and_content_never_existed():
    parts, events = sequencer()
    parts.open(0, ToolCall(call_id="", name=""), hold=True)
    parts.open(1, CALL_A)
    parts.close_all()
    assert events == [Opened(index=0, part=CALL_A), Closed(index=0, part=CALL_A)]


def test_a_whole_final_part_is_given_as_one_delta_when_no_piece_came():
    parts, events = sequencer()
    parts.open("x", CALL_A)
    final = ToolCall(call_id="a", name="f", input="{}")
    parts.close("x", final)
    assert events[1:] == [Delta(index=0, channel="input", text="{}"), Closed(index=0, part=final)]


def test_a_key_may_be_used_again_after_its_part_was_closed():
    parts, events = sequencer()
    for text in ("one", "two"):
        parts.open("text", Text(text=""))
        parts.append_text("text", text)
        parts.close("text")
    assert [e.part for e in events if isinstance(e, Closed)] == [Text(text="one"), Text(text="two")]
    assert parts.count == 2


def test_seals_annotations_and_logprobs_end_in_the_final_part():
    seal = Seal(origin="anthropic", scope="s", form="signature", value="v")
    mark = Annotation(kind="url", url="https://e.x")
    parts, events = sequencer()
    parts.open("h", Thinking())
    parts.append_text("h", "hm")
    parts.append("h", "seal", seal=seal)
    parts.close("h")
    parts.open("t", Text(text=""))
    parts.append("t", "logprobs", logprobs=[{"token": "x"}])
    parts.append_text("t", "x")
    parts.append("t", "annotation", annotation=mark)
    parts.close("t")
    finals = [event.part for event in events if isinstance(event, Closed)]
    assert finals == [
        Thinking(text="hm", seals=(seal,)),
        Text(text="x", annotations=(mark,), logprobs=[{"token": "x"}]),
    ]


def test_a_summary_keeps_its_paragraphs():
    parts, events = sequencer()
    parts.open("r", Thinking(form="summary"))
    parts.append_text("r", "a")
    parts.append("r", "summary", "b", segment=1)
    parts.append("r", "summary", "c", segment=1)
    parts.close("r")
    assert events[-1] == Closed(index=0, part=Thinking(text="a\n\nbc", form="summary", segments=("a", "bc")))


STEPS = st.lists(st.tuples(st.sampled_from(("open", "append", "close")), st.integers(0, 4)), max_size=40)


@given(STEPS)
def test_any_order_of_calls_gives_the_grammar(steps):
    parts, events = sequencer()
    expected: dict[int, list[str]] = {}
    opened_order: list[list[str]] = []
    for step, key in steps:
        if step == "open" and key not in expected:
            expected[key] = []
            opened_order.append(expected[key])
            parts.open(key, ToolCall(call_id=str(key), name="f"))
        elif step == "append":
            if key in expected:
                expected[key].append("x" * (len(expected[key]) + 1))
                parts.append_text(key, expected[key][-1])
            else:
                parts.append_text(key, "ignored")
        elif step == "close" and key in expected:
            parts.close(key)
            del expected[key]
    parts.close_all()
    open_index, next_index, heard = None, 0, ""
    finals: list[str] = []
    for event in events:
        match event:
            case Opened():
                assert open_index is None
                assert event.index == next_index
                open_index, next_index, heard = event.index, next_index + 1, ""
            case Delta():
                assert event.index == open_index
                heard += event.text
            case Closed(part=ToolCall(input=final)):
                assert event.index == open_index
                assert final == heard
                finals.append(final)
                open_index = None
            case _:
                raise AssertionError(event)
    assert finals == ["".join(pieces) for pieces in opened_order]
