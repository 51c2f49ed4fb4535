"""A stream and a whole answer say the same thing."""

import pytest

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.usage import Usage
from allgate.operations.chat.events import Closed, Delta, Ended, Failed, Finished, Opened, Start, UsageSeen
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import (
    Annotation,
    Hosted,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    Url,
)
from allgate.operations.chat.response import ChatResponse, Choice, Finish

SEAL = Seal(origin="gemini", scope="gemini/p/f", form="thought", value="c2VhbA==")

EVERYTHING = ChatResponse(
    id="r1",
    model="m",
    created_s=5,
    service_tier="flex",
    usage=Usage(input_tokens=3, output_tokens=9),
    extra={"openai_chat": {"system_fingerprint": "fp"}},
    choices=(
        Choice(
            index=0,
            parts=(
                Thinking(text="hm", seals=(SEAL,)),
                Thinking(text="a\n\nb", form="summary", segments=("a", "b")),
                Thinking(form="hidden", seals=(SEAL,)),
                Text(
                    text="x",
                    annotations=(Annotation(kind="url", url="https://e.x"),),
                    logprobs=[{"token": "x"}],
                ),
                Hosted(call_id="h", tool="web_search", input="q", result=HostedResult(stdout="s")),
                Media(kind="image", source=Inline(mime="image/png", base64="aa==")),
                Media(kind="audio", source=Url(url="https://e.x/a.wav"), transcript="la"),
                ToolCall(call_id="c", name="f", input='{"a":1}', seals=(SEAL,)),
                ToolCall(call_id="d", name="g"),
                Refusal(text="no"),
                Opaque(dialect="gemini", raw={"x": 1}),
            ),
            finish=Finish(reason="tool_calls", native="tool_calls"),
        ),
        Choice(index=1, parts=(), finish=Finish(reason="stop"), logprobs={"refusal": []}),
    ),
)


def test_folding_what_was_unfolded_gives_the_same_answer():
    assert fold(unfold(EVERYTHING)) == EVERYTHING


def test_unfolding_opens_skeletons_and_gives_content_in_deltas():
    events = unfold(EVERYTHING)
    opened = [event.part for event in events if isinstance(event, Opened)]
    assert ToolCall(call_id="c", name="f") in opened
    assert Media(kind="image", source=Inline(mime="image/png", base64="")) in opened
    assert Text(text="") in opened
    assert Delta(index=7, channel="input", text='{"a":1}') in events
    assert Delta(index=1, channel="summary", text="b", segment=1) in events


def test_indexes_are_dense_and_one_part_is_open_at_a_time():
    open_index = None
    for event in unfold(EVERYTHING):
        match event:
            case Opened():
                assert open_index is None
                open_index = event.index
            case Delta():
                assert event.index == open_index
            case Closed():
                assert event.index == open_index
                open_index = None
            case _:
                pass


def test_usage_snapshots_replace_each_other_field_by_field():
    finish = Finished(finish=Finish(reason="stop"))
    answer = fold(
        (
            Start(id="r", model="m", usage=Usage(input_tokens=8834)),
            UsageSeen(usage=Usage(input_tokens=8849, cache_read_tokens=8831)),
            finish,
            Ended(usage=Usage(output_tokens=4)),
        )
    )
    assert answer.usage == Usage(input_tokens=8849, cache_read_tokens=8831, output_tokens=4)


def test_a_failed_stream_folds_to_its_failure():
    failure = Failure(kind=ErrorKind.OVERLOADED, message="busy")
    with pytest.raises(WireError) as caught:
        fold((Start(id="r", model="m"), Failed(failure=failure)))
    assert caught.value.failure == failure


@pytest.mark.parametrize(
    "events",
    [
        (),
        (Start(id="r", model="m"),),
        (Start(id="r", model="m"), Closed(index=0, part=Text(text="x")), Ended()),
    ],
)
def test_a_truncated_stream_is_never_a_success(events):
    with pytest.raises(WireError):
        fold(events)
