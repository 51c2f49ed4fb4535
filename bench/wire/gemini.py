"""generateContent as Google's clients and servers write it. The model and whether to stream are in the path."""

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


def request(model: str, prompt: str, streamed: bool) -> Request:
    method = "streamGenerateContent?alt=sse" if streamed else "generateContent"
    body: Fields = {
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "contents": [{"role": "user", "parts": [{"text": prompt}]}],
        "generationConfig": {"maxOutputTokens": OUTPUT_TOKENS_MAX},
    }
    return Request(f"/v1beta/models/{model}:{method}", json_bytes(body))


def piece(text: str, tokens: int, finish: str | None = None) -> Fields:
    candidate: Fields = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    usage = {"promptTokenCount": 200, "candidatesTokenCount": tokens, "totalTokenCount": 200 + tokens}
    return {
        "candidates": [candidate | ({"finishReason": finish} if finish else {})],
        "usageMetadata": usage,
        "modelVersion": "gemini-3-flash",
        "responseId": "Bench000000000000000",
    }


def stream() -> bytes:
    return data_events([*(piece(PIECE, count) for count in range(1, CHUNKS)), piece("", CHUNKS, "STOP")])


WIRE = Wire(request, json_bytes(piece(WORDS, CHUNKS, "STOP")), stream())
