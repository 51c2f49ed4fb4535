import pytest

from allgate.core.errors import ErrorKind, WireError
from allgate.core.value import changed
from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.parts import Text, ToolCall, ToolResult
from allgate.operations.chat.request import (
    AudioOut,
    CacheHints,
    Identity,
    ImageOut,
    OutputFormat,
    Reasoning,
    Sampling,
    State,
    Turn,
)
from allgate.operations.chat.tools import Builtin, Custom, Function, ToolChoice
from dialects.gemini.exchange import CAPS, REQUEST, USER, decoded, encoded, notes_of

FOREIGN = changed(REQUEST, dialect="openai_chat", extra={})
SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "minLength": 1}}}
TOOL = Function(name="f", description="d", schema=SCHEMA)
SEARCH = Builtin(kind="web_search", runs="server", config={"context_size": "low"})


def asking(**fields):
    return changed(FOREIGN, **fields)


def config(caps_narrowed=None, **fields) -> dict:
    return encoded(asking(**fields), **(caps_narrowed or {})).get("generationConfig", {})


def test_the_model_and_the_framing_stand_in_the_path():
    assert GEMINI.encode_request(REQUEST, "up", CAPS).path == "/v1beta/models/up:generateContent"
    streaming = changed(REQUEST, stream=True)
    assert (
        GEMINI.encode_request(streaming, "a/b", CAPS).path
        == "/v1beta/models/a/b:streamGenerateContent?alt=sse"
    )
    assert (
        GEMINI.encode_request(REQUEST, "tunedModels/x y", CAPS).path
        == "/v1beta/tunedModels/x%20y:generateContent"
    )


def test_sampling_is_said_in_geminis_words():
    sampling = Sampling(
        temperature=0.5,
        top_p=0.9,
        top_k=3,
        max_tokens=50,
        stop=("a", "b"),
        seed=1,
        n=2,
        logprobs=True,
        top_logprobs=4,
    )
    assert config(sampling=sampling) == {
        "temperature": 0.5, "topP": 0.9, "topK": 3, "maxOutputTokens": 50, "stopSequences": ["a", "b"], "seed": 1,
        "candidateCount": 2, "responseLogprobs": True, "logprobs": 4,
    }  # fmt: skip


def test_what_the_model_does_not_take_is_left_out_with_a_note():
    request = asking(
        sampling=Sampling(
            presence_penalty=1, logit_bias={"1": 1}, stop=tuple("abcdef"), temperature=3, seed=1
        )
    )
    assert encoded(request, seed=False)["generationConfig"] == {
        "stopSequences": list("abcde"),
        "temperature": 2.0,
    }
    assert notes_of(request, seed=False) == {"presence_penalty", "logit_bias", "stop", "temperature", "seed"}


def test_more_candidates_than_the_model_gives_are_refused():
    with pytest.raises(WireError, match="at most 8"):
        encoded(asking(sampling=Sampling(n=9)))


def test_the_output_bound_is_clamped_or_set_with_a_note():
    assert config({"output_max": 10}, sampling=Sampling(max_tokens=50)) == {"maxOutputTokens": 10}
    assert config({"output_default": 7}) == {"maxOutputTokens": 7}
    assert notes_of(asking(), output_default=7) == {"max_tokens"}


@pytest.mark.parametrize(
    ("reasoning", "narrowed", "thinking"),
    [
        (Reasoning(effort="high"), {}, {"thinkingLevel": "HIGH", "includeThoughts": True}),
        (Reasoning(effort="none"), {}, {"thinkingLevel": "MINIMAL", "includeThoughts": False}),
        (Reasoning(level="medium", show="none"), {}, {"thinkingLevel": "MEDIUM", "includeThoughts": False}),
        (
            Reasoning(budget_tokens=8192, show="summary"),
            {},
            {"thinkingLevel": "HIGH", "includeThoughts": True},
        ),
        (Reasoning(budget_tokens=-1), {}, {"includeThoughts": True}),
        (Reasoning(effort="low"), {"thinking": "budget"}, {"thinkingBudget": 1280, "includeThoughts": True}),
        (
            Reasoning(budget_tokens=-1),
            {"thinking": "budget"},
            {"thinkingBudget": -1, "includeThoughts": True},
        ),
        (Reasoning(mode="off"), {"thinking": "budget"}, {"thinkingBudget": 0, "includeThoughts": False}),
        (Reasoning(level="high"), {"thinking": "budget"}, {"thinkingBudget": 4096, "includeThoughts": True}),
    ],
)
def test_exactly_one_of_level_and_budget_is_sent(reasoning, narrowed, thinking):
    assert config(narrowed, reasoning=reasoning) == {"thinkingConfig": thinking}


def test_a_model_that_does_not_think_is_not_asked_to():
    assert config({"thinking": "none"}, reasoning=Reasoning(effort="high")) == {}


