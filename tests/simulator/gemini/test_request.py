"""What Google refuses on generateContent, refused in its words; and what real Gemini CLI sends, taken."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from allgate.simulator import signing, tokens
from allgate.simulator.exchange import Rejected, Request
from allgate.simulator.gemini.contents import CALL_KIND, DUMMY, TEXT_KIND, call_content
from allgate.simulator.gemini.request import path_of, read

SECRET = b"ours"
HI: dict[str, Any] = {"role": "user", "parts": [{"text": "Hi"}]}
HELLO: dict[str, Any] = {"contents": [HI]}
DECLARED = {"name": "f", "parametersJsonSchema": {"type": "object", "properties": {}}}
FUNCTIONS = {"tools": [{"functionDeclarations": [DECLARED]}]}
CALL = {"name": "f", "args": {"b": 1, "a": 2}}
SIGNED = {"functionCall": CALL, "thoughtSignature": signing.sign(SECRET, CALL_KIND, call_content(CALL))}
ANSWER = {"functionResponse": {"name": "f", "response": {"result": "42"}}}
PRO, FLASH, OLD = "gemini-3-pro-preview", "gemini-2.5-flash", "gemini-2.0-flash"


def request(model: str = PRO, verb: str = "generateContent", version: str = "v1beta") -> Request:
    path = f"/{version}/models/{model}:{verb}"
    return Request(serial=1, method="POST", path=path, query={}, headers=())


def talk(*contents: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "contents": [
            {"role": role, "parts": parts if isinstance(parts, list) else [parts]} for role, parts in contents
        ]
    } | fields


def config(**fields: Any) -> dict[str, Any]:
    return HELLO | {"generationConfig": fields}


def thinking(**fields: Any) -> dict[str, Any]:
    return config(thinkingConfig=fields)


def declared(**fields: Any) -> dict[str, Any]:
    return HELLO | {"tools": [{"functionDeclarations": [DECLARED | fields]}]}


def schema(**inner: Any) -> dict[str, Any]:
    found = {"type": "OBJECT", "properties": {"x": inner}}
    return config(responseMimeType="application/json", responseSchema=found)


def json_schema(**inner: Any) -> dict[str, Any]:
    found = {"type": "object", "properties": {"x": inner}}
    return config(responseMimeType="application/json", responseJsonSchema=found)


def calling(**fields: Any) -> dict[str, Any]:
    return HELLO | FUNCTIONS | {"toolConfig": {"functionCallingConfig": fields}}


TEXT = {"text": "x"}
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    # name: model, body, words of the message
    "no contents": (PRO, {}, "contents is not specified"),
    "unknown field": (PRO, HELLO | {"max_tokens": 5}, 'Unknown name "max_tokens"'),
    "role": (PRO, talk(("assistant", TEXT)), "valid role: user, model"),
    "no parts": (PRO, talk(("user", [])), "contents.parts must not be empty"),
    "empty part": (PRO, talk(("user", {"thought": True})), "required oneof field 'data'"),
    "two parts in one": (PRO, talk(("user", {"text": "x", "functionCall": CALL})), "oneof field 'data' is already set"),
    "gif": (PRO, talk(("user", {"inlineData": {"mimeType": "image/gif", "data": "AAAA"}})), "Unsupported MIME type: image/gif"),
    "no mime": (PRO, talk(("user", {"inlineData": {"data": "AAAA"}})), "mime_type is not specified"),
    "no data": (PRO, talk(("user", {"inlineData": {"mimeType": "image/png"}})), "data is not specified"),
    "no uri": (PRO, talk(("user", {"fileData": {"mimeType": "image/png"}})), "file_uri is not specified"),
    "nameless call": (PRO, talk(("user", TEXT), ("model", {"functionCall": {"args": {}}}), ("user", ANSWER)), "name cannot be empty"),
    "arguments as text": (PRO, talk(("user", TEXT), ("model", {"functionCall": {"name": "f", "args": "{}"}}), ("user", ANSWER)), "google.protobuf.Struct"),
    "ids to an old model": (OLD, talk(("user", TEXT), ("model", {"functionCall": CALL | {"id": "1"}}), ("user", ANSWER)), 'Unknown name "id"'),
    "call of the user": (PRO, talk(("user", SIGNED)), "function call turn comes immediately after"),
    "call first": (FLASH, talk(("model", SIGNED), ("user", ANSWER)), "function call turn comes immediately after"),
    "response of nothing": (FLASH, talk(("user", TEXT), ("model", TEXT), ("user", ANSWER)), "function response turn comes immediately after"),
    "one response for two calls": (PRO, talk(("user", TEXT), ("model", [SIGNED, {"functionCall": CALL}]), ("user", ANSWER)), "number of function response parts is equal"),
    "no response": (PRO, talk(("user", TEXT), ("model", SIGNED), ("user", TEXT)), "number of function response parts is equal"),
    "response of another": (PRO, talk(("user", TEXT), ("model", SIGNED), ("user", {"functionResponse": {"name": "g", "response": {}}})), "name the functions"),
    "response id": (PRO, talk(("user", TEXT), ("model", SIGNED | {"functionCall": CALL | {"id": "1"}}), ("user", {"functionResponse": ANSWER["functionResponse"] | {"id": "2"}})), "does not match any function call"),
    "model last": (PRO, talk(("user", TEXT), ("model", TEXT)), "end with a user role"),
    "unsigned call": (PRO, talk(("user", TEXT), ("model", {"functionCall": CALL}), ("user", ANSWER)), "missing a thought_signature in functionCall parts"),
    "second step unsigned": (PRO, talk(("user", TEXT), ("model", SIGNED), ("user", ANSWER), ("model", {"functionCall": CALL}), ("user", ANSWER)), "position 4"),
    "altered call": (PRO, talk(("user", TEXT), ("model", SIGNED | {"functionCall": CALL | {"args": {"a": 3}}}), ("user", ANSWER)), "Corrupted thought signature."),
    "foreign signature": (FLASH, talk(("user", TEXT), ("model", {"text": "x", "thoughtSignature": "AAAA"}), ("user", TEXT)), "Corrupted thought signature."),
    "broken signature": (PRO, talk(("user", TEXT), ("model", {"text": "x", "thoughtSignature": "%"}), ("user", TEXT)), "Base64 decoding failed"),
    "hot": (PRO, config(temperature=3), "temperature must be in the range [0, 2]"),
    "top_p": (PRO, config(topP=1.5), "top_p must be in the range [0, 1]"),
    "no tokens": (PRO, config(maxOutputTokens=0), "must be positive"),
    "candidates": (PRO, config(candidateCount=9), "candidate_count must be in the range [1, 8]"),
    "stops": (PRO, config(stopSequences=list("abcdef")), "at most 5 stop sequences"),
    "penalty on 3": (PRO, config(presencePenalty=1), "Penalty is not enabled"),
    "mime": (PRO, config(responseMimeType="text/html"), "allowed mimetypes are"),
    "schema without mime": (PRO, config(responseSchema={"type": "STRING"}), "must be application/json"),
    "two schemas": (PRO, config(responseMimeType="application/json", responseSchema={"type": "STRING"}, responseJsonSchema={}), "only one of response_schema"),
    "level and budget": (PRO, thinking(thinkingLevel="LOW", thinkingBudget=128), "only set only one of thinking budget and thinking level"),
    "level on 2.5": (FLASH, thinking(thinkingLevel="LOW"), "Thinking level is not supported"),
    "level on 3 Pro": (PRO, thinking(thinkingLevel="MEDIUM"), "Thinking level MEDIUM is not supported"),
    "budget of Pro": ("gemini-2.5-pro", thinking(thinkingBudget=0), "The thinking budget 0 is invalid. Please choose a value between 128 and 32768."),
    "budget of Flash": (FLASH, thinking(thinkingBudget=30_000), "between 1 and 24576"),
    "thinking on 2.0": (OLD, thinking(includeThoughts=True), "Thinking is not supported"),
    "empty tool": (PRO, HELLO | {"tools": [{}]}, "one_of 'tool_type'"),
    "tool name": (PRO, declared(name="1f"), "Invalid function name. Must start with a letter or an underscore"),
    "same tool twice": (PRO, HELLO | {"tools": [{"functionDeclarations": [DECLARED, DECLARED]}]}, "Duplicate function declaration found: f"),
    "two kinds of parameters": (PRO, declared(parameters={"type": "OBJECT"}), "only one of parameters and parameters_json_schema"),
    "search and functions on 2.5": (FLASH, HELLO | {"tools": [*FUNCTIONS["tools"], {"googleSearch": {}}]}, "cannot be combined in the same request"),
    "search and functions on 3": (PRO, HELLO | {"tools": [*FUNCTIONS["tools"], {"googleSearch": {}}]}, "include_server_side_tool_invocations"),
    "JSON and functions on 2.5": (FLASH, config(responseMimeType="application/json") | FUNCTIONS, "response mime type: 'application/json' is unsupported"),
    "allowed names when auto": (PRO, calling(allowedFunctionNames=["f"]), "only when function calling mode is ANY"),
    "allowed stranger": (PRO, calling(mode="ANY", allowedFunctionNames=["g"]), "'g' in allowed_function_names is not declared"),
    "any of nothing": (PRO, HELLO | {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "without function_declarations"),
    "array without items": (PRO, schema(type="ARRAY"), "properties[x].items: missing field"),
    "object without properties": (PRO, schema(type="OBJECT", properties={}), "should be non-empty for OBJECT type"),
    "numbers in an enum": (PRO, schema(type="INTEGER", enum=["1"]), "only allowed for STRING type"),
    "empty word in an enum": (PRO, schema(type="STRING", enum=["a", ""]), "enum[1]: cannot be empty"),
    "format": (PRO, schema(type="STRING", format="uri"), "only 'enum' and 'date-time' are supported for STRING type"),
    "any_of with siblings": (PRO, schema(type="STRING", anyOf=[{"type": "STRING"}]), "it must be the only field set"),
    "reference in a schema": (PRO, schema(**{"$ref": "#"}), "Unknown name \"$ref\""),
    "const": (PRO, json_schema(const=1), "unsupported keyword 'const'"),
    "exclusive bounds inside": (PRO, json_schema(anyOf=[{"type": "integer", "exclusiveMinimum": 0}]), "unsupported keyword 'exclusiveMinimum'"),
    "sibling of a reference": (PRO, json_schema(**{"$ref": "#", "description": "x"}), "'description' is not allowed beside '$ref'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_google_refuses(name: str):
    model, body, words = REFUSED[name]
    with pytest.raises(Rejected) as caught:
        read(request(model), body, SECRET)
    assert words in caught.value.message
    assert caught.value.status == 400


def test_an_unknown_model_is_not_found_for_its_version_and_verb():
    with pytest.raises(Rejected, match="models/gemini-nonexistent is not found for API version v1, or is not supported for streamGenerateContent") as caught:  # fmt: skip
        read(request("gemini-nonexistent", "streamGenerateContent", "v1"), HELLO, SECRET)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (PRO, HELLO),
        (PRO, {"contents": [{"parts": [TEXT]}], "system_instruction": {"parts": {"text": ""}}}),
        (PRO, talk(("user", TEXT), ("user", TEXT))),
        (PRO, talk(("user", TEXT), ("model", SIGNED), ("user", ANSWER))),
        (PRO, talk(("user", TEXT), ("model", {**SIGNED, "functionCall": {"name": "f", "args": {"a": 2, "b": 1}}}), ("user", ANSWER))),
        (PRO, talk(("user", TEXT), ("model", [SIGNED, {"functionCall": CALL}]), ("user", [ANSWER, ANSWER]))),
        (PRO, talk(("user", TEXT), ("model", {"functionCall": CALL, "thoughtSignature": DUMMY.decode()}), ("user", ANSWER))),
        (PRO, talk(("user", TEXT), ("model", {"functionCall": CALL, "thoughtSignature": b64encode(DUMMY).decode()}), ("user", ANSWER))),
        (PRO, talk(("user", TEXT), ("model", {"functionCall": CALL}), ("user", ANSWER), ("model", TEXT), ("user", TEXT))),
        (PRO, talk(("user", TEXT), ("model", {"text": "x", "thoughtSignature": signing.seal(SECRET, TEXT_KIND, "y")}), ("user", TEXT))),
        (FLASH, talk(("user", TEXT), ("model", {"functionCall": CALL | {"id": "1"}}), ("user", ANSWER))),
        (PRO, talk(("user", TEXT), ("model", TEXT), ("model", SIGNED), ("model", {"functionCall": CALL}), ("user", [ANSWER, ANSWER]))),
        (FLASH, HELLO | {"tools": [{"codeExecution": {}, "functionDeclarations": [DECLARED]}]}),
        (FLASH, thinking(thinkingBudget=0)),
        (FLASH, thinking(thinkingBudget=-1, includeThoughts=True)),
        (PRO, thinking(thinkingLevel="high")),
        (PRO, HELLO | {"tools": [*FUNCTIONS["tools"], {"googleSearch": {}}], "toolConfig": {"includeServerSideToolInvocations": True}}),
        (PRO, calling(mode="ANY", allowedFunctionNames=["f"])),
        (PRO, json_schema(**{"$ref": "#", "$comment": "x"})),
        (PRO, schema(type="STRING", format="date-time", enum=["a"], nullable=True)),
    ],
)  # fmt: skip
def test_google_takes(model: str, body: dict[str, Any]):
    assert read(request(model), body, SECRET).model == model


def test_paths_of_every_version_and_platform():
    assert path_of("/v1beta/models/gemini-3-pro:streamGenerateContent") == (
        "gemini-3-pro",
        "streamGenerateContent",
    )
    assert path_of("/v1/models/sim-cut,cut=3:generateContent") == ("sim-cut,cut=3", "generateContent")
    assert path_of("/v1beta1/publishers/google/models/g:countTokens") == ("g", "countTokens")
    assert path_of("/v1beta/models/g") is None
    assert path_of("/v1/chat/completions") is None


def test_tokens_are_counted_of_contents_or_of_a_whole_request():
    told = tokens.count("Hi") + tokens.MESSAGE_TOKENS
    assert read(request(verb="countTokens"), HELLO, SECRET).input_tokens == told
    inner = HELLO | {"model": f"models/{PRO}", "systemInstruction": {"parts": [{"text": "Be brief."}]}}
    counted = read(request(verb="countTokens"), {"generateContentRequest": inner}, SECRET)
    assert counted.input_tokens == told + tokens.count("Be brief.")
    with pytest.raises(Rejected, match="tools"):
        read(request(verb="countTokens"), HELLO | FUNCTIONS, SECRET)


def test_what_gemini_cli_really_sends_is_taken(shared: Path):
    """But not the signatures in its history: the mock that it was recorded against made them up."""
    taken = 0
    for path in sorted((shared / "client_requests/gemini-cli").glob("*.json")):
        recorded = json.loads(path.read_text())
        verb = recorded["path"].partition("?")[0].rpartition(":")[2]
        if verb not in ("generateContent", "streamGenerateContent") or not isinstance(recorded["body"], dict):
            continue
        body = recorded["body"]
        for content in body["contents"]:
            for part in content["parts"]:
                if "thoughtSignature" in part:
                    part["thoughtSignature"] = DUMMY.decode()
        read(request("sim-echo", verb), body, SECRET)
        taken += 1
    assert taken >= 5
