"""The body of a plain answer is what the long way writes; for any other answer there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.openai_responses.plain_body import PlainBody
from allgate.dialects.openai_responses.response_encode import encode_any_response, encode_response
from allgate.operations.chat.notes import dropped
from allgate.operations.chat.parts import Annotation, Refusal, Seal, Text
from allgate.operations.chat.request import CacheHints, Identity, OutputFormat, Reasoning, Sampling, State
from allgate.operations.chat.response import Choice, Finish
from allgate.operations.chat.tools import Function, ToolChoice
from dialects.openai_responses.exchange import REQUEST, answer, asked
from dialects.openai_responses.near_plain import varied

PLAIN = PlainBody(encode_any_response)
KEPT_MESSAGE = {"openai_responses": {"message": {"role": "system"}}}
USAGE = Usage(input_tokens=200, output_tokens=100)

ORDINARY = answer(Text(text="A dog."), usage=USAGE)
ASKED = changed(
    REQUEST, system=(Text(text="Be kind."),), sampling=Sampling(max_tokens=1000), state=State(store=False)
)

TEXTS = varied(
    Text(text="A dog."),
    text=st.sampled_from(["", '%s "b"\n\u00e9\U0001f600', "\ud83d"]),
    id=st.sampled_from(["", "msg_1", "rs_1"]),
    logprobs=st.sampled_from([[], [{"token": "a"}]]),
    extra=st.sampled_from([KEPT_MESSAGE, {"anthropic": {"a": 1}}]),
)
COUNTS = st.sampled_from([None, 0, 7, 2**70])
CHOICES = st.builds(
    Choice,
    index=st.just(0),
    parts=st.lists(TEXTS | st.just(Refusal(text="no")), min_size=1, max_size=2).map(tuple),
    finish=st.sampled_from(["stop", "stop", "length", "tool_calls"]).map(
        lambda reason: Finish(reason=reason)
    ),
)
RESPONSES = varied(
    ORDINARY,
    choices=CHOICES.map(lambda choice: (choice,)),
    usage=varied(
        USAGE, input_tokens=COUNTS, output_tokens=COUNTS, cache_read_tokens=COUNTS, cache_write_tokens=COUNTS,
        cache_write_5m_tokens=COUNTS, cache_write_1h_tokens=COUNTS, reasoning_tokens=COUNTS,
    ),
    service_tier=st.sampled_from(["", "flex"]),
    extra=st.sampled_from([{"openai_chat": {"a": 1}}, {"openai_responses": {"moderation": None}}]),
    notes=st.just((dropped("a", "b"),)),
)  # fmt: skip
NUMBERS = st.sampled_from([None, 0, 1, 1.0, 0.3, 2**70])
REQUESTS = varied(
    ASKED,
    dialect=st.just("anthropic"),
    system=st.lists(
        st.sampled_from([Text(text="\u00e9"), Text(text="a", extra=KEPT_MESSAGE)]), max_size=2
    ).map(tuple),
    sampling=varied(Sampling(), max_tokens=NUMBERS, temperature=NUMBERS, top_p=NUMBERS, top_logprobs=NUMBERS),
    state=st.sampled_from([State(), State(store=True), State(truncation="auto")]),
)


@given(RESPONSES, REQUESTS)
def test_what_is_filled_in_is_what_is_written_at_length(response, request):
    body = PLAIN.of(response, asked(request))
    if body is not None:
        assert (body, response.notes) == encode_any_response(response, asked(request))


@pytest.mark.parametrize(
    "request_", [REQUEST, ASKED, changed(ASKED, sampling=Sampling(temperature=1, top_p=0.5))], ids=str
)
def test_the_ordinary_answer_is_filled_in(request_):
    for response in (
        ORDINARY,
        changed(ORDINARY, service_tier="flex"),
        answer(Text(text="a", id="msg_1"), usage=USAGE),
    ):
        assert PLAIN.of(response, asked(request_)) is not None
        assert encode_response(response, asked(request_)) == encode_any_response(response, asked(request_))


@pytest.mark.parametrize(
    "response",
    [
        answer(Text(text="a"), Text(text="b"), usage=USAGE),
        answer(Refusal(text="no"), usage=USAGE),
        answer(Text(text="a"), finish="length", usage=USAGE),
        answer(Text(text="a")),
        answer(Text(text="a"), usage=Usage()),
        answer(Text(text="a", annotations=(Annotation(kind="url", url="https://a.b"),)), usage=USAGE),
        answer(
            Text(text="a", seals=(Seal(origin="a", scope="b", form="signature", value="c"),)), usage=USAGE
        ),
        answer(Text(text="a", logprobs=[]), usage=USAGE),
        answer(Text(text="a", extra=KEPT_MESSAGE), usage=USAGE),
        answer(Text(text="a"), usage=USAGE, extra={"openai_responses": {"moderation": None}}),
        answer(Text(text="\ud83d"), usage=USAGE),
        changed(ORDINARY, choices=()),
        changed(ORDINARY, choices=ORDINARY.choices * 2),
    ],
    ids=str,
)
def test_an_answer_that_is_not_plain_is_left_to_the_long_way(response):
    assert PLAIN.of(response, asked(ASKED)) is None


@pytest.mark.parametrize(
    "beside",
    [
        {"tools": (Function(name="f"),)},
        {"tool_choice": ToolChoice(mode="auto")},
        {"reasoning": Reasoning(effort="low")},
        {"output": OutputFormat(kind="json_object")},
        {"service_tier": "flex"},
        {"extra": {"openai_responses": {"max_tool_calls": 1}}},
        {"identity": Identity(user="u")},
        {"cache": CacheHints(key="k")},
        {"state": State(previous_response_id="resp_0")},
        {"sampling": Sampling(top_logprobs=2)},
    ],
    ids=str,
)
def test_what_is_repeated_of_a_request_that_is_not_plain_is_left_to_the_long_way(beside):
    assert PLAIN.of(ORDINARY, asked(changed(ASKED, **beside))) is None
