"""What chat clients ask, in every spelling, as canonical values."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, WireError
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.parts import (
    CacheMark,
    FileRef,
    Inline,
    Media,
    Opaque,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
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
from allgate.operations.chat.tools import Function, ToolChoice
from allgate.wire.message import WireRequest
from dialects.openai_chat.exchange import BOX, decoded, posted

PNG = "data:image/png;base64,iVBORw=="


def refusal_of(**body) -> tuple[str | None, str]:
    """(path, message) of the error that this body is."""
    with pytest.raises(WireError) as caught:
        decoded(**body)
    assert caught.value.failure.kind is ErrorKind.BAD_REQUEST
    return caught.value.failure.param, caught.value.failure.message


def user_parts(content) -> tuple:
    return decoded(messages=[{"role": "user", "content": content}]).turns[0].parts


def test_every_parameter_of_the_vendor_finds_its_place():
    """Requirement B1."""
    request = decoded(
        temperature=0.5, top_p=0.9, top_k=40, max_tokens=7, max_completion_tokens=9, stop=["a", "b"], seed=3, n=2,
        frequency_penalty=-1, presence_penalty=1, logit_bias={"50256": -100}, logprobs=True, top_logprobs=2, user="u",
        safety_identifier="s", metadata={"k": "v"}, prompt_cache_key="c", prompt_cache_retention="24h",
        prompt_cache_options={"mode": "explicit"}, service_tier="flex", store=True, stream=True,
        stream_options={"include_usage": True}, modalities=["text", "audio"], audio={"voice": "alloy", "format": "mp3"},
        image_config={"aspect_ratio": "16:9", "image_size": "2K"}, verbosity="low", prediction={"type": "content"},
    )  # fmt: skip
    assert request.sampling == Sampling(
        temperature=0.5, top_p=0.9, top_k=40, frequency_penalty=-1, presence_penalty=1, logit_bias={"50256": -100},
        seed=3, max_tokens=9, stop=("a", "b"), n=2, logprobs=True, top_logprobs=2,
    )  # fmt: skip
    assert request.identity == Identity(user="u", safety_id="s", metadata={"k": "v"})
    assert request.cache == CacheHints(key="c", retention="24h", options={"mode": "explicit"})
    assert (request.service_tier, request.state) == ("flex", State(store=True))
    assert (request.stream, request.stream_usage) == (True, True)
    assert request.modalities == ("text", "audio")
    assert request.audio_out == AudioOut(voice="alloy", format="mp3")
    assert request.image_out == ImageOut(aspect_ratio="16:9", resolution="2K")
    assert request.output == OutputFormat(verbosity="low")
    assert request.extra == {"openai_chat": {"prediction": {"type": "content"}}}


@pytest.mark.parametrize("name", ["temperaure", "seen", "min_p", "repetition_penalty", "provider", "n_probs"])
def test_an_unknown_member_is_kept_and_never_fails_the_request(name):
    """Requirement B1: also the misspelt ones of the seed documents."""
    assert decoded(**{name: 1}).extra == {"openai_chat": {name: 1}}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"messages": "hi"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [7]}, "messages[0]"),
        ({"messages": [{}]}, "messages[0].role"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].image_url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": ""}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}]},
            "messages[0].tool_calls[0].function.name",
        ),
        ({"model": 7}, "model"),
        ({"model": ""}, "model"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stop": [7]}, "stop[0]"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
        ({"tools": [{}]}, "tools[0].type"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"thinking": {"type": "maybe"}}, "thinking.type"),
        ({"modalities": ["smell"]}, "modalities[0]"),
    ],
)
def test_a_wrong_type_names_its_path(body, path):
    assert refusal_of(**body)[0] == path


def test_a_body_that_is_no_object_is_refused():
    for body in (b"", b"[]", b"{", b"\xff"):
        with pytest.raises(WireError):
            OPENAI_CHAT.decode_request(WireRequest(method="POST", path="/", body=body), BOX)


def test_leading_system_and_developer_messages_are_the_system():
    request = decoded(
        messages=[
            {"role": "system", "content": "a"},
            {"role": "developer", "content": [{"type": "text", "text": "b"}]},
            {"role": "user", "content": "hi"},
            {"role": "system", "content": "late"},
        ]
    )
    assert [text.text for text in request.system] == ["a", "b"]
    assert [turn.role for turn in request.turns] == ["user", "system"]


def test_pictures_films_sound_and_files():
    """Requirements B5 to B7; regression 79: a PDF in `image_url` is a document."""
    parts = user_parts(
        [
            {"type": "image_url", "image_url": {"url": PNG, "detail": "high"}},
            {"type": "image_url", "image_url": "https://e.x/a.png"},
            {"type": "image_url", "image_url": {"url": "https://e.x/film.mp4?sig=1"}},
            {"type": "image_url", "image_url": {"url": "https://www.youtube.com/watch?v=x"}},
            {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBERg=="}},
            {"type": "image_url", "image_url": {"url": "data:video/mp4;base64,AAAA"}},
            {"type": "video_url", "video_url": {"url": "https://e.x/v"}},
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "data:audio/mpeg;base64,SUQz"}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
            },
            {"type": "file", "file": {"filename": "a.mp3", "file_data": "SUQz"}},
        ]
    )
    pdf = Inline(mime="application/pdf", base64="JVBERg==")
    assert parts == (
        Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="), detail="high"),
        Media(kind="image", source=Url(url="https://e.x/a.png")),
        Media(kind="video", source=Url(url="https://e.x/film.mp4?sig=1")),
        Media(kind="video", source=Url(url="https://www.youtube.com/watch?v=x")),
        Media(kind="document", source=pdf),
        Media(kind="video", source=Inline(mime="video/mp4", base64="AAAA")),
        Media(kind="video", source=Url(url="https://e.x/v")),
        Media(kind="audio", source=Inline(mime="audio/wav", base64="UklGRg==")),
        Media(kind="audio", source=Inline(mime="audio/mpeg", base64="SUQz")),
        Media(kind="document", source=FileRef(origin="openai", ref="file-1")),
        Media(kind="document", source=pdf, title="a.pdf"),
        Media(kind="audio", source=Inline(mime="audio/mpeg", base64="SUQz"), title="a.mp3"),
    )


def test_cache_marks_on_parts_messages_and_tools_are_kept():
    """Regression 80: on a file too."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    request = decoded(
        messages=[
            {"role": "system", "content": "s", **mark},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
                    {"type": "file", "file": {"file_id": "f"}, **mark},
                ],
            },
        ],
        tools=[{"type": "function", "function": {"name": "f"}, **mark}],
    )
    hour = CacheMark(ttl="1h")
    assert request.system[0].cache == request.tools[0].cache == hour
    assert [part.cache for part in request.turns[0].parts] == [CacheMark(), hour]


