"""Whatever comes in, every decoder of every dialect reads it or raises WireError, and nothing else.

The bytes are those of our own encoders with a few values replaced, frames repeated, dropped or cut, because random bytes
seldom get past the first bracket; those are tried too. What is read must also be sayable: in every other dialect, or as
events that keep the grammar. Errors and meters never raise at all.
"""

import json
import os
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from said import SAID

from allgate.core.errors import WireError
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.contract import Asked, ChatDialect, Sent
from allgate.dialects.seals import SealBox
from allgate.dialects.token_counts import TOKEN_COUNTERS
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Ended, Event, Failed, Start
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import (
    Annotation,
    Hosted,
    HostedResult,
    Inline,
    Media,
    Refusal,
    Seal,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire.message import WireRequest

BOX = SealBox((b"k" * 32,), "account")
CAPS = Caps(hosted=("web_search", "code_execution"), seal_origin="anthropic")
PLAIN = ChatRequest(dialect="x", model="m", turns=(Turn(role="user", parts=(Text(text="hi"),)),))
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_completions": "/v1/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
}
SEAL = Seal(origin="anthropic", scope="", form="signature", value="RXFRQg==")
ANSWER = ChatResponse(
    id="up",
    model="up",
    created_s=1,
    usage=Usage(input_tokens=9, output_tokens=5, cache_read_tokens=2, reasoning_tokens=1, web_search_calls=1),
    choices=(
        Choice(
            index=0,
            parts=(
                Thinking(text="hm", form="summary", segments=("hm",), seals=(SEAL,)),
                Hosted(
                    call_id="h",
                    tool="web_search",
                    name="web_search",
                    input='{"query":"q"}',
                    queries=("q",),
                    result=HostedResult(hits=(SearchHit(url="https://e.x", title="E"),)),
                ),
                Text(text="Grüße", annotations=(Annotation(kind="url", url="https://e.x", start=0, end=3),)),
                Media(kind="image", source=Inline(mime="image/png", base64="iVBORw==")),
                Refusal(text="no"),
                ToolCall(call_id="call_a", name="f", input='{"a":1}', seals=(SEAL,)),
            ),
            finish=Finish(reason="tool_calls"),
        ),
    ),
)
ERRORS = (
    {"error": {"message": "m", "type": "t", "code": "c", "param": "p"}},
    {"type": "error", "error": {"type": "overloaded_error", "message": "m", "details": {"error_code": "x"}}},
    [
        {
            "error": {
                "code": 429,
                "status": "RESOURCE_EXHAUSTED",
                "message": "m",
                "details": [{"retryDelay": "3s"}],
            }
        }
    ],
)
DIALECTS = list(CHAT_DIALECTS)
EXAMPLES = int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES") or 50)

scalars = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        3,
        10**20,
        1.5,
        1e300,
        "",
        "x",
        "\ud83d",
        "data:image/png;base64,AA",
        "https://e.x",
        "QUdTTDE6AAAA",
    ]
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "content", "x"]), inner, max_size=2), max_leaves=4)  # fmt: skip
quick = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def edited(draw: st.DrawFn, value: object) -> object:
    """`value` with one of its nodes replaced, removed or renamed."""
    inside = isinstance(value, (dict, list)) and bool(value) and draw(st.integers(0, 5)) > 0
    if not inside:
        return draw(values)
    if isinstance(value, list):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], edited(draw, value[place]), *value[place + 1 :]]
    assert isinstance(value, dict)
    key = draw(st.sampled_from(sorted(value)))
    match draw(st.integers(0, 9)):
        case 0:
            return {name: member for name, member in value.items() if name != key}
        case 1:
            return {**value, draw(st.sampled_from(["type", "id", "x"])): draw(values)}
        case _:
            return {**value, key: edited(draw, value[key])}


@st.composite
def bodies(draw: st.DrawFn, samples: tuple[object, ...]) -> bytes:
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=40))
    value = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 3))):
        value = edited(draw, value)
    return json.dumps(value).encode()


@st.composite
def streams(draw: st.DrawFn, frames: tuple[bytes, ...]) -> bytes:
    told = list(frames)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(told) - 1))
        match draw(st.integers(0, 5)):
            case 0 if len(told) > 1:
                del told[place]
            case 1:
                told.insert(place, draw(st.sampled_from(frames)))
            case 2:
                told[place] = told[place][: draw(st.integers(0, len(told[place])))]
            case 3:
                told.insert(place, draw(st.binary(max_size=20)))
            case _:
                told[place] = _with_edited_data(draw, told[place])
    return b"".join(told)


def _with_edited_data(draw: st.DrawFn, frame: bytes) -> bytes:
    head, mark, data = frame.rstrip().rpartition(b"data: ")
    try:
        value = edited(draw, json.loads(data))
    except ValueError:
        return frame
    return head + mark + json.dumps(value).encode() + b"\n\n"


@cache
def requests_of(name: str) -> tuple[object, ...]:
    """Bodies of this dialect that say all that a request can say."""
    found: list[object] = [
        {"model": "m", "prompt": ["a"], "n": 2, "logprobs": 3, "echo": True, "suffix": "s"}
    ]
    for _, request in SAID:
        try:
            found.append(json.loads(CHAT_DIALECTS[name].encode_request(request, "m", CAPS).body))
        except WireError:
            continue
    return tuple(found)


