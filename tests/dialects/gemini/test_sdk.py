"""Google's own SDK reads, over a real socket, what our encoders write, and writes what our decoder reads."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from google import genai
from google.genai import errors, types

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.events import Delta, Failed, Opened, Start, Tick
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import (
    Annotation,
    Inline,
    Media,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.wire.message import WireReply, WireRequest
from dialects.gemini.exchange import ARRAY, BOX, SHOWING, asked, told

FOREIGN = Seal(origin="anthropic", scope="anthropic/main", form="signature", value="EqQB")
ANSWER = ChatResponse(
    id="up",
    model="up",
    usage=Usage(input_tokens=11, output_tokens=7, cache_read_tokens=3, reasoning_tokens=2),
    choices=(
        Choice(
            index=0,
            parts=(
                Thinking(text="first I think", seals=(FOREIGN,)),
                Text(
                    text="Grüße 😀",
                    annotations=(Annotation(kind="url", url="https://e.x", title="E", start=0, end=5),),
                ),
                Media(kind="image", source=Inline(mime="image/png", base64="iVBORw==")),
                ToolCall(call_id="call_a", name="now", input=""),
                ToolCall(call_id="call_b", name="add", input='{"a": 9007199254740993}'),
            ),
            finish=Finish(reason="tool_calls"),
        ),
    ),
)


class Server:
    """What the client sent, and where to reach it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.requests: list[WireRequest] = []


@contextmanager
def serving(*replies: WireReply) -> Iterator[Server]:
    """A server that gives these replies in order, the last one for ever."""
    waiting = list(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            path, _, query = self.path.partition("?")
            found.requests.append(WireRequest(method="POST", path=path, query=query.encode(), body=body))
            reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name.decode(), value.decode())
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Server(server.server_port)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def client_of(*replies: WireReply, **options) -> Iterator[tuple[genai.Client, Server]]:
    with serving(*replies) as server:
        client = genai.Client(api_key="test", http_options=types.HttpOptions(base_url=server.url, **options))
        try:
            yield client, server
        finally:
            client.close()


def streamed(body: bytes) -> WireReply:
    return WireReply(status=200, headers=((b"content-type", GEMINI.stream_content_type),), body=body)


def whole(body: bytes) -> WireReply:
    return WireReply(status=200, headers=((b"content-type", b"application/json"),), body=body)


def assert_is_the_answer(parts: list[types.Part]) -> None:
    text = "".join(part.text for part in parts if part.text and not part.thought)
    thoughts = "".join(part.text for part in parts if part.text and part.thought)
    calls = [part.function_call for part in parts if part.function_call]
    assert (text, thoughts) == ("Grüße 😀", "first I think")
    assert [(call.id, call.name, call.args) for call in calls] == [
        ("call_a", "now", {}),
        ("call_b", "add", {"a": 9007199254740993}),
    ]
    assert [part.inline_data.data for part in parts if part.inline_data] == [b"\x89PNG"]


def assert_is_the_usage(usage: types.GenerateContentResponseUsageMetadata) -> None:
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count) == (11, 5, 2)
    assert (usage.cached_content_token_count, usage.total_token_count) == (3, 18)


def test_a_whole_answer_is_read():
    with client_of(whole(GEMINI.encode_response(ANSWER, asked(SHOWING))[0])) as (client, server):
        answer = client.models.generate_content(model="m", contents="hi")
    assert_is_the_answer(answer.candidates[0].content.parts)
    assert_is_the_usage(answer.usage_metadata)
    assert (answer.candidates[0].finish_reason.value, answer.model_version, answer.response_id) == (
        "STOP",
        "public",
        "resp-1",
    )
    support = answer.candidates[0].grounding_metadata.grounding_supports[0]
    assert (support.segment.end_index, support.segment.text) == (7, "Grüße")
    assert GEMINI.read_head(server.requests[0]).model == "m"


def test_a_stream_is_read_with_keep_alives_between_its_frames():
    """Regression 22: a blank line is the only keep-alive that this SDK bears."""
    events = [told_event for event in unfold(ANSWER) for told_event in (Tick(), event, Tick())]
    with client_of(streamed(told(events))) as (client, server):
        chunks = list(client.models.generate_content_stream(model="m", contents="hi"))
    assert_is_the_answer([part for chunk in chunks for part in chunk.candidates[0].content.parts])
    assert_is_the_usage(chunks[-1].usage_metadata)
    assert [chunk.candidates[0].finish_reason is not None for chunk in chunks] == [False] * (
        len(chunks) - 1
    ) + [True]
    assert GEMINI.read_head(server.requests[0]).stream
    assert server.requests[0].query == b"alt=sse"


def test_a_chat_session_remembers_what_we_streamed_and_sends_the_seals_back():
    """Regression 15, through the SDK's own history."""
    with client_of(streamed(told(unfold(ANSWER))), streamed(told(unfold(ANSWER)))) as (client, server):
        session = client.chats.create(model="m")
        list(session.send_message_stream("hi"))
        results = [
            types.Part.from_function_response(name=name, response={"output": name}) for name in ("now", "add")
        ]
        list(session.send_message_stream(results))
    request = GEMINI.decode_request(server.requests[1], BOX)
    assert [turn.role for turn in request.turns] == ["user", "assistant", "tool"]
    thought, text, picture, first, second = request.turns[1].parts
    assert thought == Thinking(
        text="first I think", form="summary", segments=("first I think",), seals=(FOREIGN,)
    )
    assert (text, picture.kind) == (Text(text="Grüße 😀"), "image")
    assert [(call.name, call.call_id) for call in (first, second)] == [("now", "call_a"), ("add", "call_b")]
    assert [part.parts[0].text for part in request.turns[2].parts if isinstance(part, ToolResult)] == [
        "now",
        "add",
    ]


