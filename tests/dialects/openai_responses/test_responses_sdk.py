"""OpenAI's own SDK reads, over a real socket, what our encoders write: iterated, and through its stream helper."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.operations.chat.events import Failed, Tick
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import (
    Annotation,
    Hosted,
    HostedResult,
    Inline,
    Media,
    Refusal,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from allgate.wire.message import WireReply
from dialects.openai_responses.exchange import REQUEST, answer, asked, decoded, told

PARTS = (
    Thinking(text="first I think", form="summary", segments=("first", "I think")),
    Text(
        text="Grüße 😀", annotations=(Annotation(kind="url", url="https://e.x", title="E", start=0, end=5),)
    ),
    Refusal(text="not that"),
    Hosted(
        call_id="w",
        tool="web_search",
        queries=("q",),
        result=HostedResult(hits=(SearchHit(url="https://e.x"),)),
    ),
    Media(kind="image", source=Inline(mime="image/png", base64="iVBORw==")),
    ToolCall(call_id="call_a", name="now", input=""),
    ToolCall(call_id="call_b", name="add", input='{"a": 9007199254740993}'),
)
USAGE = Usage(input_tokens=11, output_tokens=7, cache_read_tokens=3, reasoning_tokens=2)
ANSWER = answer(*PARTS, finish="tool_calls", usage=USAGE)


class Server(ThreadingHTTPServer):
    """Gives `reply` to everything."""

    reply = WireReply(status=500)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        reply = self.server.reply
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name.decode(), value.decode())
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[tuple[openai.OpenAI, Server]]:
    """A client and its server, whose reply the test sets."""
    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        base_url = f"http://127.0.0.1:{server.server_port}/v1"
        with openai.OpenAI(api_key="sk-test", base_url=base_url, max_retries=0) as client:
            yield client, server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def server_of(reply: WireReply) -> Iterator[openai.OpenAI]:
    """A client whose server gives this reply to everything."""
    with serving() as (client, server):
        server.reply = reply
        yield client


def streamed(body: bytes) -> WireReply:
    return WireReply(
        status=200, headers=((b"content-type", OPENAI_RESPONSES.stream_content_type),), body=body
    )


def check(response: openai.types.responses.Response) -> None:
    reasoning, message, search, picture, now, add = response.output
    assert [part.text for part in reasoning.summary] == ["first", "I think"]
    text, refusal = message.content
    assert (text.text, refusal.refusal) == ("Grüße 😀", "not that")
    assert (text.annotations[0].url, text.annotations[0].start_index, text.annotations[0].end_index) == (
        "https://e.x",
        0,
        5,
    )
    assert search.action.query == "q"
    assert picture.result == "iVBORw=="
    assert [(c.call_id, c.name, c.arguments) for c in (now, add)] == [
        ("call_a", "now", "{}"), ("call_b", "add", '{"a": 9007199254740993}'),
    ]  # fmt: skip
    usage = response.usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (11, 7, 18)
    assert usage.input_tokens_details.cached_tokens == 3
    assert response.output_text == "Grüße 😀"


def test_a_whole_answer():
    body, _ = OPENAI_RESPONSES.encode_response(ANSWER, asked())
    reply = WireReply(status=200, headers=((b"content-type", b"application/json"),), body=body)
    with server_of(reply) as client:
        check(client.responses.create(model="m", input="x"))


def test_a_stream_iterated_and_through_the_helper():
    events = list(unfold(ANSWER))
    body = told([*events[:3], Tick(), *events[3:]])
    with server_of(streamed(body)) as client:
        seen = list(client.responses.create(model="m", input="x", stream=True))
        check(seen[-1].response)
        assert [event.type for event in seen].count("response.output_text.delta") == 1
        with client.responses.stream(model="m", input="x") as stream:
            check(stream.get_final_response())


def test_a_custom_call_reaches_the_sdk():
    request = decoded(tools=[{"type": "custom", "name": "exec"}])
    call = ToolCall(call_id="c", name="exec", input="print(1)", input_kind="text")
    with server_of(streamed(told(unfold(answer(call, finish="tool_calls")), request))) as client, \
            client.responses.stream(model="m", input="x") as stream:  # fmt: skip
        (item,) = stream.get_final_response().output
    assert (item.type, item.input) == ("custom_tool_call", "print(1)")


def test_a_length_stop_is_incomplete():
    body = told(unfold(answer(Text(text="half"), finish="length")))
    with server_of(streamed(body)) as client:
        *_, last = client.responses.create(model="m", input="x", stream=True)
    assert last.response.incomplete_details.reason == "max_output_tokens"
    assert last.response.output[0].status == "incomplete"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (ErrorKind.AUTH, openai.AuthenticationError),
        (ErrorKind.BILLING, openai.RateLimitError),
        (ErrorKind.NOT_FOUND, openai.NotFoundError),
        (ErrorKind.RATE_LIMIT, openai.RateLimitError),
        (ErrorKind.CONTEXT_LENGTH, openai.BadRequestError),
        (ErrorKind.OVERLOADED, openai.InternalServerError),
    ],
)
def test_errors_are_typed(kind, error):
    with server_of(OPENAI_RESPONSES.encode_error(Failure(kind=kind, message="why"), "req_1")) as client:
        with pytest.raises(error, match="why") as caught:
            client.responses.create(model="m", input="x")
        assert caught.value.request_id == "req_1"


def test_a_failure_in_the_middle_of_a_translated_stream():
    body = told([*unfold(ANSWER)[:4], Failed(failure=Failure(kind=ErrorKind.OVERLOADED, message="busy"))])
    with server_of(streamed(body)) as client:
        *_, last = client.responses.create(model="m", input="x", stream=True)
        assert (last.type, last.response.error.message) == ("response.failed", "busy")
        with client.responses.stream(model="m", input="x") as stream:
            assert list(stream)[-1].type == "response.failed"


def test_a_failure_of_a_passed_stream_raises():
    body = OPENAI_RESPONSES.encode_stream_error(Failure(kind=ErrorKind.OVERLOADED, message="busy"), "req_1")
    with server_of(streamed(body)) as client, pytest.raises(openai.APIError, match="busy"):
        list(client.responses.create(model="m", input="x", stream=True))


TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
ANY_PARTS = st.lists(
    st.one_of(
        st.builds(Text, text=TEXT),
        st.builds(Thinking, text=TEXT),
        st.builds(Refusal, text=TEXT),
        st.builds(ToolCall, call_id=st.uuids().map(str), name=st.sampled_from(["f", "g"]), input=TEXT),
        st.sampled_from(PARTS),
    ),
    max_size=6,
    unique_by=lambda part: getattr(part, "call_id", id(part)),
)


def test_regression_89_whatever_we_write_the_helper_accumulates():
    with serving() as (client, server):

        @given(ANY_PARTS)
        @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
        def accumulates(parts):
            server.reply = streamed(told(unfold(answer(*parts, usage=USAGE)), REQUEST))
            with client.responses.stream(model="m", input="x") as stream:
                output = stream.get_final_response().output
            messages = [item for item in output if item.type == "message"]
            said = [part.text for item in messages for part in item.content if part.type == "output_text"]
            assert said == [part.text for part in parts if isinstance(part, Text)]
            made = [(item.call_id, item.arguments) for item in output if item.type == "function_call"]
            assert made == [
                (part.call_id, part.input or "{}") for part in parts if isinstance(part, ToolCall)
            ]

        accumulates()
