"""Providers' streams, ordinary and odd, as events. Numbers in brackets are those of the regression list."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind
from allgate.core.usage import Usage
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.events import Closed, Delta, Ended, Failed, Finished, Opened, Start, UsageSeen
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Annotation, Inline, Media, Refusal, Seal, Text, Thinking, ToolCall
from allgate.operations.chat.response import Finish
from dialects.openai_chat.exchange import DONE, chunk, completion, events_of, sent


def parts_of(*pieces: bytes, context=None) -> list:
    """The parts that a complete stream of these frames gives."""
    events = events_of([*pieces, chunk({}, "stop"), DONE], context)
    return list(fold(events).choices[0].parts)


def call(index=None, **members) -> dict:
    """A delta with one call fragment."""
    fragment = {"index": index, **members}
    return {"tool_calls": [{key: value for key, value in fragment.items() if value is not None}]}


def named(name: str, arguments: str = "") -> dict:
    return {"name": name, "arguments": arguments}


def test_a_plain_stream_event_by_event():
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    pieces = [
        chunk({"role": "assistant", "content": ""}, system_fingerprint="fp", service_tier="default"),
        chunk({"content": "he"}),
        chunk({"content": "y"}),
        chunk({}, "stop"),
        chunk(usage=usage),
        DONE,
    ]
    seen = Usage(input_tokens=3, output_tokens=2)
    assert events_of(pieces) == [
        Start(
            id="chatcmpl-up",
            model="up",
            created_s=7,
            service_tier="default",
            extra={"openai_chat": {"system_fingerprint": "fp"}},
        ),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="he"),
        Delta(index=0, channel="text", text="y"),
        UsageSeen(usage=seen),
        Closed(index=0, part=Text(text="hey")),
        Finished(finish=Finish(reason="stop", native="stop")),
        Ended(usage=seen),
    ]


@pytest.mark.parametrize("member", ["reasoning_content", "reasoning", "thinking"])
def test_thinking_comes_first_under_any_of_its_names(member):
    """[3, 4]: reasoning in the first chunk is neither dropped nor an empty text."""
    found = parts_of(
        chunk({"role": "assistant", member: "hm"}), chunk({member: "m"}), chunk({"content": "Yes"})
    )
    assert found == [Thinking(text="hmm"), Text(text="Yes")]


def test_the_same_reasoning_in_two_members_is_read_once():
    details = [{"type": "reasoning.text", "text": "hm", "index": 0}]
    assert parts_of(chunk({"reasoning": "hm", "reasoning_details": details})) == [Thinking(text="hm")]
    assert parts_of(chunk({"reasoning_details": details})) == [Thinking(text="hm")]


def test_think_tags_are_split_only_where_caps_say_so():
    pieces = [chunk({"content": "<thi"}), chunk({"content": "nk>hm</think>\n\nYes"})]
    assert parts_of(*pieces, context=sent(think_tags=True)) == [Thinking(text="hm"), Text(text="Yes")]
    assert parts_of(*pieces) == [Text(text="<think>hm</think>\n\nYes")]
    implicit = sent(think_tags=True, think_open_implicit=True)
    assert parts_of(chunk({"content": "hm</think>Yes"}), context=implicit) == [
        Thinking(text="hm"),
        Text(text="Yes"),
    ]


def test_a_list_of_parts_is_read_as_text_and_thinking():
    """Mistral's reasoning models."""
    thought = {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}
    found = parts_of(chunk(thought), chunk({"content": [{"type": "text", "text": "Yes"}]}))
    assert found == [Thinking(text="hm"), Text(text="Yes")]


def test_interleaved_parallel_calls_are_put_in_order():
    """[2]"""
    found = parts_of(
        chunk(call(0, id="a", type="function", function=named("f"))),
        chunk(call(1, id="b", type="function", function=named("g"))),
        chunk(call(0, function={"arguments": '{"x"'})),
        chunk(call(1, function={"arguments": '{"y"'})),
        chunk(call(0, function={"arguments": ":1}"})),
        chunk(call(1, function={"arguments": ":2}"})),
    )
    assert found == [
        ToolCall(call_id="a", name="f", input='{"x":1}'),
        ToolCall(call_id="b", name="g", input='{"y":2}'),
    ]