def test_structured_output_by_what_the_model_can_be_held_to():
    output = OutputFormat(kind="json_schema", schema=SCHEMA)
    native = config(output=output)
    assert native["responseMimeType"] == "application/json"
    assert native["responseJsonSchema"] == {"type": "object", "properties": {"a": {"type": "string"}}}
    proto = config({"json_schema": "subset"}, output=output)
    assert proto["responseSchema"]["propertyOrdering"] == ["a"]
    told = encoded(asking(output=output, system=(Text(text="s"),)), json_schema="none")
    assert "generationConfig" not in told
    assert [part["text"][:10] for part in told["systemInstruction"]["parts"]] == ["s", "Reply with"]
    assert config(output=OutputFormat(kind="json_object")) == {"responseMimeType": "application/json"}


def test_structured_output_beside_functions_is_told_where_it_cannot_be_enforced():
    body = encoded(asking(output=OutputFormat(kind="json_object"), tools=(TOOL,)), schema_with_tools=False)
    assert "generationConfig" not in body
    assert "JSON object" in body["systemInstruction"]["parts"][0]["text"]


def test_a_grammar_is_refused():
    with pytest.raises(WireError, match="grammar"):
        encoded(asking(output=OutputFormat(kind="grammar")))


def test_functions_are_declared_in_the_grammar_of_the_model():
    body = encoded(asking(tools=(TOOL, Function(name="g"))))
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "description": "d",
                    "parametersJsonSchema": {"type": "object", "properties": {"a": {"type": "string"}}},
                },
                {"name": "g"},
            ]
        }
    ]
    proto = encoded(asking(tools=(TOOL,)), json_schema="subset")["tools"][0]["functionDeclarations"][0]
    assert proto["parameters"]["properties"]["a"] == {"type": "string", "minLength": 1}


def test_a_gemini_clients_own_declarations_go_back_as_they_were():
    declaration = {
        "name": "f",
        "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}},
        "behavior": "BLOCKING",
    }
    body = encoded(decoded(tools=[{"functionDeclarations": [declaration]}]))
    assert body["tools"][0]["functionDeclarations"] == [declaration]


def test_a_json_schema_declaration_is_adapted_for_a_model_without_it():
    declaration = {
        "name": "f",
        "parametersJsonSchema": {"type": "object", "properties": {"a": {"const": "x"}}},
    }
    body = encoded(decoded(tools=[{"functionDeclarations": [declaration]}]), json_schema="subset")
    assert body["tools"][0]["functionDeclarations"][0]["parameters"]["properties"]["a"] == {
        "type": "string",
        "enum": ["x"],
    }


def test_custom_tools_and_client_run_builtins_are_offered_as_functions():
    body = encoded(
        asking(tools=(Custom(name="apply_patch"), Builtin(kind="bash", runs="client", name="bash")))
    )
    declared = body["tools"][0]["functionDeclarations"]
    assert [one["name"] for one in declared] == ["apply_patch", "bash"]
    assert list(declared[0]["parametersJsonSchema"]["properties"]) == ["input"]


def test_regression_82_names_that_gemini_does_not_take_are_changed_and_stay_apart():
    declared = encoded(
        asking(tools=(Function(name="a b"), Function(name="a/b"), Function(name="f", namespace="ns")))
    )["tools"]
    names = [one["name"] for one in declared[0]["functionDeclarations"]]
    assert names[0] == "a_b"
    assert names[1].startswith("a_b_")
    assert names[2] == "ns__f"


def test_hosted_tools_are_their_own_objects():
    body = encoded(asking(tools=(TOOL, SEARCH, Builtin(kind="code_execution", runs="server"))))
    assert body["tools"][1:] == [{"googleSearch": {}}, {"codeExecution": {}}]
    assert body["toolConfig"] == {"includeServerSideToolInvocations": True}
    assert "tools[].web_search" in notes_of(asking(tools=(SEARCH,)))


def test_functions_win_where_hosted_tools_cannot_stand_beside_them():
    request = asking(tools=(TOOL, SEARCH))
    body = encoded(request, tool_combo=False)
    assert len(body["tools"]) == 1
    assert "toolConfig" not in body
    assert "tools.googleSearch" in notes_of(request, tool_combo=False)


@pytest.mark.parametrize(
    "tool", [Builtin(kind="mcp", runs="server"), Builtin(kind="computer", runs="client")]
)
def test_a_tool_whose_loss_would_change_the_answer_is_refused(tool):
    with pytest.raises(WireError) as caught:
        encoded(asking(tools=(tool,)))
    assert caught.value.failure.kind is ErrorKind.UNSUPPORTED


