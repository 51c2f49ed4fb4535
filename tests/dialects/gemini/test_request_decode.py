import json

import pytest
from google.genai import types

from allgate.core.errors import ErrorKind, WireError
from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.tools import Builtin, Function
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import BOX, STREAM, decoded

SNAKE = {
    "system_instruction": {"parts": [{"text": "be brief"}]},
    "generation_config": {
        "max_output_tokens": 5,
        "stop_sequences": ["x"],
        "response_mime_type": "application/json",
        "response_json_schema": {"type": "object", "properties": {"snake_case": {"type": "string"}}},
        "thinking_config": {"include_thoughts": True, "thinking_level": "HIGH"},
    },
    "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
    "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
    "safety_settings": [],
    "cached_content": "cachedContents/1",
}


def camel(value, keep=False):
    """The same body in camelCase; names inside a schema's properties are the client's."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key if keep else _camel(key): camel(item, key == "properties") for key, item in value.items()}


def _camel(key):
    first, *rest = key.split("_")
    return first + "".join(word.title() for word in rest)


def test_both_spellings_are_one_request():
    request = decoded(**SNAKE)
    assert request == decoded(**camel(SNAKE))
    assert request.system[0].text == "be brief"
    assert (request.sampling.max_tokens, request.sampling.stop) == (5, ("x",))
    assert request.output is not None
    assert request.output.schema == SNAKE["generation_config"]["response_json_schema"]
    assert request.reasoning is not None
    assert (request.reasoning.level, request.reasoning.show) == ("high", "summary")
    assert request.tool_choice is not None
    assert (request.tool_choice.mode, request.tool_choice.names) == ("tool", ("f",))
    assert request.cache.handle == "cachedContents/1"


def test_unknown_members_are_kept_and_never_refused():
    request = decoded(
        modelArmorConfig={"promptTemplateName": "t"},
        generationConfig={"routingConfig": {}, "audioTimestamp": True},
    )
    own = request.extra["gemini"]
    assert own["modelArmorConfig"] == {"promptTemplateName": "t"}
    assert own["generationConfig"] == {"routingConfig": {}, "audioTimestamp": True}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"contents": "hi"}, "contents"),
        ({"contents": None}, "contents"),
        ({"contents": [{"role": "robot", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
        (
            {"contents": [{"parts": [{"inlineData": {"data": "x"}}]}]},
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (
            {"contents": [{"parts": [{"functionCall": {"args": {}}}]}]},
            "contents[0].parts[0].functionCall.name",
        ),
        ({"generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
        ({"generationConfig": {"maxOutputTokens": 1.5}}, "generationConfig.maxOutputTokens"),
        ({"generationConfig": {"responseModalities": ["SMELL"]}}, "generationConfig.responseModalities"),
        ({"tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
        ({"systemInstruction": 3}, "systemInstruction"),
    ],
)
def test_a_wrong_type_is_an_error_that_names_the_path(body, path):
    with pytest.raises(WireError) as caught:
        decoded(**body)
    assert caught.value.failure.kind is ErrorKind.BAD_REQUEST
    assert caught.value.failure.param == path


def test_a_level_together_with_a_budget_is_refused():
    with pytest.raises(WireError, match="thinking_budget"):
        decoded(generationConfig={"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 100}})


def test_thoughts_are_shown_only_to_who_asks():
    assert decoded().reasoning is None
    assert decoded(generationConfig={"thinkingConfig": {"thinkingBudget": 1}}).reasoning.show == "none"
    assert decoded(generationConfig={"thinkingConfig": {"includeThoughts": False}}).reasoning.show == "none"
    assert decoded(generationConfig={"thinkingConfig": {"includeThoughts": True}}).reasoning.show == "summary"


def test_a_router_schema_in_capitals_is_lower_case_inside_and_kept_as_it_was():
    """Gemini CLI's router writes "OBJECT" and "STRING", which OpenAI and Anthropic refuse."""
    schema = {"type": "OBJECT", "properties": {"TYPE": {"type": "STRING"}}, "required": ["TYPE"]}
    request = decoded(generationConfig={"responseMimeType": "application/json", "responseJsonSchema": schema})
    assert request.output.schema == {
        "type": "object",
        "properties": {"TYPE": {"type": "string"}},
        "required": ["TYPE"],
    }
    assert request.extra["gemini"]["generationConfig"]["responseJsonSchema"] == schema