def test_a_call_leaves_as_soon_as_its_arguments_are_complete():
    """Sequential calls, as nearly every provider sends them, do not wait for the end of the answer."""
    decoder = OPENAI_CHAT.stream_decoder(sent())
    decoder.feed(chunk(call(0, id="a", function=named("f", '{"x":1}'))))
    events = list(decoder.feed(chunk(call(1, id="b", function=named("g", '{"y"')))))
    assert [type(event) for event in events] == [Closed, Opened, Delta]


def test_white_space_between_two_calls_is_a_text_of_its_own():
    """[7]: it never lands in an open call."""
    found = parts_of(
        chunk(call(0, id="a", function=named("f", "{}"))),
        chunk({"content": "\n"}),
        chunk(call(1, id="b", function=named("g", "{}"))),
    )
    assert found == [
        ToolCall(call_id="a", name="f", input="{}"),
        Text(text="\n"),
        ToolCall(call_id="b", name="g", input="{}"),
    ]


def test_text_behind_an_incomplete_call_waits_for_it():
    found = parts_of(
        chunk(call(0, id="a", function=named("f", '{"x"'))),
        chunk({"content": "so"}),
        chunk(call(0, function={"arguments": ":1}"})),
    )
    assert found == [ToolCall(call_id="a", name="f", input='{"x":1}'), Text(text="so")]


@pytest.mark.parametrize(
    "pieces",
    [
        [call(1, id="a", function=named("f")), call(1, function={"arguments": "{}"})],  # [59] starts at 1
        [call(id="a", function=named("f")), call(function={"arguments": "{}"})],  # no index at all
        [
            call(0, id="a", function=named("f")),
            call(0, id="a", function=named("f", "{}")),
        ],  # id and name repeated
        [call(0, id="a", function=named("f")), call(0, id="", function=named("", "{}"))],  # empty repeats
        [
            call(0, function={"arguments": "{}"}),
            call(0, id="a", function=named("f")),
        ],  # arguments before the name
        [call(0, id="a", function={"name": "f", "arguments": {}})],  # arguments as an object
        [call(0, id="a", function={"name": "f", "arguments": None}), call(0, function={"arguments": "{}"})],
    ],
)
def test_odd_fragments_of_one_call_give_one_call(pieces):
    assert parts_of(*map(chunk, pieces)) == [ToolCall(call_id="a", name="f", input="{}")]


def test_a_name_in_pieces_is_put_together():
    found = parts_of(
        chunk(call(0, id="a", function=named("get_"))),
        chunk(call(0, function={"name": "time"})),
        chunk(call(0, function={"arguments": "{}"})),
    )
    assert found == [ToolCall(call_id="a", name="get_time", input="{}")]


@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, id="a", function=named("f", "{}")), call(0, id="b", function=named("f", "{}"))],
        [call(id="a", function=named("f", "{}")), call(id="b", function=named("f", "{}"))],
        [call(id="a", function=named("f", "{}")), call(0, id="b", function=named("f", "{}"))],
    ],
)
def test_another_id_is_another_call(pieces):
    """[31, 85]: two calls of one tool stay two."""
    assert [part.call_id for part in parts_of(*map(chunk, pieces))] == ["a", "b"]


def test_a_second_named_call_without_ids_is_another_call():
    for index in (0, None):
        found = parts_of(*(chunk(call(index, function=named(name, "{}"))) for name in ("f", "g")))
        assert [part.name for part in found] == ["f", "g"]


def test_a_missing_id_is_derived_and_differs_by_place():
    """[60]: the same bytes give the same ids."""
    pieces = [chunk(call(place, function=named("f", "{}"))) for place in range(2)]
    first, second = parts_of(*pieces)
    assert first.call_id.startswith("call_")
    assert first.call_id != second.call_id
    assert parts_of(*pieces) == [first, second]


def test_the_legacy_function_call_is_a_call():
    (found,) = parts_of(chunk({"function_call": named("f")}), chunk({"function_call": {"arguments": "{}"}}))
    assert (found.name, found.input) == ("f", "{}")