def asked_by_sdk(**config) -> ChatRequest:
    """What our decoder makes of the SDK's own body."""
    with client_of(whole(GEMINI.encode_response(ANSWER, asked())[0])) as (client, server):
        client.models.generate_content(
            model="models/m",
            contents=["look", types.Part.from_bytes(data=b"\xfb\xff", mime_type="image/png")],
            config=types.GenerateContentConfig(**config),
        )
    assert server.requests[0].path == "/v1/models/m:generateContent"
    return GEMINI.decode_request(server.requests[0], BOX)


def test_what_the_sdk_writes_is_read():
    """It mixes both spellings in one body, and writes base64 url-safe."""

    def weather(city: str, days: int = 1) -> str:
        """How is the weather?"""
        return city * days

    request = asked_by_sdk(
        system_instruction="be brief",
        temperature=0.5,
        max_output_tokens=100,
        stop_sequences=["x"],
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="HIGH"),
        tools=[weather, types.Tool(google_search=types.GoogleSearch())],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(
                mode="ANY", allowed_function_names=["weather"]
            )
        ),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        response_mime_type="application/json",
        response_json_schema={"type": "object", "properties": {"snake_case": {"type": "string"}}},
        safety_settings=[types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")],
    )
    assert request.model == "m"
    assert request.system == (Text(text="be brief"),)
    assert request.turns[0].parts[1].source == Inline(mime="image/png", base64="+/8=")
    assert (request.sampling.temperature, request.sampling.max_tokens, request.sampling.stop) == (
        0.5,
        100,
        ("x",),
    )
    assert (request.reasoning.level, request.reasoning.show) == ("high", "summary")
    function, search = sorted(request.tools, key=lambda tool: tool.name != "weather")
    assert (function.name, function.description) == ("weather", "How is the weather?")
    assert function.schema["properties"]["city"]["type"] == "string"
    assert search.kind == "web_search"
    assert (request.tool_choice.mode, request.tool_choice.names) == ("tool", ("weather",))
    assert request.output.schema["properties"] == {"snake_case": {"type": "string"}}
    assert len(request.safety) == 1


@pytest.mark.parametrize(
    ("kind", "code", "status", "error"),
    [
        (ErrorKind.BAD_REQUEST, 400, "INVALID_ARGUMENT", errors.ClientError),
        (ErrorKind.AUTH, 401, "UNAUTHENTICATED", errors.ClientError),
        (ErrorKind.BILLING, 429, "RESOURCE_EXHAUSTED", errors.ClientError),
        (ErrorKind.NOT_FOUND, 404, "NOT_FOUND", errors.ClientError),
        (ErrorKind.OVERLOADED, 503, "UNAVAILABLE", errors.ServerError),
    ],
)
def test_an_error_is_raised_with_its_code_and_words(kind, code, status, error):
    reply = GEMINI.encode_error(Failure(kind=kind, message="why", param="contents"), "req-1")
    with client_of(reply) as (client, _), pytest.raises(error) as caught:
        client.models.generate_content(model="m", contents="hi")
    assert (caught.value.code, caught.value.status, caught.value.message) == (code, status, "why")


def test_an_error_in_a_stream_is_raised_after_what_came_before():
    failure = Failure(kind=ErrorKind.OVERLOADED, message="busy")
    before = [
        Start(id="x", model="y"),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="half"),
    ]
    translated = told([*before, Tick(), Failed(failure=failure)])
    passed = told(before) + GEMINI.encode_stream_error(failure, "req")
    for stream in (translated, passed):
        with client_of(streamed(stream)) as (client, _):
            chunks = client.models.generate_content_stream(model="m", contents="hi")
            assert next(chunks).text == "half"
            with pytest.raises(errors.ServerError) as caught:
                next(chunks)
        assert (caught.value.code, caught.value.status, caught.value.message) == (503, "UNAVAILABLE", "busy")


def test_a_client_without_the_sdk_reads_one_array():
    with serving(whole(told(unfold(ANSWER), changed(SHOWING, stream=True, extra=ARRAY.extra)))) as server:
        request = urllib.request.Request(
            server.url + "/v1beta/models/m:streamGenerateContent", b"{}", method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            chunks = [types.GenerateContentResponse.model_validate(chunk) for chunk in json.load(reply)]
    assert_is_the_answer([part for chunk in chunks for part in chunk.candidates[0].content.parts])


def test_v1beta_clients_are_found_too():
    with client_of(whole(GEMINI.encode_response(ANSWER, asked())[0]), api_version="v1beta") as (
        client,
        server,
    ):
        client.models.generate_content(model="a/b:c", contents="hi")
    assert GEMINI.read_head(server.requests[0]).model
