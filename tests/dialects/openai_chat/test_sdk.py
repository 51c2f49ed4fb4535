"""OpenAI's own SDK reads, over a real socket, what our encoders write."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import openai
import pytest

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.events import Delta, Failed, Opened, Start, Tick
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import Annotation, Inline, Media, Refusal, Text, Thinking, ToolCall
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire.message import WireReply
from dialects.openai_chat.exchange import REQUEST, asked, told

ASKING = changed(REQUEST, stream=True, stream_usage=True)
PNG = Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))
ANSWER = ChatResponse(
    id="up",
    model="up",
    usage=Usage(input_tokens=11, output_tokens=7, cache_read_tokens=3, reasoning_tokens=2),
    choices=(
        Choice(
            index=0,
            parts=(
                Thinking(text="first I think"),
                Text(
                    text="Grüße 😀",
                    annotations=(Annotation(kind="url", url="https://e.x", title="E", start=0, end=5),),
                ),
                PNG,
                ToolCall(call_id="call_a", name="now", input=""),
                ToolCall(call_id="call_b", name="add", input='{"a": 9007199254740993}'),
            ),
            finish=Finish(reason="tool_calls"),
        ),
    ),
)


@contextmanager
def client_of(reply: WireReply) -> Iterator[openai.OpenAI]:
    """A client whose server gives this reply to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name.decode(), value.decode())
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        base_url = f"http://127.0.0.1:{server.server_port}/v1"
        with openai.OpenAI(api_key="sk-test", base_url=base_url, max_retries=0) as client:
            yield client
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def streamed(body: bytes) -> WireReply:
    return WireReply(status=200, headers=((b"content-type", OPENAI_CHAT.stream_content_type),), body=body)


def ask(client: openai.OpenAI, **more):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], **more)


def test_a_whole_answer_is_read():
    body, notes = OPENAI_CHAT.encode_response(ANSWER, asked())
    with client_of(
        WireReply(status=200, headers=((b"content-type", b"application/json"),), body=body)
    ) as client:
        answer = ask(client)
    message = answer.choices[0].message
    assert (answer.id, answer.model, answer.created) == ("chatcmpl-1", "public", 1_700_000_000)
    assert message.content == "Grüße 😀"
    assert message.model_extra["reasoning_content"] == "first I think"
    assert message.model_extra["images"][0]["image_url"]["url"] == "data:image/png;base64,iVBORw=="
    assert message.annotations[0].url_citation.url == "https://e.x"
    assert [(c.id, c.function.name, c.function.arguments) for c in message.tool_calls] == [
        ("call_a", "now", "{}"),
        ("call_b", "add", '{"a": 9007199254740993}'),
    ]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        11,
        7,
        18,
    )
    assert answer.usage.prompt_tokens_details.cached_tokens == 3
    assert notes == ()


def test_the_stream_helper_accumulates_the_same_answer():
    """Regressions 1 and 6: call indexes are dense from 0, and the first token is neither lost nor doubled."""
    with client_of(streamed(told(unfold(ANSWER), ASKING))) as client:
        arguments = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        with client.chat.completions.stream(**arguments) as stream:
            answer = stream.get_final_completion()
    message = answer.choices[0].message
    assert message.content == "Grüße 😀"
    assert message.model_extra["reasoning_content"] == "first I think"
    assert [(c.index, c.id, c.function.name, c.function.arguments) for c in message.tool_calls] == [
        (0, "call_a", "now", "{}"),
        (1, "call_b", "add", '{"a": 9007199254740993}'),
    ]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage.total_tokens == 18


def test_every_chunk_is_well_formed_for_the_sdk():
    """Regressions 19 and 88: one finish_reason, on the last chunk of its choice; `choices` is empty only for usage."""
    with client_of(streamed(told(unfold(ANSWER), ASKING))) as client, ask(client, stream=True) as stream:
        chunks = list(stream)
    assert {(chunk.id, chunk.created, chunk.model, chunk.object) for chunk in chunks} == {
        ("chatcmpl-1", 1_700_000_000, "public", "chat.completion.chunk")
    }
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].choices[0].delta.content == ""
    finishes = [chunk.choices[0].finish_reason for chunk in chunks[:-1]]
    assert finishes == [None] * (len(finishes) - 1) + ["tool_calls"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.prompt_tokens == 11


def test_usage_is_withheld_from_who_did_not_ask():
    with client_of(streamed(told(unfold(ANSWER)))) as client, ask(client, stream=True) as stream:
        assert all(chunk.choices for chunk in stream)


def test_keep_alives_are_invisible():
    events = [*unfold(ANSWER)]
    body = told([events[0], Tick(), *events[1:], Tick()])
    assert body.count(OPENAI_CHAT.keep_alive) == 2
    with client_of(streamed(body)) as client, ask(client, stream=True) as stream:
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Grüße 😀"


def test_a_failure_in_mid_stream_raises():
    """Regressions 10 and 11: an error after the first bytes is an error frame, never a clean end."""
    events = (
        Start(id="r", model="m"),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="partial"),
        Failed(failure=Failure(kind=ErrorKind.OVERLOADED, message="The model is overloaded")),
    )
    body = told(events)
    assert b"[DONE]" not in body
    assert b'"finish_reason":"' not in body
    with (
        client_of(streamed(body)) as client,
        ask(client, stream=True) as stream,
        pytest.raises(openai.APIError, match="overloaded") as caught,
    ):
        list(stream)
    assert caught.value.code == "overloaded"