def test_a_custom_call_keeps_its_raw_text():
    """[61]"""
    found = parts_of(
        chunk(call(0, id="a", type="custom", custom={"name": "patch", "input": ""})),
        chunk(call(0, custom={"input": "*** Begin"})),
    )
    assert found == [ToolCall(call_id="a", name="patch", input="*** Begin", input_kind="text")]


def test_a_cut_call_is_closed_with_what_there_is_and_ends_by_length():
    """[53]"""
    answer = fold(
        events_of([chunk(call(0, id="a", function=named("f", '{"x": "un'))), chunk({}, "length"), DONE])
    )
    assert answer.choices[0].parts == (ToolCall(call_id="a", name="f", input='{"x": "un'),)
    assert answer.choices[0].finish.reason == "length"


def test_a_stop_behind_a_call_means_tool_calls():
    """[18, 52, 84]: also where the call came chunks before."""
    answer = fold(events_of([chunk(call(0, id="a", function=named("f", "{}"))), chunk({}, "stop"), DONE]))
    assert answer.choices[0].finish == Finish(reason="tool_calls", native="stop")


def test_a_finish_that_comes_too_early_is_not_the_end():
    """[19]: finish_reason on an intermediate chunk."""
    answer = fold(
        events_of([chunk({"content": "a"}, "stop"), chunk({"content": "b"}), chunk({}, "length"), DONE])
    )
    assert answer.choices[0].parts == (Text(text="ab"),)
    assert answer.choices[0].finish.reason == "length"


def test_usage_snapshots_are_merged_and_the_last_counts():
    """[42, 46]: on the finish chunk without cache counters, then on a chunk of its own with them."""
    events = events_of(
        [
            chunk({"content": "a"}, usage={"prompt_tokens": 9, "completion_tokens": 1}),
            chunk({}, "stop", usage={"prompt_tokens": 9, "completion_tokens": 4}),
            chunk(usage={"completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}),
            DONE,
        ]
    )
    assert events[-1] == Ended(usage=Usage(input_tokens=9, output_tokens=4, cache_read_tokens=8))
    assert fold(events).usage == events[-1].usage


def test_groq_s_usage_is_found():
    answer = fold(events_of([chunk({"content": "a"}, "stop", x_groq={"usage": {"prompt_tokens": 2}}), DONE]))
    assert answer.usage == Usage(input_tokens=2)


@pytest.mark.parametrize(
    "first", [chunk(prompt_filter_results=[]), chunk({}), b": OPENROUTER PROCESSING\n\n"]
)
def test_first_chunks_without_content_mean_nothing(first):
    """Azure begins with a verdict and no choices; delta may be null."""
    assert parts_of(first, chunk({"content": "a"})) == [Text(text="a")]
    null = chunk({"content": "a"}).replace(b'{"content": "a"}', b"null")
    assert parts_of(null, chunk({"content": "a"})) == [Text(text="a")]


def test_a_refusal_is_a_part_of_its_own():
    assert parts_of(chunk({"refusal": "I "}), chunk({"refusal": "cannot"})) == [Refusal(text="I cannot")]


def test_a_picture_comes_whole():
    """[81]"""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    found = parts_of(chunk({"content": "Here"}), chunk({"images": [image]}))
    picture = Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))
    assert found == [Text(text="Here"), picture]


def test_sound_is_joined_from_pieces_that_are_padded_each():
    pieces = [
        chunk({"audio": {"id": "au", "transcript": "la"}}),
        chunk({"audio": {"data": "YQ=="}}),
        chunk({"audio": {"data": "YmNk"}}),
        chunk({"audio": {"data": "ZQ==", "transcript": "li"}}),
        chunk({"audio": {"expires_at": 9}}),
    ]
    assert parts_of(*pieces) == [
        Media(kind="audio", id="au", transcript="lali", source=Inline(mime="audio/wav", base64="YWJjZGU="))
    ]