def test_what_is_unknown_among_parts_is_kept_whole():
    odd = {"type": "hologram", "data": 1}
    assert user_parts([odd, {"type": "text", "text": "a", "weight": 2}]) == (
        Opaque(dialect="openai_chat", raw=odd),
        Text(text="a", extra={"openai_chat": {"weight": 2}}),
    )


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":9007199254740993}'}}


def test_a_tool_conversation():
    """Requirement B4; regression 32: an empty content beside calls is no part."""
    request = decoded(
        messages=[
            {"role": "user", "content": "hi", "name": "Ann"},
            {"role": "assistant", "content": "", "tool_calls": [CALL, {**CALL, "id": "c2"}]},
            {"role": "tool", "tool_call_id": "c2", "content": "two"},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "one"}]},
        ]
    )
    call = ToolCall(call_id="c1", name="f", input='{"a":9007199254740993}')
    assert request.turns == (
        Turn(role="user", parts=(Text(text="hi"),), name="Ann"),
        Turn(role="assistant", parts=(call, ToolCall(call_id="c2", name="f", input=call.input))),
        Turn(
            role="tool",
            parts=(
                ToolResult(call_id="c1", name="f", parts=(Text(text="one"),)),
                ToolResult(call_id="c2", name="f", parts=(Text(text="two"),)),
            ),
        ),
    )


def test_a_tool_result_may_hold_pictures():
    """Regressions 77 and 78."""
    content = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": PNG}}]
    request = decoded(
        messages=[
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": content},
        ]
    )
    (result,) = request.turns[1].parts
    assert result.parts == (
        Text(text="see"),
        Media(kind="image", source=Inline(mime="image/png", base64="iVBORw==")),
    )


