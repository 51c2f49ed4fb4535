import json

import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.operations.chat.parts import CacheMark, Text
from allgate.operations.chat.request import CacheHints, Identity, OutputFormat, Sampling, State
from allgate.operations.chat.tools import Function, ToolChoice
from dialects.anthropic.exchange import (
    ADAPTIVE,
    BUDGET,
    FOREIGN,
    REQUEST,
    call_to,
    decoded,
    encoded,
    note_paths,
)

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]}
TOOL = Function(name="f", schema=SCHEMA)


def test_the_smallest_call():
    call = call_to(changed(REQUEST, sampling=Sampling(max_tokens=9)))
    assert call.path == "/v1/messages"
    assert json.loads(call.body) == {
        "model": "up", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }  # fmt: skip
    assert call.headers == ((b"content-type", b"application/json"), (b"anthropic-version", b"2023-06-01"))
    assert call.notes == ()


def test_the_output_bound_is_added_kept_or_lowered():
    assert encoded(FOREIGN)["max_tokens"] == 32_000
    assert note_paths(FOREIGN) == {"max_tokens"}
    assert encoded(changed(FOREIGN, sampling=Sampling(max_tokens=0)))["max_tokens"] == 0
    wish = changed(FOREIGN, sampling=Sampling(max_tokens=200_000))
    assert encoded(wish)["max_tokens"] == 64_000
    assert note_paths(wish) == {"max_tokens"}
    assert encoded(FOREIGN, output_default=None, output_max=8192)["max_tokens"] == 8192


@pytest.mark.parametrize(
    ("client", "caps", "sent"),
    [
        ("2026-10-21", "2023-06-01", "2026-10-21"),
        ("2023-06-01", "2026-10-21", "2026-10-21"),
        (None, None, "2023-06-01"),
        ("2026-10-21", None, "2026-10-21"),
    ],
)
def test_a_client_keeps_its_version_unless_the_deployment_has_only_the_new_one(client, caps, sent):
    call = call_to(changed(REQUEST, api_version=client), api_version=caps)
    assert dict(call.headers)[b"anthropic-version"].decode() == sent


def test_another_dialect_is_sent_with_the_older_version_although_it_says_none():
    assert dict(call_to(FOREIGN).headers)[b"anthropic-version"] == b"2023-06-01"


def test_betas_stand_in_one_header():
    assert dict(call_to(changed(REQUEST, betas=("a", "b"))).headers)[b"anthropic-beta"] == b"a,b"


def test_regression_36_the_new_version_gets_no_sampling_fields():
    request = changed(
        REQUEST, api_version="2026-10-21", sampling=Sampling(temperature=0.5, top_k=3, max_tokens=9)
    )
    assert not {"temperature", "top_k"} & encoded(request).keys()
    assert note_paths(request) == {"temperature", "top_k"}


def test_system_keeps_its_blocks_marks_and_attribution():
    line = {"type": "text", "text": "x-anthropic-billing-header: a"}
    marked = {
        "type": "text",
        "text": "b",
        "cache_control": {"type": "ephemeral", "ttl": "1h", "scope": "org"},
    }
    assert encoded(decoded(system=[line, marked]))["system"] == [line, marked]
    foreign = changed(FOREIGN, system=(Text(text="a"), Text(text=" "), Text(text="b", cache=CacheMark())))
    assert encoded(foreign)["system"] == [
        {"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
    ]  # fmt: skip


def test_own_members_come_back_and_those_of_others_are_noted():
    own = decoded(
        context_management={"edits": []}, output_config={"task_budget": 5}, metadata={"user_id": "u", "x": 1}
    )
    body = encoded(own)
    assert body["context_management"] == {"edits": []}
    assert body["output_config"] == {"task_budget": 5}
    assert body["metadata"] == {"user_id": "u", "x": 1}
    foreign = changed(FOREIGN, extra={"openai_chat": {"prediction": {}}}, sampling=Sampling(max_tokens=9))
    assert encoded(foreign).keys() == {"model", "max_tokens", "messages"}
    assert note_paths(foreign) == {"prediction"}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"sampling": Sampling(max_tokens=9, seed=1)}, "seed"),
        ({"sampling": Sampling(max_tokens=9, frequency_penalty=1.0)}, "frequency_penalty"),
        ({"sampling": Sampling(max_tokens=9, logit_bias={})}, "logit_bias"),
        ({"sampling": Sampling(max_tokens=9, logprobs=True)}, "logprobs"),
        ({"cache": CacheHints(key="k")}, "prompt_cache_key"),
        ({"state": State(store=True)}, "store"),
        ({"identity": Identity(metadata={"a": "b"})}, "metadata"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"output": OutputFormat(verbosity="low")}, "verbosity"),
    ],
)
def test_what_has_no_place_is_named(fields, path):
    assert path in note_paths(changed(FOREIGN, **fields))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"sampling": Sampling(n=2)}, "n"),
        ({"modalities": ("text", "image")}, "modalities"),
        ({"output": OutputFormat(kind="grammar")}, "response_format"),
        ({"state": State(previous_response_id="resp_1")}, "previous_response_id"),
        ({"state": State(background=True)}, "background"),
        ({"state": State(prompt={"id": "pmpt_1"})}, "prompt"),
    ],
)
def test_what_would_change_the_answer_in_silence_is_refused(fields, param):
    with pytest.raises(WireError) as caught:
        encoded(changed(FOREIGN, **fields))
    assert (caught.value.failure.code, caught.value.failure.param) == ("unsupported_parameter", param)