def test_citations_belong_to_the_text():
    cited = {
        "type": "url_citation",
        "url_citation": {"url": "https://e.x", "title": "E", "start_index": 0, "end_index": 2},
    }
    found = parts_of(chunk({"content": "So"}), chunk({"annotations": [cited]}))
    assert found == [
        Text(text="So", annotations=(Annotation(kind="url", url="https://e.x", title="E", start=0, end=2),))
    ]


def test_citations_of_a_later_text_count_from_its_own_start():
    """The provider counts through the whole message, a call between two texts or not."""
    cited = {"type": "url_citation", "url_citation": {"url": "https://e.x", "start_index": 3, "end_index": 4}}
    found = parts_of(
        chunk({"content": "So"}),
        chunk(call(0, id="a", function=named("f", "{}"))),
        chunk({"content": "abc"}),
        chunk({"annotations": [cited]}),
    )
    assert found[2] == Text(
        text="abc", annotations=(Annotation(kind="url", url="https://e.x", start=1, end=2),)
    )


def test_pages_beside_the_choices_are_citations_of_the_whole_text():
    """Perplexity repeats them on every chunk."""
    pages = {"citations": ["https://e.x"], "search_results": [{"url": "https://e.x", "title": "E"}]}
    found = parts_of(chunk({"content": "So"}, **pages), chunk({"content": "."}, **pages))
    assert found == [Text(text="So.", annotations=(Annotation(kind="url", url="https://e.x", title="E"),))]


def test_log_probabilities_stay_with_their_text():
    frame = chunk({"content": "a"}).replace(
        b'"finish_reason"', b'"logprobs": {"content": [{"token": "a"}]}, "finish_reason"'
    )
    assert parts_of(frame, frame) == [Text(text="aa", logprobs=[{"token": "a"}, {"token": "a"}])]


def test_google_s_signature_beside_a_call_is_its_seal():
    signed = call(
        0, id="a", function=named("f", "{}"), extra_content={"google": {"thought_signature": "c2ln"}}
    )
    seal = Seal(origin="gemini", scope="gemini/p", form="thought", value="c2ln")
    context = sent(seal_origin="gemini", seal_scope="gemini/p")
    assert parts_of(chunk(signed), context=context) == [
        ToolCall(call_id="a", name="f", input="{}", seals=(seal,))
    ]
    assert parts_of(chunk(signed)) == [ToolCall(call_id="a", name="f", input="{}")]