def test_a_search_that_the_client_works_without_is_left_out_with_a_note():
    request = asking(tools=(TOOL, changed(SEARCH, optional=True)))
    assert [list(one) for one in encoded(request, hosted=())["tools"]] == [["functionDeclarations"]]
    assert "tools[].web_search" in notes_of(request, hosted=())


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        (ToolChoice(mode="auto"), {"mode": "AUTO"}),
        (ToolChoice(mode="any"), {"mode": "ANY"}),
        (ToolChoice(mode="none"), {"mode": "NONE"}),
        (ToolChoice(mode="tool", names=("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (
            ToolChoice(mode="allowed", names=("f",), allowed_mode="any"),
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_the_choice_of_tools_is_said_in_geminis_words(choice, calling):
    body = encoded(asking(tools=(TOOL, Function(name="g")), tool_choice=choice))
    assert body["toolConfig"] == {"functionCallingConfig": calling}


def test_strict_functions_are_held_to_their_schemas():
    strict = changed(TOOL, strict=True)
    assert encoded(asking(tools=(strict,)))["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert "toolConfig" not in encoded(asking(tools=(strict, TOOL)))


def test_allowed_tools_that_need_not_be_called_are_the_only_ones_declared():
    choice = ToolChoice(mode="allowed", names=("g",), allowed_mode="auto")
    body = encoded(asking(tools=(TOOL, Function(name="g")), tool_choice=choice))
    assert [one["name"] for one in body["tools"][0]["functionDeclarations"]] == ["g"]


def test_a_choice_without_tools_is_not_sent():
    assert "toolConfig" not in encoded(asking(tool_choice=ToolChoice(mode="any")))


def test_one_call_at_a_time_cannot_be_asked_for():
    assert "parallel_tool_calls" in notes_of(
        asking(tools=(TOOL,), tool_choice=ToolChoice(mode="auto", parallel=False))
    )


def test_a_deferred_tool_is_declared_once_it_was_found():
    deferred = changed(TOOL, deferred=True)
    assert "tools" not in encoded(asking(tools=(deferred,)))
    search = Turn(role="assistant", parts=(ToolCall(call_id="s", name="ToolSearch"),))
    found = Turn(role="tool", parts=(ToolResult(call_id="s", parts=(Text(text="f is available"),)),))
    assert len(encoded(asking(tools=(deferred,), turns=(USER, search, found)))["tools"]) == 1


def test_with_a_search_that_the_vendor_would_run_every_deferred_tool_is_declared():
    """Nothing here could find it."""
    search = Builtin(kind="tool_search", runs="server")
    request = asking(tools=(changed(TOOL, deferred=True), search))
    assert len(encoded(request)["tools"]) == 1
    assert notes_of(request) >= {"tools[].tool_search"}


def test_outputs_other_than_text():
    narrowed = {"modalities_out": ("text", "image", "audio")}
    request = {
        "modalities": ("text", "image"),
        "audio_out": AudioOut(voice="Kore", language="de-DE"),
        "image_out": ImageOut(aspect_ratio="16:9", resolution="2K"),
    }
    assert config(narrowed, **request) == {
        "responseModalities": ["TEXT", "IMAGE"],
        "speechConfig": {
            "languageCode": "de-DE",
            "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}},
        },
        "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
    }
    with pytest.raises(WireError, match="no image output"):
        encoded(asking(modalities=("image",)))


def test_what_gemini_has_no_word_for_is_noted():
    request = asking(
        identity=Identity(user="u", metadata={"a": "b"}), cache=CacheHints(key="k"), state=State(store=True), extra={"openai_chat": {"prediction": {}}}
    )  # fmt: skip
    assert notes_of(request) == {"user", "metadata", "prompt_cache_key", "store", "prediction"}


@pytest.mark.parametrize(
    "state",
    [
        State(background=True),
        State(previous_response_id="r"),
        State(conversation="c"),
        State(prompt={"id": "pmpt_1"}),
    ],
)
def test_state_that_nobody_keeps_is_refused(state):
    with pytest.raises(WireError):
        encoded(asking(state=state))


def test_safety_settings_are_the_operators_to_allow():
    request = decoded(safetySettings=[{"category": "X", "threshold": "Y"}])
    assert encoded(request)["safetySettings"] == [{"category": "X", "threshold": "Y"}]
    assert "safetySettings" not in encoded(request, safety_settings=False)


def test_what_a_gemini_client_said_comes_back_whole():
    body = {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "generationConfig": {
            "temperature": 1, "topP": 0.95, "topK": 64, "maxOutputTokens": 9, "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "HIGH"},
            "responseModalities": ["TEXT"], "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        },
        "tools": [{"googleSearch": {"timeRangeFilter": {}}}],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, "retrievalConfig": {}},
        "cachedContent": "cachedContents/1",
        "continuationToken": "t",
    }  # fmt: skip
    assert encoded(decoded(**body)) == body
