"""The legacy endpoint `POST /v1/completions` through the whole gateway, read by OpenAI's SDK, whatever the model speaks."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest

from stand import KEY, Vendor
from standing import CHAT, GENERATE, MESSAGES, RESPONSES, At, standing

MODELS = {
    "on-chat": At(CHAT, "gpt-4o"),
    "on-responses": At(RESPONSES, "gpt-4o"),
    "on-messages": At(MESSAGES, "claude-sonnet-4-6"),
    "on-gemini": At(GENERATE, "gemini-3-pro-preview"),
}
every_model = pytest.mark.parametrize("model", MODELS)
ASK = {"prompt": "Say this is a test", "max_tokens": 70, "temperature": 0}
ANSWER = "You said: Say this is a test"


@pytest.fixture(scope="module")
def client() -> Generator[openai.OpenAI]:
    with (
        standing(MODELS) as house,
        openai.OpenAI(base_url=f"{house.url}/v1", api_key=KEY, max_retries=0) as client,
    ):
        yield client


@every_model
def test_a_text_is_completed_by_every_kind_of_model(client: openai.OpenAI, model: str) -> None:
    answer = client.completions.create(model=model, **ASK)
    assert (answer.object, answer.model) == ("text_completion", model)
    assert [(one.text, one.finish_reason) for one in answer.choices] == [(ANSWER, "stop")]
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


@every_model
def test_it_streams_with_the_prompt_in_front_where_that_is_wanted(client: openai.OpenAI, model: str) -> None:
    wanted = {"stream": True, "echo": True, "stream_options": {"include_usage": True}}
    chunks = list(client.completions.create(model=model, **ASK, **wanted))
    told = [choice for chunk in chunks for choice in chunk.choices]
    assert {chunk.object for chunk in chunks} == {"text_completion"}
    assert "".join(one.text for one in told) == ASK["prompt"] + ANSWER
    assert [one.finish_reason for one in told if one.finish_reason] == ["stop"]
    assert chunks[-1].usage.total_tokens > 0


@pytest.mark.parametrize("model", ["on-chat", "on-gemini"])
def test_several_answers_come_where_the_model_gives_them(client: openai.OpenAI, model: str) -> None:
    answer = client.completions.create(model=model, **ASK, n=2)
    assert [one.index for one in answer.choices] == [0, 1]


def test_log_probabilities_come_in_their_four_lists(client: openai.OpenAI) -> None:
    (choice,) = client.completions.create(model="on-chat", **ASK, logprobs=1).choices
    assert "".join(choice.logprobs.tokens) == ANSWER
    assert choice.logprobs.text_offset[:2] == [0, len(choice.logprobs.tokens[0])]
    assert all(len(top) <= 2 for top in choice.logprobs.top_logprobs)


@every_model
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", [[1, 2]]),
        ("prompt", [1, 2]),
        ("prompt", ["one", "two"]),
        ("prompt", None),
        ("suffix", "the end"),
    ],
)
def test_what_a_chat_model_cannot_do_is_refused_by_name(
    client: openai.OpenAI, model: str, field: str, value: object
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model=model, **ASK | {field: value})
    assert refused.value.param == field


@every_model
def test_a_stream_that_breaks_raises(client: openai.OpenAI, model: str) -> None:
    broken = ASK | {"prompt": "!scene cut=6\none two three four five six"}
    with pytest.raises(openai.APIError):
        list(client.completions.create(model=model, **broken, stream=True))


def test_errors_have_the_words_of_the_vendor(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="'nobody' does not exist"):
        client.completions.create(model="nobody", **ASK)
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-nobody").completions.create(model="on-chat", **ASK)


class _Engine(BaseHTTPRequestHandler):
    """An engine that completes texts itself: it answers as vLLM does, and keeps what it was asked."""

    asked: list[tuple[str, dict]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, body))
        frame = {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 7,
            "model": "base",
            "choices": [{"index": 0, "text": " a test.", "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6},
        }
        data = json.dumps(frame).encode()
        reply = b"data: " + data + b"\n\ndata: [DONE]\n\n" if body.get("stream") else data
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if body.get("stream") else "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def engine() -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Engine) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_engine_for_texts_is_asked_what_the_client_wrote() -> None:
    """Token ids and suffixes are its own business; a chat client reaches it too, with one text."""
    _Engine.asked.clear()
    with (
        engine() as origin,
        standing(
            {"base": At(Vendor("vllm", ["openai_completions"], "/v1"), "org/base", origin=origin)}
        ) as house,
        openai.OpenAI(base_url=f"{house.url}/v1", api_key=KEY, max_retries=0) as client,
    ):
        whole = client.completions.create(model="base", prompt=[1, 2, 3], suffix=" The end.", best_of=2)
        chunks = list(client.completions.create(model="base", prompt=["a", "b"], stream=True))
        chat = client.chat.completions.create(model="base", messages=[{"role": "user", "content": "This is"}])
    assert whole.choices[0].text == chunks[0].choices[0].text == chat.choices[0].message.content == " a test."
    paths, bodies = zip(*_Engine.asked, strict=True)
    assert set(paths) == {"/v1/completions"}
    assert bodies[0] == {"model": "org/base", "prompt": [1, 2, 3], "suffix": " The end.", "best_of": 2}
    assert bodies[1]["prompt"] == ["a", "b"]
    assert bodies[2]["prompt"] == "This is"