def test_reasoning_details_are_kept_as_the_seal_of_their_thinking():
    pieces = [
        chunk({"reasoning": "h", "reasoning_details": [{"type": "reasoning.text", "text": "h", "index": 0}]}),
        chunk({"reasoning": "m", "reasoning_details": [{"type": "reasoning.text", "text": "m", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.text", "signature": "sig", "index": 0}]}),
        chunk({"content": "Yes"}),
    ]
    thinking, text = parts_of(*pieces, context=sent(seal_origin="openrouter", seal_scope="o"))
    value = '[{"type":"reasoning.text","text":"hm","index":0,"signature":"sig"}]'
    assert thinking == Thinking(
        text="hm", seals=(Seal(origin="openrouter", scope="o", form="encrypted", value=value),)
    )
    assert text == Text(text="Yes")


def test_choices_are_kept_apart():
    answer = fold(
        events_of(
            [
                chunk({"content": "a"}, index=0),
                chunk({"content": "b"}, index=1),
                chunk({}, "stop", index=1),
                chunk({}, "length", index=0),
                DONE,
            ]
        )
    )
    assert [(c.parts[0].text, c.finish.reason) for c in answer.choices] == [("a", "length"), ("b", "stop")]


def test_half_an_emoji_costs_one_character_and_not_the_stream():
    frame = chunk({"content": "x"}).replace(b'"x"', rb'"x\ud83d"')
    assert parts_of(frame, chunk({"content": "y"})) == [Text(text="x\ufffdy")]


def test_a_missing_terminator_behind_the_finish_is_a_clean_end():
    assert isinstance(events_of([chunk({"content": "a"}, "stop")])[-1], Ended)


def test_what_comes_behind_the_terminator_is_ignored():
    assert isinstance(events_of([chunk({"content": "a"}, "stop"), DONE, chunk({"content": "b"})])[-1], Ended)


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [chunk({"role": "assistant", "content": ""})],
        [chunk({"content": "a"})],
        [chunk({"content": "a"}), DONE],
        [chunk({"content": "a"}), b'data: {"id": "chatcm'],
        [chunk({"content": "a"}, finish="")],  # an empty finish_reason means null
        [chunk({"content": "a"}, "stop", index=0), chunk({"content": "b"}, index=1)],
        [chunk(usage={"prompt_tokens": 1}), DONE],
    ],
)
def test_an_end_before_the_finish_is_a_failure(pieces):
    last = events_of(pieces)[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is ErrorKind.UPSTREAM


def test_caps_can_say_that_a_finish_is_optional():
    pieces = [chunk({"content": "a"}), chunk(usage={"prompt_tokens": 1}), DONE]
    assert isinstance(events_of(pieces, sent(finish_optional=True))[-1], Ended)


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error":{"message":"busy","code":"server_is_overloaded"}}\n\n',
        b'event: error\ndata: {"error":{"message":"busy","type":"overloaded_error"}}\n\n',
        b'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"error"}],"error":{"message":"busy","code":503}}\n\n',
    ],
)
def test_an_error_in_the_stream_is_a_failure(frame):
    """[10, 11]: it replaces the finish, whatever follows."""
    events = events_of([chunk({"content": "a"}), frame, DONE])
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.kind is ErrorKind.OVERLOADED
    assert not any(isinstance(event, (Finished, Ended)) for event in events)


def test_a_frame_that_is_no_json_is_a_failure():
    last = events_of([chunk({"content": "a"}), b"data: {nonsense}\n\n", chunk({}, "stop"), DONE])[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is ErrorKind.UPSTREAM


def test_a_flood_of_calls_or_choices_is_a_failure():
    calls = events_of([chunk(call(place, id=f"c{place}", function=named("f"))) for place in range(1_025)])
    assert isinstance(calls[-1], Failed)
    choices = events_of([chunk({"content": "a"}, index=place) for place in range(129)])
    assert isinstance(choices[-1], Failed)


MESSAGES = [
    {"content": "hi"},
    {"content": None, "tool_calls": [{"id": "a", "type": "function", "function": named("f", "{}")}]},
    {"reasoning_content": "hm", "content": "Yes", "annotations": []},
    {"content": "", "refusal": "no"},
    {
        "content": "two",
        "tool_calls": [{"id": i, "type": "function", "function": named("f", "{}")} for i in "ab"],
    },
    {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes"}]},
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_streamed_message_folds_to_the_unary_answer(message):
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    whole = OPENAI_CHAT.decode_response(completion(message, "stop", usage=usage), sent())
    streamed = {**message}
    if calls := streamed.get("tool_calls"):
        streamed["tool_calls"] = [{"index": place, **one} for place, one in enumerate(calls)]
    assert fold(events_of([chunk(streamed), chunk({}, "stop", usage=usage), DONE])) == whole


STREAM = b"".join(
    [
        b"\xef\xbb\xbf: hello\r\n\r\n",
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "hm é"}),
        chunk({"content": "Grüße 😀"}).replace(b"\n", b"\r\n"),
        chunk(call(0, id="a", function=named("f"))),
        chunk(call(0, function={"arguments": '{"x":1}'})),
        chunk({}, "tool_calls"),
        chunk(usage={"prompt_tokens": 3}),
        DONE,
    ]
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_slicing_gives_the_same_events(cuts):
    ends = sorted({0, len(STREAM), *cuts})
    pieces = [STREAM[start:end] for start, end in pairwise(ends)]
    assert events_of(pieces) == events_of([STREAM])


@pytest.mark.parametrize("end", range(0, len(STREAM) - len(DONE), 7))
def test_a_cut_anywhere_before_the_finish_is_never_a_success(end):
    complete = STREAM.index(b'"tool_calls"}]') + len(b'"tool_calls"}]}\n\n')
    last = events_of([STREAM[:end]])[-1]
    assert isinstance(last, Ended) <= (end >= complete)
