"""The proto parser: one spelling comes out, and the first name that does not exist refuses everything."""

from typing import Any

import pytest

from allgate.simulator.exchange import Rejected
from allgate.simulator.gemini.proto import parse

REQUEST = "GenerateContentRequest"


def test_both_spellings_mixed_in_one_body_come_out_as_one():
    given = {
        "system_instruction": {"parts": {"text": "x"}},
        "generationConfig": {
            "thinkingConfig": {"thinking_level": "low"},
            "response_json_schema": {"$ref": "#/x_y"},
        },
        "tools": {"function_declarations": [{"name": "f", "parameters_json_schema": {"a_b": 1}}]},
    }
    assert parse(REQUEST, given) == {
        "systemInstruction": {"parts": [{"text": "x"}]},
        "generationConfig": {
            "thinkingConfig": {"thinkingLevel": "LOW"},
            "responseJsonSchema": {"$ref": "#/x_y"},
        },
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"a_b": 1}}]}],
    }


def test_numbers_may_be_text_and_null_is_absent():
    given = {"generationConfig": {"maxOutputTokens": "5", "temperature": 1, "seed": None}}
    assert parse(REQUEST, given) == {"generationConfig": {"maxOutputTokens": 5, "temperature": 1.0}}


REFUSED: dict[str, tuple[Any, str]] = {
    "root": ({"messages": []}, 'Unknown name "messages": Cannot find field.'),
    "nested": ({"generationConfig": {"max_tokens": 5}}, "Unknown name \"max_tokens\" at 'generation_config': Cannot find field."),
    "in an array": ({"contents": [{"parts": [{"image_url": "x"}]}]}, "Unknown name \"image_url\" at 'contents[0].parts[0]'"),
    "in a schema": (
        {"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "string", "additionalProperties": False}}}}]}]},
        "at 'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find field.",
    ),
    "type": ({"generationConfig": {"temperature": "hot"}}, "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\""),
    "half": ({"generationConfig": {"candidateCount": 1.5}}, "'generation_config.candidate_count' (TYPE_INT32), 1.5"),
    "truth": ({"generationConfig": {"thinkingConfig": {"includeThoughts": "yes"}}}, "(TYPE_BOOL), \"yes\""),
    "enum": ({"toolConfig": {"functionCallingConfig": {"mode": "REQUIRED"}}}, "v1beta.Mode), \"REQUIRED\""),
    "message": ({"systemInstruction": "be brief"}, "v1beta.Content), \"be brief\""),
    "bytes": ({"contents": [{"parts": [{"text": "x", "thoughtSignature": "not base64!"}]}]}, "'contents[0].parts[0].thought_signature' (TYPE_BYTES), Base64 decoding failed"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_google_refuses(name: str):
    body, words = REFUSED[name]
    with pytest.raises(Rejected) as caught:
        parse(REQUEST, body)
    assert words in caught.value.message
    assert caught.value.details is not None
    assert caught.value.details[0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
