"""Chat completions as OpenAI's clients and servers write them."""

from bench.wire.form import (
    CHUNKS,
    OUTPUT_TOKENS_MAX,
    PIECE,
    SYSTEM,
    WORDS,
    Fields,
    Request,
    Wire,
    data_events,
    json_bytes,
)

USAGE: Fields = {
    "prompt_tokens": 200,
    "completion_tokens": 100,
    "total_tokens": 300,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
NO_CHOICES: list[Fields] = []


def request(model: str, prompt: str, streamed: bool) -> Request:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]
    body: Fields = {"model": model, "messages": messages, "max_tokens": OUTPUT_TOKENS_MAX}
    if streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Request("/v1/chat/completions", json_bytes(body))


def envelope(kind: str) -> Fields:
    return {
        "id": "chatcmpl-Bench00000000000000000000000000",
        "object": kind,
        "created": 1760000000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_0000000000",
    }


def answer() -> Fields:
    message: Fields = {"role": "assistant", "content": WORDS, "refusal": None}
    choice: Fields = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return envelope("chat.completion") | {"choices": [choice], "usage": USAGE}


def chunk(delta: Fields, finish: str | None = None) -> Fields:
    choice: Fields = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return envelope("chat.completion.chunk") | {"choices": [choice], "usage": None}


def stream() -> bytes:
    begin = chunk({"role": "assistant", "content": "", "refusal": None})
    usage: Fields = envelope("chat.completion.chunk") | {"choices": NO_CHOICES, "usage": USAGE}
    pieces = [chunk({"content": PIECE})] * (CHUNKS - 4)
    return data_events([begin, *pieces, chunk({}, "stop"), usage]) + b"data: [DONE]\n\n"


WIRE = Wire(request, json_bytes(answer()), stream())