def test_a_proto_schema_becomes_json_schema():
    parameters = {
        "type": "OBJECT",
        "properties": {
            "n": {"type": "INTEGER", "nullable": True, "format": "int32"},
            "e": {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True},
            "l": {
                "type": "ARRAY",
                "min_items": "1",
                "items": {"any_of": [{"type": "STRING"}, {"type": "NUMBER"}]},
            },
        },
        "property_ordering": ["n", "e", "l"],
    }
    (tool,) = decoded(tools=[{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]).tools
    assert isinstance(tool, Function)
    assert tool.schema == {
        "type": "object",
        "properties": {
            "n": {"type": ["integer", "null"], "format": "int32"},
            "e": {"type": ["string", "null"], "format": "enum", "enum": ["a", None]},
            "l": {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"type": "string"}, {"type": "number"}]},
            },
        },
    }


def test_every_member_of_a_tool_object_is_a_tool():
    tools = decoded(
        tools=[
            {"googleSearch": {"excludeDomains": ["x.org"]}, "codeExecution": {}},
            {"url_context": {}},
            {"brandNew": {}},
        ]
    ).tools
    assert [(tool.kind, tool.runs) for tool in tools if isinstance(tool, Builtin)] == [
        ("web_search", "server"), ("code_execution", "server"), ("web_fetch", "server"), ("other", "server"),
    ]  # fmt: skip
    assert tools[0].config == {"blocked_domains": ["x.org"]}


@pytest.mark.parametrize(
    ("config", "mode", "names", "allowed"),
    [
        ({"mode": "AUTO"}, "auto", (), None),
        ({"mode": "VALIDATED"}, "auto", (), None),
        ({"mode": "NONE"}, "none", (), None),
        ({"mode": "ANY"}, "any", (), None),
        ({"mode": "any", "allowedFunctionNames": ["f"]}, "tool", ("f",), None),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, "allowed", ("f", "g"), "any"),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, "allowed", ("f",), "auto"),
        ({"mode": "MODE_UNSPECIFIED"}, None, (), None),
    ],
)
def test_the_choice_of_tools(config, mode, names, allowed):
    choice = decoded(toolConfig={"functionCallingConfig": config}).tool_choice
    assert (choice.mode, choice.names, choice.allowed_mode) == (mode, names, allowed)


def test_a_system_instruction_of_any_role_and_shape_is_read():
    for given in (
        "x",
        {"parts": {"text": "x"}},
        {"role": "model", "parts": [{"text": "x", "thought": False}]},
    ):
        assert [text.text for text in decoded(systemInstruction=given).system] == ["x"]


def test_a_count_request_is_read_in_both_forms():
    inner = {
        "model": "models/m",
        "contents": [{"parts": [{"text": "count me"}]}],
        "systemInstruction": {"parts": [{"text": "s"}]},
    }
    for body in (inner, {"generateContentRequest": inner}):
        wire = WireRequest(method="POST", path="/v1beta/models/m:countTokens", body=json.dumps(body).encode())
        request = GEMINI.decode_request(wire, BOX)
        assert request.turns[0].parts[0].text == "count me"
        assert request.system[0].text == "s"


def test_streaming_stands_in_the_path():
    assert decoded(STREAM).stream
    assert not decoded().stream


def test_what_googles_sdk_writes_is_read():
    """The body of the SDK's own types, in its own spelling."""
    config = types.GenerateContentConfig(
        temperature=0.5, top_k=3, candidate_count=2, presence_penalty=0.1, seed=7
    )
    body = json.loads(
        types.GenerationConfig(**config.model_dump(exclude_none=True)).model_dump_json(
            by_alias=True, exclude_none=True
        )
    )
    sampling = decoded(generationConfig=body).sampling
    assert (sampling.temperature, sampling.top_k, sampling.n, sampling.presence_penalty, sampling.seed) == (
        0.5,
        3,
        2,
        0.1,
        7,
    )
