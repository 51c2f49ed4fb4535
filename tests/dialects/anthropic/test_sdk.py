"""What we write is read by Anthropic's own SDK over a real socket: whole, streamed, and as exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import anthropic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.operations.chat.events import Delta, Ended, Event, Failed, Finished, Opened, Start, Tick
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import (
    Annotation,
    Hosted,
    HostedResult,
    Part,
    Refusal,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire.message import WireReply
from dialects.anthropic.exchange import asked, native, other_seal, told

MESSAGES: list = [{"role": "user", "content": "hi"}]
SEARCH = Hosted(
    call_id="ws_1",
    tool="web_search",
    queries=("q",),
    result=HostedResult(hits=(SearchHit(url="https://e.x", title="E"),)),
)
PARTS: tuple[Part, ...] = (
    Thinking(text="first I think", seals=(native(),)),
    SEARCH,
    Text(text="Grüße 😀", annotations=(Annotation(kind="url", url="https://e.x", title="E"),)),
    ToolCall(call_id="call_a", name="now", input=""),
    ToolCall(call_id="call_b", name="add", input='{"a": 9007199254740993}'),
)
ANSWER = ChatResponse(
    id="up",
    model="up",
    usage=Usage(
        input_tokens=110, output_tokens=7, cache_read_tokens=90, cache_write_5m_tokens=10, reasoning_tokens=2
    ),
    choices=(Choice(index=0, parts=PARTS, finish=Finish(reason="tool_calls")),),
)


class _Server:
    """Gives `reply` to everything, and counts what it was asked."""

    def __init__(self) -> None:
        self.reply = WireReply(status=500)
        self.asked = 0


@contextmanager
def serving() -> Iterator[tuple[_Server, anthropic.Anthropic]]:
    state = _Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.asked += 1
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(state.reply.status)
            for name, value in state.reply.headers:
                self.send_header(name.decode(), value.decode())
            self.send_header("content-length", str(len(state.reply.body)))
            self.end_headers()
            self.wfile.write(state.reply.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        base_url = f"http://127.0.0.1:{server.server_port}"
        with anthropic.Anthropic(api_key="sk-test", base_url=base_url, max_retries=0) as client:
            yield state, client
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[_Server, anthropic.Anthropic]]:
    with serving() as pair:
        yield pair


def streamed(events: tuple[Event, ...] | list[Event]) -> WireReply:
    headers = ((b"content-type", ANTHROPIC.stream_content_type),)
    return WireReply(status=200, headers=headers, body=told(events))


def whole(response: ChatResponse) -> WireReply:
    body, _ = ANTHROPIC.encode_response(response, asked())
    return WireReply(
        status=200, headers=((b"content-type", b"application/json"), (b"request-id", b"req_1")), body=body
    )


def ask(served, reply: WireReply):
    served[0].reply = reply
    return served[1].messages.create(model="m", max_tokens=9, messages=MESSAGES)


def accumulated(served, reply: WireReply):
    served[0].reply = reply
    with served[1].messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream:
        return stream.get_final_message()


def shape(message) -> tuple:
    """What must be the same in a streamed and in a whole answer."""
    blocks = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in message.content]
    return blocks, message.id, message.model, message.stop_reason, message.stop_sequence


def test_a_whole_answer_is_read(served):
    message = ask(served, whole(ANSWER))
    assert (message.id, message.model, message.role, message.stop_reason) == (
        "msg_1",
        "public",
        "assistant",
        "tool_use",
    )
    assert [block.type for block in message.content] == [
        "thinking", "server_tool_use", "web_search_tool_result", "text", "tool_use", "tool_use",
    ]  # fmt: skip
    thinking, _, found, text, first, second = message.content
    assert (thinking.thinking, thinking.signature) == ("first I think", "c2ln")
    assert found.content[0].url == "https://e.x"
    assert text.text == "Grüße 😀"
    assert text.citations[0].cited_text == "Grüße 😀"
    assert (first.id, first.name, first.input) == ("call_a", "now", {})
    assert second.input == {"a": 9007199254740993}
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (
        10,
        90,
        10,
    )
    assert (usage.output_tokens, usage.output_tokens_details.thinking_tokens) == (7, 2)


def test_the_stream_helper_accumulates_the_same_answer(served):
    assert shape(accumulated(served, streamed(unfold(ANSWER)))) == shape(ask(served, whole(ANSWER)))


def test_the_last_counts_of_a_stream_are_the_true_ones(served):
    """Claude Code decides by their sum when to compact."""
    usage = accumulated(served, streamed(unfold(ANSWER))).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (
        10,
        90,
        10,
    )
    assert usage.output_tokens == 7


def test_every_event_of_the_helper_comes(served):
    served[0].reply = streamed(unfold(ANSWER))
    with served[1].messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream:
        kinds = [event.type for event in stream]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert {"thinking", "signature", "text", "citation", "input_json"} <= set(kinds)


def test_keep_alives_are_invisible(served):
    events = unfold(ANSWER)
    reply = streamed([events[0], Tick(), *events[1:], Tick()])
    assert shape(accumulated(served, reply)) == shape(ask(served, whole(ANSWER)))


@pytest.mark.parametrize(
    ("kind", "word"), [(ErrorKind.OVERLOADED, "overloaded_error"), (ErrorKind.INTERNAL, "api_error")]
)
def test_a_failure_in_mid_stream_raises(served, kind, word):
    events = (
        Start(id="r", model="m"),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="partial"),
        Failed(failure=Failure(kind=kind, message="because")),
    )
    with pytest.raises(anthropic.APIStatusError, match="because") as caught:
        accumulated(served, streamed(events))
    assert caught.value.body["error"]["type"] == word


@pytest.mark.parametrize(
    ("kind", "raised", "status"),
    [
        (ErrorKind.BAD_REQUEST, anthropic.BadRequestError, 400),
        (ErrorKind.CONTEXT_LENGTH, anthropic.BadRequestError, 400),
        (ErrorKind.AUTH, anthropic.AuthenticationError, 401),
        (ErrorKind.BILLING, anthropic.APIStatusError, 402),
        (ErrorKind.PERMISSION, anthropic.PermissionDeniedError, 403),
        (ErrorKind.NOT_FOUND, anthropic.NotFoundError, 404),
        (ErrorKind.CONFLICT, anthropic.ConflictError, 409),
        (ErrorKind.TOO_LARGE, anthropic.RequestTooLargeError, 413),
        (ErrorKind.RATE_LIMIT, anthropic.RateLimitError, 429),
        (ErrorKind.INTERNAL, anthropic.InternalServerError, 500),
        (ErrorKind.OVERLOADED, anthropic.OverloadedError, 529),
    ],
)
def test_errors_become_the_sdk_s_own_exceptions(served, kind, raised, status):
    with pytest.raises(raised, match="because") as caught:
        ask(served, ANTHROPIC.encode_error(Failure(kind=kind, message="because"), "req_1"))
    assert (caught.value.status_code, caught.value.request_id) == (status, "req_1")


@pytest.mark.parametrize(
    ("kind", "requests"), [(ErrorKind.BILLING, 1), (ErrorKind.AUTH, 1), (ErrorKind.RATE_LIMIT, 3)]
)
def test_the_sdk_repeats_only_what_may_be_repeated(served, kind, requests):
    server, client = served
    server.reply = ANTHROPIC.encode_error(Failure(kind=kind, message="m", retry_after_s=0.001), "req_1")
    server.asked = 0
    with pytest.raises(anthropic.APIStatusError):
        client.with_options(max_retries=2).messages.create(model="m", max_tokens=9, messages=MESSAGES)
    assert server.asked == requests


_json_texts = st.sampled_from(["", "{}", '{"a":1}', '{"a":{"b":[1,2,"x"]}}', '{"text":"Grüße 😀"}'])
_seals = st.sampled_from([(), (native(),), (other_seal(),)])
_redacted = Thinking(form="hidden", seals=(native("ZA==", "redacted"),))
_parts = st.one_of(
    st.builds(Text, text=st.text(max_size=8), seals=st.sampled_from([(), (other_seal(),)])),
    st.builds(Thinking, text=st.text(max_size=8), seals=_seals),
    st.builds(
        ToolCall,
        call_id=st.sampled_from(["a", "b c", "d" * 300]),
        name=st.just("f"),
        input=_json_texts,
        seals=_seals,
    ),
    st.builds(Refusal, text=st.text(max_size=8)),
    st.sampled_from([SEARCH, _redacted]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(_parts, max_size=5).map(tuple), pieces=st.integers(1, 3))
def test_regression_89_any_answer_streams_to_what_it_is_whole(served, parts, pieces):
    """Nothing that our encoder can say makes the SDK stumble, and its accumulator finds the same message."""
    response = changed(ANSWER, choices=(Choice(index=0, parts=parts, finish=Finish(reason="stop")),))
    sliced = [piece for event in unfold(response) for piece in _sliced(event, pieces)]
    message = accumulated(served, streamed(sliced))
    blocks, *rest = shape(message)
    expected, *rest_whole = shape(ask(served, whole(response)))
    assert rest == rest_whole
    assert _without_carriers(blocks) == _without_carriers(expected)


def _sliced(event: Event, pieces: int) -> list[Event]:
    if not isinstance(event, Delta) or len(event.text) < pieces:
        return [event]
    size = -(-len(event.text) // pieces)
    return [
        changed(event, text=event.text[place : place + size]) for place in range(0, len(event.text), size)
    ]


def _without_carriers(blocks: list[dict]) -> list[dict]:
    """A seal that came late rides behind its part instead of before it."""
    return [block for block in blocks if block["type"] != "redacted_thinking"]


def test_an_answer_without_content_is_read(served):
    events = [Start(id="r", model="m"), Finished(finish=Finish(reason="refusal", category="cyber")), Ended()]
    message = accumulated(served, streamed(events))
    assert (message.content, message.stop_reason, message.stop_details.category) == ([], "refusal", "cyber")