def test_a_refusal_is_read_whole_and_streamed():
    refusal = Choice(index=0, parts=(Refusal(text="I cannot."),), finish=Finish(reason="refusal"))
    answer = changed(ANSWER, choices=(refusal,))
    body, _ = OPENAI_CHAT.encode_response(answer, asked())
    with client_of(
        WireReply(status=200, headers=((b"content-type", b"application/json"),), body=body)
    ) as client:
        whole = ask(client).choices[0]
    assert (whole.message.refusal, whole.message.content, whole.finish_reason) == ("I cannot.", None, "stop")
    with client_of(streamed(told(unfold(answer)))) as client, ask(client, stream=True) as stream:
        deltas = [chunk.choices[0] for chunk in stream]
    assert "".join(choice.delta.refusal or "" for choice in deltas) == "I cannot."
    assert deltas[-1].finish_reason == "stop"


def test_several_choices_keep_their_own_call_indexes():
    choices = tuple(
        Choice(
            index=index,
            parts=(Text(text=f"t{index}"), ToolCall(call_id=f"c{index}", name="f", input="{}")),
            finish=Finish(reason="tool_calls"),
        )
        for index in range(2)
    )
    with client_of(streamed(told(unfold(changed(ANSWER, choices=choices))))) as client:
        arguments = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "n": 2}
        with client.chat.completions.stream(**arguments) as stream:
            answer = stream.get_final_completion()
    assert [choice.message.content for choice in answer.choices] == ["t0", "t1"]
    assert [choice.message.tool_calls[0].id for choice in answer.choices] == ["c0", "c1"]


@pytest.mark.parametrize(
    ("kind", "raised", "code"),
    [
        (ErrorKind.BAD_REQUEST, openai.BadRequestError, None),
        (ErrorKind.CONTEXT_LENGTH, openai.BadRequestError, "context_length_exceeded"),
        (ErrorKind.AUTH, openai.AuthenticationError, "invalid_api_key"),
        (ErrorKind.PERMISSION, openai.PermissionDeniedError, None),
        (ErrorKind.NOT_FOUND, openai.NotFoundError, None),
        (ErrorKind.CONFLICT, openai.ConflictError, None),
        (ErrorKind.UNPROCESSABLE, openai.UnprocessableEntityError, None),
        (ErrorKind.RATE_LIMIT, openai.RateLimitError, "rate_limit_exceeded"),
        (ErrorKind.BILLING, openai.RateLimitError, "insufficient_quota"),
        (ErrorKind.INTERNAL, openai.InternalServerError, None),
        (ErrorKind.OVERLOADED, openai.InternalServerError, "overloaded"),
    ],
)
def test_errors_become_the_sdk_s_own_exceptions(kind, raised, code):
    reply = OPENAI_CHAT.encode_error(Failure(kind=kind, message="because", param="messages"), "req_1")
    with client_of(reply) as client, pytest.raises(raised, match="because") as caught:
        ask(client)
    assert caught.value.code == code
    assert caught.value.param == "messages"
    assert caught.value.request_id == "req_1"


@pytest.mark.parametrize(("final", "requests"), [(True, 1), (False, 3)])
def test_the_sdk_repeats_only_what_may_be_repeated(final, requests):
    failure = Failure(kind=ErrorKind.RATE_LIMIT, message="slow down", retry_after_s=0.001, final=final)
    reply = OPENAI_CHAT.encode_error(failure, "req_1")
    seen = []
    with client_of(reply) as client:
        retrying = client.with_options(max_retries=2)
        retrying._client.event_hooks["request"].append(seen.append)
        with pytest.raises(openai.RateLimitError):
            ask(retrying)
    assert len(seen) == requests