def test_the_legacy_function_conversation():
    """Requirement B2: the role `function`."""
    request = decoded(
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "42"},
        ],
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    )
    call, result = request.turns[1].parts[0], request.turns[2].parts[0]
    assert call.call_id.startswith("call_")
    assert (result.call_id, result.parts) == (call.call_id, (Text(text="42"),))
    assert request.tools == (Function(name="f", schema={"type": "object"}),)
    assert request.tool_choice == ToolChoice(mode="tool", names=("f",))


def test_a_custom_call_and_arguments_as_an_object():
    request = decoded(
        messages=[
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a", "type": "custom", "custom": {"name": "patch", "input": "***"}},
                    {"id": "b", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}},
                ],
            },
        ]
    )
    assert request.turns[0].parts == (
        ToolCall(call_id="a", name="patch", input="***", input_kind="text"),
        ToolCall(call_id="b", name="f", input='{"x":1}'),
    )


def assistant_parts(**message) -> tuple:
    return (
        decoded(messages=[{"role": "user", "content": "hi"}, {"role": "assistant", **message}]).turns[1].parts
    )


@pytest.mark.parametrize("member", ["reasoning_content", "reasoning", "thinking"])
def test_thinking_of_the_history_stands_before_the_text(member):
    assert assistant_parts(content="Yes", **{member: "hm"}) == (Thinking(text="hm"), Text(text="Yes"))


def test_native_signatures_of_the_history_keep_their_origin():
    """Regression 39: one without a signature is read all the same."""
    signed = {"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic-claude-v1"}
    block = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    seal = Seal(origin="anthropic", scope="client-declared", form="signature", value="sig")
    expected = Thinking(text="hm", seals=(seal,))
    assert assistant_parts(content="Yes", thinking_blocks=[block])[0] == expected
    assert assistant_parts(content="Yes", reasoning="hm", reasoning_details=[signed])[0] == expected
    assert assistant_parts(content="Yes", thinking_blocks=[{**block, "signature": None}])[0] == Thinking(
        text="hm"
    )
    google = {"google": {"thought_signature": "c2ln"}}
    (call,) = assistant_parts(tool_calls=[{**CALL, "extra_content": google}])
    assert call.seals == (Seal(origin="gemini", scope="client-declared", form="thought", value="c2ln"),)


def test_a_forged_envelope_is_no_seal():
    forged = {"type": "reasoning.encrypted", "data": "QUdTTDE6AAAA"}
    assert assistant_parts(content="Yes", reasoning_details=[forged]) == (Text(text="Yes"),)


def test_refusals_pictures_and_sound_of_the_history():
    image = {"type": "image_url", "image_url": {"url": PNG}}
    assert assistant_parts(content=None, refusal="no", images=[image], audio={"id": "au"}) == (
        Refusal(text="no"),
        Media(kind="image", source=Inline(mime="image/png", base64="iVBORw==")),
        Media(kind="audio", source=FileRef(origin="openai", ref="au")),
    )


THINKING_CONFIG = {"thinking_level": "HIGH", "include_thoughts": True}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"reasoning_effort": "high"}, Reasoning(effort="high")),
        ({"reasoning_effort": "none"}, Reasoning(effort="none")),
        ({"reasoning_effort": "ultra"}, Reasoning(effort="max")),
        ({"reasoning_effort": "auto"}, None),
        (
            {"reasoning_effort": {"effort": "low", "summary": "auto"}},
            Reasoning(effort="low", show="summary", summary_style="auto"),
        ),
        ({"reasoning": {"effort": "low", "exclude": True}}, Reasoning(effort="low", show="none")),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(budget_tokens=2000)),
        ({"reasoning": {"enabled": True}}, Reasoning(mode="on")),
        ({"include_reasoning": False}, Reasoning(show="none")),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, Reasoning(mode="on", budget_tokens=1024)),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning(mode="adaptive", show="none")),
        ({"thinking": {"type": "auto"}}, Reasoning(mode="adaptive")),  # regression 40
        ({"thinking": False}, Reasoning(mode="off")),
        ({"enable_thinking": True, "thinking_budget": 500}, Reasoning(mode="on", budget_tokens=500)),
        (
            {"extra_body": {"google": {"thinking_config": THINKING_CONFIG}}},
            Reasoning(level="high", show="full"),
        ),
        ({"google": {"thinking_config": {"thinking_budget": 0}}}, Reasoning(budget_tokens=0)),
        (
            {"google": {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": False}}},
            Reasoning(level="low", show="none"),
        ),
        ({"extra_body": {"enable_thinking": False}}, Reasoning(mode="off")),
        ({}, None),
    ],
)
def test_thinking_in_every_spelling(body, expected):
    """Requirement B10."""
    assert decoded(**body).reasoning == expected


