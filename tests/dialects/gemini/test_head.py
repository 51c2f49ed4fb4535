import json

import pytest

from allgate.core.errors import WireError
from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.features import features_of
from allgate.operations.chat.parts import Seal
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import BOX, STREAM, posted

PNG = {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}


def head(path: str = STREAM, **body):
    return GEMINI.read_head(posted(path, **body))


def test_the_head_of_an_ordinary_request():
    found = head(generationConfig={"maxOutputTokens": 9, "candidateCount": 2}, tools=[])
    assert (found.model, found.stream, found.stream_usage, found.output_tokens_max, found.n) == (
        "m",
        True,
        True,
        9,
        2,
    )
    assert found.fields == {
        "contents",
        "generationConfig",
        "tools",
        "generationConfig.maxOutputTokens",
        "generationConfig.candidateCount",
    }
    assert found.features == frozenset()
    assert not found.sealed
    assert found.input_bytes > 30


def test_snake_case_is_read_and_named_in_camel_case():
    found = head(generation_config={"max_output_tokens": 9}, system_instruction={"parts": []})
    assert found.output_tokens_max == 9
    assert {"systemInstruction", "generationConfig.maxOutputTokens"} <= found.fields


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"functionDeclarations": [{"name": "f"}]}]},
        {"tools": [{"googleSearch": {}, "code_execution": {}}, {"urlContext": {}}, {"googleMaps": {}}, {"computerUse": {}}]},
        {"tools": {"fileSearch": {}}},
        {"contents": [{"parts": [PNG, {"file_data": {"file_uri": "https://youtu.be/x"}}]}]},
        {"contents": [{"parts": [{"inline_data": {"mime_type": "audio/wav", "data": ""}}]}, {"parts": [{"text": '"inlineData"'}]}]},
        {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}, "parts": [PNG]}}]}]},
        {"contents": {"parts": PNG}},
        {"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}},
    ],
)  # fmt: skip
def test_the_features_are_those_of_the_whole_request(body):
    wire = posted(**body)
    features = GEMINI.read_head(wire).features
    assert features == features_of(GEMINI.decode_request(wire, BOX))
    assert features


def test_a_tool_that_is_null_is_none():
    assert head(tools=[{"functionDeclarations": [{"name": "f"}], "codeExecution": None}]).features == {
        "tools"
    }


def test_an_envelope_of_ours_is_noticed():
    envelope = BOX.wrap(Seal(origin="anthropic", scope="s", form="signature", value="v"))
    assert head(contents=[{"role": "model", "parts": [{"text": "x", "thoughtSignature": envelope}]}]).sealed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"generationConfig": 3}',
        b'{"generationConfig": {"maxOutputTokens": "x"}}',
        b"\xff",
    ],
)
def test_what_cannot_be_read_is_an_error(body):
    with pytest.raises(WireError):
        GEMINI.read_head(WireRequest(method="POST", path=STREAM, body=body))


def test_half_an_emoji_is_read():
    body = json.dumps({"contents": [{"parts": [{"text": "\ud83d"}]}]}).encode()
    assert GEMINI.read_head(WireRequest(method="POST", path=STREAM, body=body)).model == "m"


def test_a_text_that_spells_an_envelope_or_a_picture_is_a_text():
    envelope = BOX.wrap(Seal(origin="anthropic", scope="s", form="signature", value="v"))
    spelt = f'"inlineData" {envelope}'
    found = head(contents=[{"role": "user", "parts": [{"text": spelt}]}])
    assert (found.sealed, found.features) == (False, frozenset())


def test_a_seal_is_seen_in_contents_that_no_type_fits():
    envelope = BOX.wrap(Seal(origin="anthropic", scope="s", form="signature", value="v"))
    assert head(contents={"role": "model", "parts": {"text": "x", "thoughtSignature": envelope}}).sealed
