"""A frame behind a piece of text is read as another piece where it is nothing else; events and facts are those of its chunk."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from allgate.dialects.contract import Head
from allgate.dialects.openai_chat import OPENAI_CHAT, meter, stream_decode
from allgate.dialects.openai_chat.chunks import Chunk, Message, read_chunk
from allgate.dialects.openai_chat.pieces import SURPRISES_MAX, read_ordinary
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.events import Delta
from dialects.counted import calls_of
from dialects.openai_chat.exchange import DONE, MORE_THAN_TEXT, chunk, events_of, sent
from dialects.openai_chat.test_recordings import STREAMED, by_id, loaded

TEXTS = st.sampled_from(["", "Hi", " é", "\ud83d", '"\\\n'])
ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | TEXTS
    | st.sampled_from([[], {}, [{}], [{"text": "a"}], 1e400])
)
BESIDE = (
    "reasoning_content", "reasoning", "thinking", "reasoning_details", "refusal", "tool_calls", "function_call",
    "annotations", "images", "audio", "role", "x",
)  # fmt: skip
DELTAS = st.fixed_dictionaries({"content": TEXTS | ODD}, optional=dict.fromkeys(BESIDE, ODD))
PIECES = st.builds(lambda text: {"content": text}, TEXTS)
CHOICES = st.fixed_dictionaries(
    {"delta": PIECES | PIECES | DELTAS | ODD},
    optional={
        "index": st.sampled_from([0, 0, 1, None, "0"]),
        "finish_reason": st.sampled_from([None, None, "", "stop", 1]),
        "logprobs": st.sampled_from([None, {}, {"content": [{"token": "a"}]}]),
        "message": ODD,
        "text": ODD,
    },
)
NEAR = st.builds(  # one piece, and at most one member beside it in the delta, in the choice and in the chunk
    lambda text, delta, choice, whole: {
        "choices": [{"delta": {"content": text, **delta}, **choice}],
        **whole,
    },
    TEXTS,
    st.just({}) | st.dictionaries(st.sampled_from(BESIDE), ODD, max_size=1),
    st.just({}) | st.dictionaries(st.sampled_from(["index", "finish_reason", "logprobs"]), ODD, max_size=1),
    st.just({})
    | st.dictionaries(st.sampled_from(["usage", "error", "citations", "id", "x"]), ODD, max_size=1),
)
CHUNKS = NEAR | st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, min_size=1, max_size=1) | st.lists(CHOICES, max_size=2) | ODD},
    optional={
        "usage": st.none() | st.sampled_from([{}, {"prompt_tokens": 1}, []]),
        **dict.fromkeys(("error", "citations", "search_results", "x_groq", "obfuscation", "id"), ODD),
    },
)
STARTED = chunk({"role": "assistant", "content": "So"})


def frame(body: dict) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


@given(CHUNKS)
def test_what_is_read_as_a_piece_of_text_is_a_chunk_that_says_nothing_else(body):
    piece = read_ordinary(frame(body), after_text=True)
    if not isinstance(piece, str):
        assert piece == read_ordinary(frame(body), after_text=False)
        return
    whole = read_chunk(frame(body)[6:-2])
    (choice,) = whole.choices
    assert (choice.index, choice.finish_reason or None, choice.logprobs) == (0, None, None)
    assert [said for said in astuple(choice.delta) if said] == [piece]
    assert whole.usage is whole.error is whole.citations is whole.search_results is whole.x_groq is None


BESIDE_THE_CHOICES = {
    "usage": {"prompt_tokens": 1},
    "error": {"message": "no"},
    "citations": ["https://a.b/c"],
    "search_results": [{"url": "https://a.b/c"}],
    "x_groq": {"usage": {"prompt_tokens": 1}},
}


@pytest.mark.parametrize("name", MORE_THAN_TEXT)
def test_a_delta_with_more_than_text_is_no_piece(name):
    assert set(MORE_THAN_TEXT) == set(Message.__struct_fields__) - {"content"}
    both = chunk({"content": "a", name: MORE_THAN_TEXT[name]})
    assert not isinstance(read_ordinary(both, after_text=True), str)


@pytest.mark.parametrize("name", BESIDE_THE_CHOICES)
def test_a_chunk_that_says_more_than_its_choice_is_no_piece(name):
    described = {"choices", "id", "model", "created", "service_tier", "system_fingerprint"}
    assert set(BESIDE_THE_CHOICES) == set(Chunk.__struct_fields__) - described
    both = chunk({"content": "a"}, **{name: BESIDE_THE_CHOICES[name]})
    assert not isinstance(read_ordinary(both, after_text=True), str)


@pytest.mark.parametrize("beside", [{"index": 1}, {"finish_reason": "stop"}, {"logprobs": {"content": []}}])
def test_a_choice_that_says_more_than_its_delta_is_no_piece(beside):
    both = frame({"choices": [{"index": 0, "delta": {"content": "a"}, **beside}]})
    assert not isinstance(read_ordinary(both, after_text=True), str)


def by_bytes(stream: bytes) -> list[bytes]:
    return [stream[place : place + 1] for place in range(len(stream))]


def metered(pieces: list[bytes]) -> tuple:
    watch = OPENAI_CHAT.meter(Head(model="m", stream=True, stream_usage=True), CAPS_DEFAULT)
    passed = b"".join([watch.feed(piece) for piece in pieces]) + watch.close()
    return passed, watch.facts(), watch.started


@given(st.lists(CHUNKS | CHOICES.map(lambda choice: {"choices": [choice]}), max_size=4), st.booleans())
def test_frames_one_by_one_give_the_events_and_facts_of_any_slices(bodies, tags):
    frames = [STARTED, *map(frame, bodies), chunk({"content": "."}), chunk({}, finish="stop"), DONE]
    context = sent(think_tags=tags)
    assert events_of(frames, context) == events_of(by_bytes(b"".join(frames)), context)
    assert metered(frames) == metered(by_bytes(b"".join(frames)))


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_frame_by_frame_gives_the_events_and_facts_of_the_whole(row):
    frames = [block.encode() for block in loaded(row)["response"]["sse"]]
    assert events_of(frames) == events_of([b"".join(frames)])
    assert metered(frames) == metered([b"".join(frames)])


def test_a_piece_of_text_behind_another_takes_three_calls():
    decoder = OPENAI_CHAT.stream_decoder(sent())
    more = chunk({"content": " word"}, obfuscation="abc", usage=None)
    for piece in (STARTED, more):
        decoder.feed(piece)
    assert calls_of(lambda: decoder.feed(more)) <= 4  # with the lambda


def test_who_says_more_than_text_in_every_frame_is_not_taken_for_another(monkeypatch):
    expected = []
    for module in (stream_decode, meter):
        monkeypatch.setattr(
            module,
            "read_ordinary",
            lambda frame, after_text: (
                expected.append(after_text) or read_ordinary(frame, after_text=after_text)
            ),
        )
    more = [chunk({"content": "a"}, citations=["https://a.b/c"])] * 20
    assert len([event for event in events_of(more) if isinstance(event, Delta)]) == 20
    assert sum(expected) == SURPRISES_MAX
    expected.clear()
    assert metered(more)[1].text == "a" * 20
    assert sum(expected) == SURPRISES_MAX


def test_each_of_two_answers_and_calls_behind_a_text_keep_their_places():
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    frames = [
        chunk({"content": "a"}),
        chunk({"content": "b"}, index=1),
        chunk({"content": "c"}),
        chunk({"tool_calls": [call]}),
        chunk({"content": "d"}),
        chunk({"content": "e"}),
        chunk({}, finish="stop"),
        chunk({}, finish="stop", index=1),
        DONE,
    ]
    assert events_of(frames) == events_of(by_bytes(b"".join(frames)))
    assert metered(frames)[1].text == "abcf{}de"
