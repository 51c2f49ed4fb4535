"""Whatever comes in, only a WireError comes out."""

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.fold import fold
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import BOX, CAPS, STREAM, asked, events_of, posted, sent, told

WORDS = st.sampled_from(
    ["text", "thought", "thoughtSignature", "thought_signature", "inlineData", "fileData", "functionCall", "functionResponse",
     "executableCode", "codeExecutionResult", "toolCall", "toolResponse", "toolType", "name", "id", "args", "response", "parts",
     "mimeType", "data", "fileUri", "role", "content", "candidates", "contents", "finishReason", "index", "usageMetadata",
     "promptTokenCount", "totalTokenCount", "groundingMetadata", "groundingChunks", "groundingSupports", "segment", "web", "uri",
     "partIndex", "groundingChunkIndices", "webSearchQueries", "tools", "functionDeclarations", "parameters",
     "parametersJsonSchema", "toolConfig", "functionCallingConfig", "mode", "allowedFunctionNames", "generationConfig",
     "thinkingConfig", "thinkingLevel", "responseSchema", "responseModalities", "stopSequences", "speechConfig",
     "systemInstruction", "safetySettings", "promptFeedback", "blockReason", "error", "code", "message", "status", "details",
     "partialArgs", "jsonPath", "stringValue", "willContinue", "logprobsResult", "chosenCandidates", "videoMetadata",
     "mediaResolution", "createTime", "type", "properties", "anyOf", "$ref"]
)  # fmt: skip
LEAVES = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.5, 10**20, "", "x", "STOP", "model", "user", "ANY", "HIGH", "image/png", "iVBORw==", "http://[",
     "https://a/b.mp4", "$.a[0]", "OBJECT", "#", "2026-01-01T00:00:00Z", "\ud83d", "c2ln", "QUdTTDE6AAAA"]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)
BODIES = st.dictionaries(WORDS, VALUES, max_size=5)
PARTS = st.lists(st.dictionaries(WORDS, VALUES, max_size=2), max_size=3)


@settings(max_examples=300, deadline=None)
@given(BODIES, PARTS, st.sampled_from(["user", "model"]))
def test_any_request_is_read_or_refused(body, parts, role):
    full = {**body, "contents": body.get("contents", [{"role": role, "parts": parts}])}
    wire = posted(**full)
    with suppress(WireError):
        GEMINI.read_head(wire)
    try:
        request = GEMINI.decode_request(wire, BOX)
    except WireError:
        return
    with suppress(WireError):
        json.loads(GEMINI.encode_request(request, "up", CAPS).body)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(BODIES, PARTS, LEAVES, LEAVES), max_size=3), st.integers(1, 50))
def test_any_reply_is_read_or_refused_and_can_be_told(chunks, size):
    replies = [
        {**body, "candidates": [{"content": {"parts": parts}, "finishReason": reason, "index": index}]}
        for body, parts, reason, index in chunks
    ]
    stream = b"".join(b"data: " + json.dumps(reply).encode() + b"\n\n" for reply in replies)
    for reply in replies:
        with suppress(WireError):
            answer = GEMINI.decode_response(json.dumps(reply).encode(), sent())
            json.loads(GEMINI.encode_response(answer, asked())[0])
    with suppress(WireError):
        whole = events_of([stream])
        assert events_of([stream[place : place + size] for place in range(0, len(stream), size)]) == whole
        told(whole)
        fold(whole)
    for reply in replies:
        with suppress(WireError):
            GEMINI.read_facts(json.dumps(reply).encode())


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    wire = WireRequest(method="POST", path=STREAM, body=data)
    for read in (
        lambda: GEMINI.read_head(wire),
        lambda: GEMINI.decode_request(wire, BOX),
        lambda: GEMINI.decode_response(data, sent()),
        lambda: GEMINI.read_facts(data),
        lambda: events_of([data]),
        lambda: events_of([b"data: " + data + b"\n\n"]),
        lambda: GEMINI.decode_error(500, (), data),
    ):
        with suppress(WireError):
            read()
