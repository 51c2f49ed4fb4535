"""What deployments are sent, as their Caps allow, and what is noted or refused instead."""

import json

import pytest

from allgate.core.value import changed
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.parts import (
    CacheMark,
    FileRef,
    Hosted,
    Inline,
    Media,
    Opaque,
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
    OutputFormat,
    Reasoning,
    Sampling,
    Turn,
)
from allgate.operations.chat.tools import Function
from dialects.openai_chat.exchange import (
    REQUEST,
    RESULT,
    SCHEMA,
    USER,
    asking,
    assistant,
    decoded,
    encoded,
    messages,
    note_paths,
    tool_turn,
    unsupported_param,
)

PNG = Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))
CALL = ToolCall(call_id="c1", name="f", input='{"a": 9007199254740993}')


def test_the_call_goes_where_the_vendor_s_sdk_sends_it():
    call = OPENAI_CHAT.encode_request(REQUEST, "up", CAPS_DEFAULT)
    assert call.path == "/chat/completions"
    assert call.headers == ((b"content-type", b"application/json"),)
    assert json.loads(call.body) == {"model": "up", "messages": [{"role": "user", "content": "hi"}]}


def test_the_same_request_gives_the_same_bytes():
    """And a turn more leaves the beginning of the messages as it was: prompt caches stay warm."""
    request = decoded(
        tools=[{"type": "function", "function": {"name": "f"}}], temperature=1, metadata={"b": "1", "a": "2"}
    )
    first = OPENAI_CHAT.encode_request(request, "up", CAPS_DEFAULT).body
    assert OPENAI_CHAT.encode_request(request, "up", CAPS_DEFAULT).body == first
    longer = changed(request, turns=(*request.turns, assistant(Text(text="a")), USER))
    shared = first[: first.index(b'}],"tools"')]
    assert OPENAI_CHAT.encode_request(longer, "up", CAPS_DEFAULT).body.startswith(shared)


def test_a_stream_asks_for_usage_where_the_switch_is_known():
    streaming = changed(REQUEST, stream=True)
    assert encoded(streaming)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in encoded(streaming, stream_usage_switch=False)


def test_the_system_is_one_message_in_the_deployment_s_role():
    request = asking(system=(Text(text="a"), Text(text="b")))
    assert encoded(request)["messages"][0] == {"role": "system", "content": "a\n\nb"}
    assert encoded(request, system_role="developer")["messages"][0]["role"] == "developer"


def test_a_later_instruction_stays_at_its_place():
    late = Turn(role="developer", parts=(Text(text="now"),))
    assert messages(USER, late, USER)[1] == {"role": "system", "content": "now"}
    wrapped = "<system-reminder>\nnow\n</system-reminder>"
    assert messages(USER, late, USER, mid_system=False)[1] == {"role": "user", "content": wrapped}


def test_a_tool_conversation_keeps_raw_arguments():
    assert messages(USER, assistant(Text(text="so"), CALL), tool_turn(RESULT)) == [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": "so",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": CALL.input}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
    ]


def test_a_turn_of_nothing_but_calls_has_null_content():
    """Regression 32."""
    found = messages(USER, assistant(changed(CALL, input="")), tool_turn(RESULT))[1]
    assert found["content"] is None
    assert found["tool_calls"][0]["function"]["arguments"] == "{}"


def test_each_result_is_a_message_and_their_pictures_follow_all_of_them():
    """Regression 78: pictures of tool results arrive as pictures."""
    two = ToolCall(call_id="c2", name="g", input="{}")
    seen = changed(RESULT, parts=(Text(text="see"), PNG))
    other = ToolResult(call_id="c2", parts=(), is_error=True)
    turns = (USER, assistant(CALL, two), tool_turn(seen, other), USER)
    found = messages(*turns)
    assert [message["role"] for message in found] == ["user", "assistant", "tool", "tool", "user", "user"]
    assert [found[2]["content"], found[3]["content"]] == ["see", "Error"]
    assert found[4]["content"][0]["text"] == "[media of tool result c1]"
    assert found[4]["content"][1]["type"] == "image_url"
    inside = messages(*turns, tool_images=True)
    assert [part["type"] for part in inside[2]["content"]] == ["text", "image_url"]