@pytest.mark.parametrize("user", ["jo@example.com", "+49 170 1234567"])
def test_a_user_that_names_a_person_is_hashed(user):
    request = changed(FOREIGN, identity=Identity(user=user))
    written = encoded(request)["metadata"]["user_id"]
    assert written != user
    assert len(written) == 32
    assert "user" in note_paths(request)
    assert encoded(changed(FOREIGN, identity=Identity(user="user-7")))["metadata"] == {"user_id": "user-7"}


def test_service_tiers_are_the_vendor_s_words():
    assert encoded(changed(FOREIGN, service_tier="standard"))["service_tier"] == "standard_only"
    assert encoded(changed(FOREIGN, service_tier="auto"))["service_tier"] == "auto"


def test_a_breakpoint_for_the_whole_request_is_kept():
    request = changed(REQUEST, cache=CacheHints(auto=True, auto_ttl="1h"))
    assert encoded(request)["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_structured_output_is_native_with_an_adapted_schema():
    output = OutputFormat(kind="json_schema", schema=SCHEMA, strict=True)
    written = encoded(changed(FOREIGN, output=output))["output_config"]["format"]
    assert written["type"] == "json_schema"
    assert written["schema"]["additionalProperties"] is False
    assert "minimum" not in written["schema"]["properties"]["a"]
    own = decoded(output_config={"format": {"type": "json_schema", "schema": SCHEMA}})
    assert encoded(own)["output_config"]["format"]["schema"] == SCHEMA


def test_structured_output_without_support_is_a_forced_tool():
    body = encoded(
        changed(FOREIGN, output=OutputFormat(kind="json_schema", schema=SCHEMA)), json_schema="none"
    )
    assert [tool["name"] for tool in body["tools"]] == ["json_output"]
    assert body["tool_choice"] == {"type": "tool", "name": "json_output"}
    assert "output_config" not in body


def test_regression_34_beside_tools_or_thinking_the_output_tool_is_asked_for_in_words():
    output = OutputFormat(kind="json_schema", schema=SCHEMA)
    body = encoded(changed(FOREIGN, output=output, tools=(TOOL,)), json_schema="none")
    assert [tool["name"] for tool in body["tools"]] == ["f", "json_output"]
    assert "tool_choice" not in body
    assert "json_output" in body["system"][-1]["text"]


def test_a_json_object_is_asked_for_in_words():
    request = changed(FOREIGN, output=OutputFormat(kind="json_object"))
    assert "JSON object" in encoded(request)["system"][-1]["text"]
    assert "response_format" in note_paths(request)


def test_regression_34_a_forced_call_wins_over_thinking():
    thinking = decoded(thinking={"type": "enabled", "budget_tokens": 2048}).reasoning
    request = changed(REQUEST, reasoning=thinking, tools=(TOOL,), tool_choice=ToolChoice(mode="any"))
    body = encoded(request)
    assert body["tool_choice"] == {"type": "any"}
    assert "thinking" not in body
    assert "thinking" in note_paths(request)
    free = encoded(request, can_disable_thinking=False)
    assert (free["tool_choice"], free["thinking"]["type"]) == ({"type": "auto"}, "enabled")
    both = encoded(request, forced_tools_with_thinking=True)
    assert (both["tool_choice"], both["thinking"]["type"]) == ({"type": "any"}, "enabled")


def test_a_call_that_cannot_be_forced_narrows_the_tools():
    request = changed(
        FOREIGN, tools=(TOOL, Function(name="g")), tool_choice=ToolChoice(mode="tool", names=("g",))
    )
    body = encoded(request, forced_tools=False)
    assert [tool["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == {"type": "auto"}


def test_no_tools_no_choice():
    assert "tool_choice" not in encoded(changed(FOREIGN, tool_choice=ToolChoice(mode="auto", parallel=False)))


def test_the_same_request_gives_the_same_bytes_and_a_longer_one_the_same_beginning():
    request = decoded(
        system="s", tools=[{"name": "f", "input_schema": SCHEMA}], thinking={"type": "adaptive"}
    )
    first, again = call_to(request, ADAPTIVE).body, call_to(request, ADAPTIVE).body
    assert first == again
    longer = call_to(changed(request, turns=request.turns * 2), ADAPTIVE).body
    assert longer.startswith(first[: first.index(b'"hi"')])


def test_the_body_can_be_streamed_or_not():
    assert encoded(changed(REQUEST, stream=True))["stream"] is True
    assert "stream" not in encoded(REQUEST)
    assert BUDGET.thinking == "budget"
