"""A reply that is read by type says what its events say: plain ones, near-misses of them, and every recorded reply. And a
choice of one text is written as that of any parts is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.openai_chat.meter import read_any_facts
from allgate.dialects.openai_chat.plain_reply import plain_facts, plain_response
from allgate.dialects.openai_chat.response_decode import decode_any_response
from allgate.dialects.openai_chat.response_encode import any_choice, choice_wire
from allgate.operations.chat.parts import Annotation, Refusal, Seal, Text, Thinking
from allgate.operations.chat.response import Choice, Finish
from allgate.wire.json import encode
from dialects.counted import calls_of
from dialects.openai_chat.exchange import MORE_THAN_TEXT, REQUEST, asked, completion, sent
from dialects.openai_chat.test_recordings import WHOLE, by_id, loaded

TEXTS = st.text(max_size=4) | st.sampled_from(["", "Hi", "\ud83d", "stop"])
COUNTS = st.none() | st.integers(0, 9) | st.sampled_from([2**31, 2**70, 5.0])
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | TEXTS
    | st.sampled_from([[], {}, [{}], [{"type": "text", "text": "a"}], {"content": []}])
)
EMPTY = st.none() | st.sampled_from(["", [], {}])
DETAILS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("cached_tokens", "audio_tokens", "reasoning_tokens", "text_tokens", "x"), COUNTS),
)
USAGE = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "prompt_cache_hit_tokens"),
            COUNTS,
        ),
        **dict.fromkeys(
            ("prompt_tokens_details", "completion_tokens_details", "output_tokens_details"), DETAILS
        ),
        "num_search_queries": COUNTS,
    },
)
BESIDE = (
    "reasoning_content",
    "reasoning",
    "thinking",
    "refusal",
    "tool_calls",
    "annotations",
    "audio",
    "images",
)
SAID = st.fixed_dictionaries(
    {"content": TEXTS | ODD}, optional=dict.fromkeys(BESIDE, EMPTY | ODD)
) | st.fixed_dictionaries({"content": TEXTS, "refusal": st.none()})
CHOICES = st.fixed_dictionaries(
    {"message": SAID | st.just({"content": "Hi"})},
    optional={
        "index": st.integers(0, 3) | ODD,
        "finish_reason": TEXTS | st.none(),
        "logprobs": EMPTY | st.just({"content": [{"token": "a"}]}),
        "delta": EMPTY | st.just({"content": "b"}),
    },
)
PLAIN = st.fixed_dictionaries({"id": TEXTS, "choices": st.lists(CHOICES, min_size=1, max_size=1)})
BODIES = st.builds(
    lambda plain, odd: json.dumps({**plain, **odd}).encode(),
    PLAIN,
    st.fixed_dictionaries(
        {},
        optional={
            "usage": USAGE | ODD,
            "created": st.integers() | st.floats(0, 9),
            "model": TEXTS | st.none(),
            "service_tier": st.sampled_from(["flex", "default", None, 1]),
            "system_fingerprint": TEXTS | st.none(),
            "choices": st.lists(CHOICES, max_size=2),
            "citations": EMPTY | st.just(["https://a.b/c"]),
            "x_groq": EMPTY | st.just({"usage": {"prompt_tokens": 5}}),
            "error": ODD,
            "x": ODD,
        },
    ),
)
CONTEXTS = st.sampled_from([sent(), sent(think_tags=True), sent(usage_excludes_reasoning=True)])


def long_way(read, *given) -> str:
    try:
        return repr(read(*given))
    except WireError as error:
        return repr(error.failure)


def check(body: bytes, context=None) -> bool:
    """Whether a reply is read by type; and if it is, that its events say the same."""
    context = context or sent()
    plain, facts = plain_response(body, context), plain_facts(body)
    assert plain is None or repr(plain) == long_way(decode_any_response, body, context)
    assert facts is None or repr(facts) == long_way(read_any_facts, body)
    assert plain is None or facts is not None
    return plain is not None


@given(BODIES, CONTEXTS)
def test_what_is_read_by_type_is_what_the_events_say(body, context):
    check(body, context)


@pytest.mark.parametrize("row", WHOLE, ids=by_id)
def test_a_recorded_reply_reads_the_same_both_ways(row):
    check(json.dumps(loaded(row)["response"]["body"]).encode())


def test_most_recorded_answers_of_one_text_are_read_by_type():
    bodies = [loaded(row)["response"]["body"] for row in WHOLE]
    texts = [body for body in bodies if [*map(_says_only_text, body.get("choices") or ())] == [True]]
    read = [check(json.dumps(body).encode()) for body in texts]
    assert sum(read) > len(read) * 0.7


def _says_only_text(choice: dict) -> bool:
    message = choice.get("message") or {}
    return isinstance(message.get("content"), str) and not any(
        value for name, value in message.items() if name not in ("role", "content")
    )


HOLLOW = {"refusal": None, "annotations": [], "tool_calls": [], "reasoning_content": "", "audio": None}


@pytest.mark.parametrize("beside", [{}, HOLLOW])
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"usage": {"prompt_tokens": 3, "completion_tokens": 1}, "x_groq": {"id": "req_1"}},
        {"usage": {}, "x": 1},
    ],
)
def test_an_ordinary_reply_is_read_by_type(beside, members):
    assert check(completion({"content": "Hi", **beside}, **members))


@pytest.mark.parametrize("name", MORE_THAN_TEXT)
def test_a_message_of_more_than_text_is_told_by_its_events(name):
    assert not check(completion({"content": "Hi", name: MORE_THAN_TEXT[name]}))


@pytest.mark.parametrize(
    ("message", "members"),
    [
        ({"content": ""}, {}),
        ({"content": None, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}, {}),
        ({"content": "Hi"}, {"search_results": [{"url": "https://a.b/c"}]}),
        ({"content": [{"type": "text", "text": "Hi"}]}, {}),
        ({"content": "Hi"}, {"citations": ["https://a.b/c"]}),
        ({"content": "Hi"}, {"usage": {"prompt_tokens": -1}}),
        ({"content": "Hi"}, {"x_groq": {"usage": {"prompt_tokens": 1}}}),
        ({"content": "Hi"}, {"choices": []}),
    ],
    ids=str,
)
def test_what_is_more_than_one_text_is_told_by_its_events(message, members):
    assert not check(completion(message, **members))


WRITTEN = st.builds(
    Text,
    text=TEXTS,
    id=st.sampled_from([None, "msg_1"]),
    logprobs=st.sampled_from([None, [], [{"token": "a"}]]),
    annotations=st.sampled_from([(), (Annotation(kind="url", url="https://a.b"),)]),
    seals=st.sampled_from([(), (Seal(origin="gemini", scope="s", form="thought", value="v"),)]),
)
ANSWERS = st.builds(
    Choice,
    index=st.integers(0, 2),
    parts=st.lists(WRITTEN | st.sampled_from([Refusal(text="no"), Thinking(text="hm")]), max_size=2).map(
        tuple
    ),
    finish=st.builds(Finish, reason=st.sampled_from(["stop", "length", "refusal", "tool_calls"])),
    logprobs=st.sampled_from([None, {}, {"refusal": []}]),
)
LEGACY = changed(REQUEST, extra={"openai_chat": {"legacy_functions": True}})


@given(ANSWERS, st.sampled_from([asked(), asked(LEGACY)]))
def test_a_choice_of_one_text_is_written_as_that_of_any_parts(choice, context):
    assert encode(choice_wire(choice, context, [])) == encode(any_choice(choice, context, []))


def test_an_ordinary_choice_is_written_without_collecting_its_parts():
    choice = Choice(index=0, parts=(Text(text="Hi", id="msg_1"),), finish=Finish(reason="stop"))
    context = asked()
    assert calls_of(lambda: choice_wire(choice, context, [])) <= 3