def test_a_structured_result_is_its_json():
    found = messages(USER, assistant(CALL), tool_turn(ToolResult(call_id="c1", structured={"a": [1]})))
    assert found[2]["content"] == '{"a":[1]}'


def test_an_id_that_is_too_long_is_replaced_in_call_and_result_alike():
    """Regression 87."""
    long_id = "call_" + "x" * 400
    found = messages(
        USER, assistant(changed(CALL, call_id=long_id)), tool_turn(changed(RESULT, call_id=long_id))
    )
    sent_id = found[1]["tool_calls"][0]["id"]
    assert len(sent_id) <= 40
    assert found[2]["tool_call_id"] == sent_id


def test_pictures_of_the_assistant_move_to_the_next_user_message():
    found = messages(USER, assistant(Text(text="here"), PNG), USER)
    assert found[1]["content"] == "here"
    assert [part["type"] for part in found[2]["content"]] == ["text", "image_url", "text"]
    assert found[2]["content"][0]["text"] == "[image produced by the assistant above]"


def test_sound_of_the_assistant_is_named_by_its_id():
    sound = Media(kind="audio", source=FileRef(origin="openai", ref="audio_1"))
    found = messages(USER, assistant(sound), USER, modalities_out=("text", "audio"))
    assert found[1]["audio"] == {"id": "audio_1"}
    request = asking(USER, assistant(sound, Text(text="a")), USER)
    assert "audio" not in encoded(request)["messages"][1]
    assert "messages[1].audio" in note_paths(request)


def test_a_trailing_assistant_turn_is_continued_in_words_or_as_prefill():
    assert messages(USER, assistant(Text(text="The")))[-1]["role"] == "user"
    assert messages(USER, assistant(Text(text="The")), prefill=True)[-1] == {
        "role": "assistant",
        "content": "The",
    }


def test_thinking_is_given_back_only_where_it_must():
    """Regression 55: on the message that holds the calls."""
    turns = (
        USER,
        assistant(Thinking(text="old"), Text(text="a")),
        USER,
        assistant(Thinking(text="new"), CALL),
        tool_turn(RESULT),
    )
    assert not any("reasoning_content" in message for message in messages(*turns))
    last = messages(*turns, reasoning_replay="last_turn")
    assert [message.get("reasoning_content") for message in last] == [None, None, None, "new", None]
    every = messages(*turns, reasoning_replay="all", reasoning_field="reasoning")
    assert [message.get("reasoning") for message in every] == [None, "old", None, "new", None]
    assert "messages[1].reasoning" in note_paths(asking(*turns))


def test_a_seal_goes_back_only_to_its_origin():
    """Regression 37."""
    details = '[{"type":"reasoning.encrypted","data":"x"}]'
    seal = Seal(origin="openrouter", scope="o", form="encrypted", value=details)
    turns = (USER, assistant(Thinking(form="hidden", seals=(seal,)), Text(text="a")), USER)
    home = messages(*turns, seal_origin="openrouter", seal_scope="o")
    assert home[1]["reasoning_details"] == json.loads(details)
    for elsewhere in (
        {},
        {"seal_origin": "openai", "seal_scope": "o"},
        {"seal_origin": "openrouter", "seal_scope": "p"},
    ):
        assert "reasoning_details" not in messages(*turns, **elsewhere)[1]


def test_a_gemini_seal_rides_on_its_call():
    seal = Seal(origin="gemini", scope="g", form="thought", value="c2ln")
    turns = (USER, assistant(changed(CALL, seals=(seal,))), tool_turn(RESULT))
    (call,) = messages(*turns, seal_origin="gemini", seal_scope="g")[1]["tool_calls"]
    assert call["extra_content"] == {"google": {"thought_signature": "c2ln"}}
    assert "extra_content" not in messages(*turns)[1]["tool_calls"][0]
    assert "messages[1].signature" in note_paths(asking(*turns))
    assert "messages[1].signature" not in note_paths(asking(*turns), seal_origin="gemini", seal_scope="g")