def test_a_level_and_a_budget_together_are_refused():
    """Requirement B11."""
    both = {"thinking_level": "HIGH", "thinking_budget": 1024}
    path, message = refusal_of(extra_body={"google": {"thinking_config": both}})
    assert path == "extra_body.google.thinking_config"
    assert "thinking_level" in message


def test_gemini_s_thinking_is_said_once_and_its_other_settings_are_kept():
    """What is read as thinking is not noted as lost by the other dialects."""
    google = {"thinking_config": THINKING_CONFIG}
    assert decoded(extra_body={"google": google}).extra == {}
    request = decoded(google={**google, "cached_content": "c"})
    assert request.extra == {"openai_chat": {"google": {"cached_content": "c"}}}


def test_chat_template_switches_are_read_and_kept():
    request = decoded(chat_template_kwargs={"enable_thinking": False, "x": 1})
    assert request.reasoning == Reasoning(mode="off")
    assert request.extra["openai_chat"]["chat_template_kwargs"] == {"enable_thinking": False, "x": 1}


SCHEMA = {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"type": "text"}, OutputFormat(kind="text")),
        ({"type": "json_object"}, OutputFormat(kind="json_object")),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
            OutputFormat(kind="json_schema", name="n", schema=SCHEMA, strict=True),
        ),
        ({"type": "json_schema", "schema": SCHEMA}, OutputFormat(kind="json_schema", schema=SCHEMA)),
        ({"type": "json_object", "schema": SCHEMA}, OutputFormat(kind="json_schema", schema=SCHEMA)),
    ],
)
def test_the_form_of_the_answer(wanted, expected):
    """Requirement B8."""
    assert decoded(response_format=wanted).output == expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KNOWN = st.sampled_from(
    [
        "model", "messages", "tools", "tool_choice", "functions", "function_call", "response_format", "reasoning",
        "reasoning_effort", "thinking", "google", "extra_body", "stop", "stream_options", "audio", "modalities",
        "web_search_options", "logit_bias", "image_config",
    ]
)  # fmt: skip
ODD_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "function"])},
    optional={
        "content": JSON
        | st.lists(
            st.fixed_dictionaries({"type": st.sampled_from(["text", "image_url", "input_audio", "file", "x"])}, optional={"text": JSON, "image_url": JSON, "input_audio": JSON, "file": JSON}),
            max_size=2,
        ),
        "tool_calls": JSON | st.lists(st.fixed_dictionaries({}, optional={"id": JSON, "function": JSON, "custom": JSON, "extra_content": JSON}), max_size=2),
        "tool_call_id": st.sampled_from(["a", ""]) | JSON,
        "reasoning_details": JSON,
        "annotations": JSON,
        "name": JSON,
    },
)  # fmt: skip


@given(st.dictionaries(KNOWN, JSON, max_size=4), st.lists(ODD_MESSAGE, max_size=4))
def test_no_body_makes_the_codec_raise_anything_but_a_wire_error(members, messages):
    wire = posted(**{"messages": messages, **members})
    for read in (OPENAI_CHAT.read_head, lambda request: OPENAI_CHAT.decode_request(request, BOX)):
        with suppress(WireError):
            read(wire)


@given(st.binary(max_size=60))
def test_no_bytes_make_the_codec_raise_anything_but_a_wire_error(body):
    wire = WireRequest(method="POST", path="/v1/chat/completions", body=body)
    for read in (OPENAI_CHAT.read_head, lambda request: OPENAI_CHAT.decode_request(request, BOX)):
        with pytest.raises(WireError):
            read(wire)


def test_half_an_emoji_in_a_request_is_one_character():
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "a\ud83d"}]}).encode()
    wire = WireRequest(method="POST", path="/", body=body)
    assert OPENAI_CHAT.decode_request(wire, BOX).turns[0].parts == (Text(text="a\ufffd"),)
    assert OPENAI_CHAT.read_head(wire).model == "m"