def asked(dialect: ChatDialect) -> Asked:
    request = changed(PLAIN, dialect=dialect.name, stream_usage=True)
    return Asked(request=request, response_id="id", created_s=1, model="m", seals=BOX)


@cache
def replies_of(name: str) -> tuple[object, ...]:
    dialect = CHAT_DIALECTS[name]
    return (json.loads(dialect.encode_response(ANSWER, asked(dialect))[0]), *ERRORS)


@cache
def frames_of(name: str) -> tuple[bytes, ...]:
    encoder = CHAT_DIALECTS[name].stream_encoder(asked(CHAT_DIALECTS[name]))
    stream = b"".join(encoder.emit(event) for event in unfold(ANSWER)).replace(b"\r\n", b"\n")
    return tuple(frame + b"\n\n" for frame in stream.split(b"\n\n") if frame)


def sent_to(dialect: ChatDialect) -> Sent:
    return Sent(request=changed(PLAIN, dialect=dialect.name), caps=CAPS)


@pytest.mark.parametrize("name", DIALECTS)
@quick
@given(st.data())
def test_a_request_is_read_and_can_be_said_or_is_refused(name: str, data: st.DataObject) -> None:
    dialect = CHAT_DIALECTS[name]
    wire = WireRequest(method="POST", path=PATHS[name], body=data.draw(bodies(requests_of(name))))
    with suppress(WireError):
        dialect.passthrough(wire, dialect.read_head(wire), "up", CAPS)
    try:
        request = dialect.decode_request(wire, BOX)
    except WireError:
        return
    for other in CHAT_DIALECTS.values():
        with suppress(WireError):
            json.loads(other.encode_request(request, "up", CAPS).body)


@pytest.mark.parametrize("name", TOKEN_COUNTERS)
@quick
@given(st.data())
def test_a_count_is_read_or_refused(name: str, data: st.DataObject) -> None:
    body = data.draw(bodies((*requests_of(name), {"generateContentRequest": {"contents": []}})))
    wire = WireRequest(method="POST", path="/v1beta/models/m:countTokens", body=body)
    counted = data.draw(bodies(({"input_tokens": 3, "totalTokens": 3},)))
    with suppress(WireError):
        TOKEN_COUNTERS[name].countable(wire)
    with suppress(WireError):
        assert TOKEN_COUNTERS[name].decode_count(counted) >= 0


@pytest.mark.parametrize("name", DIALECTS)
@quick
@given(st.data())
def test_a_reply_is_read_and_can_be_told_or_is_refused(name: str, data: st.DataObject) -> None:
    dialect = CHAT_DIALECTS[name]
    body = data.draw(bodies(replies_of(name)))
    with suppress(WireError):
        dialect.read_facts(body)
    try:
        response = dialect.decode_response(body, sent_to(dialect))
    except WireError:
        return
    for other in CHAT_DIALECTS.values():
        json.loads(other.encode_response(response, asked(other))[0])


@pytest.mark.parametrize("name", DIALECTS)
@quick
@given(st.data())
def test_a_stream_keeps_the_grammar_or_fails_and_can_be_told(name: str, data: st.DataObject) -> None:
    dialect = CHAT_DIALECTS[name]
    stream = data.draw(streams(frames_of(name)))
    cut = data.draw(st.integers(0, len(stream)))
    events: list[Event] = []
    decoder = dialect.stream_decoder(sent_to(dialect))
    try:
        for piece in (stream[:cut], stream[cut:]):
            events += decoder.feed(piece)
        events += decoder.close()
    except WireError:
        return
    assert events
    assert isinstance(events[0], (Start, Failed))
    assert [isinstance(event, (Ended, Failed)) for event in events] == [False] * (len(events) - 1) + [True]
    for other in CHAT_DIALECTS.values():
        encoder = other.stream_encoder(asked(other))
        for event in events:
            encoder.emit(event)


@pytest.mark.parametrize("name", DIALECTS)
@quick
@given(st.data())
def test_a_meter_never_raises(name: str, data: st.DataObject) -> None:
    dialect = CHAT_DIALECTS[name]
    wire = WireRequest(
        method="POST", path=PATHS[name], body=b'{"model":"m","prompt":"a","messages":[],"max_tokens":1}'
    )
    meter = dialect.meter(dialect.read_head(wire), CAPS)
    meter.feed(data.draw(streams(frames_of(name))))
    meter.close()
    meter.facts()


@pytest.mark.parametrize("name", DIALECTS)
@quick
@given(st.data(), st.integers(200, 599))
def test_an_error_is_always_read_and_always_told(name: str, data: st.DataObject, status: int) -> None:
    headers = (
        (b"retry-after", data.draw(st.sampled_from([b"3", b"-1", b"x", b"1e9", b"9" * 400, b"\xff"]))),
    )
    failure = CHAT_DIALECTS[name].decode_error(status, headers, data.draw(bodies(ERRORS)))
    assert failure.message
    for other in CHAT_DIALECTS.values():
        reply = other.encode_error(failure, "req_1")
        assert 400 <= reply.status < 600
        json.loads(reply.body)
        other.encode_stream_error(failure, "req_1")