def test_reasoning_sealed_for_responses_has_no_place_on_chat():
    seal = Seal(origin="openai", scope="client-declared", form="encrypted", value="gAAA")
    turns = (USER, assistant(Thinking(form="hidden", seals=(seal,)), Text(text="a")), USER)
    assert "messages[1].signature" in note_paths(asking(*turns), seal_origin="openai")


def test_hosted_calls_and_foreign_parts_are_noted():
    hosted = Hosted(call_id="h", tool="web_search")
    request = asking(USER, assistant(hosted, Opaque(dialect="gemini", raw={}), Text(text="a")), USER)
    assert encoded(request)["messages"][1]["content"] == "a"
    assert "messages[1].content" in note_paths(request)


@pytest.mark.parametrize(
    ("media", "wire"),
    [
        (
            changed(PNG, detail="low"),
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw==", "detail": "low"}},
        ),
        (
            Media(kind="document", source=Inline(mime="application/pdf", base64="JVBERg==")),
            {
                "type": "file",
                "file": {"filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
            },
        ),
        (
            Media(kind="document", title="a.txt", source=Inline(mime="text/plain", base64="aGk=")),
            {"type": "text", "text": "[a.txt]\nhi"},
        ),
        (
            Media(kind="document", source=FileRef(origin="openai", ref="file-1")),
            {"type": "file", "file": {"file_id": "file-1"}},
        ),
        (
            Media(kind="audio", source=Inline(mime="audio/mpeg", base64="SUQz")),
            {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
        ),
        (
            Media(kind="video", source=Url(url="https://e.x/a.mp4")),
            {"type": "video_url", "video_url": {"url": "https://e.x/a.mp4"}},
        ),
    ],
)
def test_media_in_chat_s_words(media, wire):
    user = Turn(role="user", parts=(media, Text(text="?")))
    found = messages(user, audio_mimes=("audio/mpeg",), video_mimes=("video/mp4",), video_url=True)
    assert found[0]["content"][0] == wire


@pytest.mark.parametrize(
    ("media", "narrowed"),
    [
        (PNG, {"image_mimes": ()}),
        (PNG, {"image_mimes": ("image/jpeg",)}),
        (Media(kind="image", source=Url(url="https://e.x/a.png")), {"image_url": False}),
        (Media(kind="audio", source=Inline(mime="audio/wav", base64="")), {}),
        (Media(kind="video", source=Url(url="https://e.x/a.mp4")), {}),
        (Media(kind="document", source=Url(url="https://e.x/a.pdf")), {}),
        (Media(kind="document", source=FileRef(origin="gemini", ref="files/1")), {}),
    ],
)
def test_media_that_the_deployment_lacks_is_refused(media, narrowed):
    assert unsupported_param(asking(Turn(role="user", parts=(media,))), **narrowed) == "messages[0].content"


def test_cache_marks_go_where_they_are_understood():
    marked = asking(Turn(role="user", parts=(Text(text="a", cache=CacheMark(ttl="1h")),)))
    explicit = encoded(marked, cache="explicit")["messages"][0]["content"]
    assert explicit == [{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]
    vendor = encoded(marked, vendor_fields=("cache_control",))["messages"][0]["content"]
    assert vendor[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert encoded(marked)["messages"][0]["content"] == "a"
    assert note_paths(marked) == {"messages[0].content.cache_control"}


SAMPLING = Sampling(
    temperature=1.5, top_p=0.9, top_k=40, frequency_penalty=1, presence_penalty=1, logit_bias={"1": 2}, seed=3,
    max_tokens=100, stop=("a", "b"), n=2, logprobs=True, top_logprobs=3,
)  # fmt: skip


def test_sampling_goes_through_as_it_is():
    found = encoded(asking(sampling=SAMPLING), vendor_fields=("top_k",))
    assert found == {
        "model": "up", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 100, "n": 2, "stop": ["a", "b"],
        "temperature": 1.5, "top_p": 0.9, "top_k": 40, "frequency_penalty": 1, "presence_penalty": 1,
        "logit_bias": {"1": 2}, "seed": 3, "logprobs": True, "top_logprobs": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("narrowed", "gone"),
    [
        ({"sampling": False}, {"temperature", "top_p", "top_k"}),
        ({"temperature_and_top_p": False}, {"top_p", "top_k"}),
        ({"penalties": False}, {"frequency_penalty", "presence_penalty", "top_k"}),
        ({"seed": False}, {"seed", "top_k"}),
        ({"logit_bias": False}, {"logit_bias", "top_k"}),
        ({"logprobs": False}, {"logprobs", "top_logprobs", "top_k"}),
        ({"stop_max": 0}, {"stop", "top_k"}),
        ({}, {"top_k"}),
    ],
)
def test_what_is_not_taken_is_left_out_and_noted(narrowed, gone):
    """Requirement B1: nothing is dropped in silence."""
    request = asking(sampling=SAMPLING)
    assert not gone & encoded(request, **narrowed).keys()
    assert note_paths(request, **narrowed) == gone


def test_limits_are_kept_and_noted():
    request = asking(sampling=SAMPLING)
    found = encoded(
        request, temperature_max=1.0, output_max=50, stop_max=1, max_tokens_field="max_completion_tokens"
    )
    assert (found["temperature"], found["max_completion_tokens"], found["stop"]) == (1.0, 50, ["a"])
    assert {"temperature", "max_tokens", "stop"} <= note_paths(
        request, temperature_max=1.0, output_max=50, stop_max=1
    )
    assert encoded(REQUEST, output_default=77)["max_tokens"] == 77
    assert unsupported_param(request, n_max=1) == "n"


@pytest.mark.parametrize(
    ("wish", "narrowed", "wire"),
    [
        (Reasoning(effort="high"), {}, {"reasoning_effort": "high"}),
        (Reasoning(budget_tokens=1280), {}, {"reasoning_effort": "low"}),
        (Reasoning(level="medium"), {}, {"reasoning_effort": "medium"}),
        (Reasoning(mode="off"), {"efforts": ("none", "low")}, {"reasoning_effort": "none"}),
        (Reasoning(mode="adaptive"), {}, {}),
        (Reasoning(effort="high"), {"thinking": "none"}, {}),
        (Reasoning(mode="off"), {"vendor_fields": ("thinking",)}, {"thinking": {"type": "disabled"}}),
        (
            Reasoning(effort="high"),
            {"vendor_fields": ("thinking",)},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
        ),
        (
            Reasoning(effort="medium"),
            {"thinking": "budget", "vendor_fields": ("enable_thinking", "thinking_budget")},
            {"enable_thinking": True, "thinking_budget": 2048},
        ),
        (
            Reasoning(mode="off"),
            {"thinking": "budget", "vendor_fields": ("enable_thinking", "thinking_budget")},
            {"enable_thinking": False},
        ),
        (
            Reasoning(mode="on", budget_tokens=4096),
            {"thinking": "budget", "vendor_fields": ("thinking",)},
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
        ),
        (
            Reasoning(effort="low", show="none"),
            {"vendor_fields": ("reasoning",)},
            {"reasoning": {"effort": "low", "exclude": True}},
        ),
        (Reasoning(budget_tokens=999), {"vendor_fields": ("reasoning",)}, {"reasoning": {"max_tokens": 999}}),
    ],
)
def test_thinking_in_the_deployment_s_words(wish, narrowed, wire):
    """Requirement B10."""
    found = encoded(asking(reasoning=wish), **narrowed)
    assert {name: value for name, value in found.items() if name not in ("model", "messages")} == wire


SCHEMA_WISH = OutputFormat(kind="json_schema", schema=SCHEMA, strict=True)


def test_a_schema_is_native_where_it_can_be():
    found = encoded(asking(output=SCHEMA_WISH))
    inner = {"name": "response", "schema": SCHEMA, "strict": True}
    assert found["response_format"] == {"type": "json_schema", "json_schema": inner}


def test_strict_is_sent_only_where_the_schema_keeps_its_rules():
    loose = encoded(asking(output=changed(SCHEMA_WISH, schema={"type": "object", "properties": {"a": {}}})))
    assert loose["response_format"]["json_schema"]["strict"] is False


def test_a_schema_is_said_in_words_where_it_cannot():
    request = asking(output=SCHEMA_WISH, system=(Text(text="s"),))
    found = encoded(request, json_schema="none")
    assert found["response_format"] == {"type": "json_object"}
    assert found["messages"][0]["content"].startswith("s\n\nReply with one JSON object")
    assert '"additionalProperties":false' in found["messages"][0]["content"]
    assert "response_format" not in encoded(request, json_schema="none", json_object=False)
    assert "response_format" in note_paths(request, json_schema="none")


def test_a_json_object_needs_the_word_json():
    request = asking(output=OutputFormat(kind="json_object"))
    assert encoded(request)["messages"][0] == {"role": "system", "content": "Respond in JSON."}
    said = asking(Turn(role="user", parts=(Text(text="as json"),)), output=OutputFormat(kind="json_object"))
    assert len(encoded(said)["messages"]) == 1


def test_what_cannot_be_kept_is_refused():
    assert unsupported_param(asking(output=OutputFormat(kind="grammar"))) == "response_format"
    assert unsupported_param(asking(modalities=("audio",))) == "modalities"


@pytest.mark.parametrize(("stream", "format"), [(False, "wav"), (True, "pcm16")])
def test_speech_without_a_format_gets_the_one_that_can_be_sent(stream, format):
    """Gemini's clients say a voice and no format; OpenAI demands one."""
    request = asking(modalities=("audio",), audio_out=AudioOut(voice="alloy"), stream=stream)
    able = {"modalities_out": ("text", "audio")}
    assert encoded(request, **able)["audio"] == {"voice": "alloy", "format": format}
    assert "audio.format" in note_paths(request, **able)


def test_account_members_go_where_they_are_offered():
    request = asking(
        identity=Identity(user="u", safety_id="s", metadata={"a": "b"}),
        service_tier="standard",
        cache=CacheHints(key="k"),
    )
    open_ai = encoded(request, store=True, service_tiers=("default",), cache="key")
    assert (open_ai["user"], open_ai["safety_identifier"], open_ai["service_tier"], open_ai["prompt_cache_key"]) == (
        "u", "s", "default", "k",
    )  # fmt: skip
    assert note_paths(request, user=False, metadata=False) == {
        "user", "safety_identifier", "metadata", "service_tier", "prompt_cache_key",
    }  # fmt: skip


def test_a_cache_key_is_derived_for_clients_whose_dialect_has_none():
    """Regression 74: the same prefix has the same key, on every request."""
    request = asking(system=(Text(text="s"),), tools=(Function(name="f"),))
    key = encoded(request, cache="key")["prompt_cache_key"]
    assert encoded(changed(request, turns=(USER, USER)), cache="key")["prompt_cache_key"] == key
    assert encoded(changed(request, system=(Text(text="t"),)), cache="key")["prompt_cache_key"] != key
    assert "prompt_cache_key" not in encoded(decoded(), cache="key")


def test_gemini_s_own_settings_go_to_a_vendor_that_has_them_and_are_noted_elsewhere():
    request = asking(extra={"openai_chat": {"google": {"cached_content": "c"}}})
    assert encoded(request, vendor_fields=("google",))["google"] == {"cached_content": "c"}
    assert "google" not in encoded(request)
    assert note_paths(request) == {"google"}


def test_unknown_members_of_the_same_dialect_go_through_and_others_are_noted():
    assert encoded(decoded(min_p=0.1, temperaure=1))["temperaure"] == 1
    foreign = asking(extra={"anthropic": {"container": "c"}})
    assert "container" not in encoded(foreign)
    assert "container" in note_paths(foreign)
