"""The settings of a request; its messages are in test_messages_decode."""

import pytest

from allgate.core.errors import WireError
from allgate.dialects.anthropic import ANTHROPIC
from allgate.operations.chat.parts import CacheMark
from allgate.operations.chat.request import CacheHints, Identity, OutputFormat, Reasoning, Sampling
from allgate.wire.message import WireRequest
from dialects.anthropic.exchange import BOX, decoded

BETAS = (
    (b"anthropic-version", b"2026-10-21"),
    (b"anthropic-beta", b"a-1, b-2"),
    (b"anthropic-beta", b"b-2,c-3"),
)
INTERLEAVED = ((b"anthropic-beta", b"interleaved-thinking-2025-05-14"),)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def test_sampling_is_read_under_both_versions():
    wish = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "max_tokens": 100, "stop_sequences": ["a", " "]}
    expected = Sampling(temperature=0.5, top_p=0.9, top_k=40, max_tokens=100, stop=("a", " "))
    assert decoded(**wish).sampling == expected
    assert decoded(BETAS, **wish).sampling == expected


def test_version_and_betas_come_from_every_header_line():
    request = decoded(BETAS)
    assert request.api_version == "2026-10-21"
    assert request.betas == ("a-1", "b-2", "c-3")


def test_what_clients_of_clouds_write_into_the_body_is_understood():
    request = decoded(
        ((b"anthropic-beta", b"a"),), anthropic_version="vertex-2023-10-16", anthropic_beta=["b"]
    )
    assert request.betas == ("a", "b")
    assert request.extra == {}
    assert [note.path for note in request.notes] == ["anthropic_version"]


def test_a_stream_always_has_usage():
    assert decoded(stream=True).stream
    assert decoded().stream_usage


def test_system_is_text_or_blocks():
    assert [text.text for text in decoded(system="be kind").system] == ["be kind"]
    blocks = [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]
    first, second = decoded(system=blocks).system
    assert (first.text, first.cache) == ("a", None)
    assert (second.text, second.cache) == ("b", CacheMark(ttl="1h"))


def test_regression_74_the_attribution_line_is_no_system_text():
    line = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2; cc_entrypoint=cli;"}
    request = decoded(system=[line, {"type": "text", "text": "be kind"}])
    assert [text.text for text in request.system] == ["be kind"]
    assert request.extra["anthropic"]["_attribution"] == [line]


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        ({"type": "enabled", "budget_tokens": 2048}, Reasoning(mode="on", budget_tokens=2048, replay=True)),
        (
            {"type": "adaptive", "display": "summarized"},
            Reasoning(mode="adaptive", show="summary", replay=True),
        ),
        ({"type": "adaptive", "display": "omitted"}, Reasoning(mode="adaptive", show="none", replay=True)),
        ({"type": "between_tools"}, Reasoning(mode="between_tools", replay=True)),
        ({"type": "disabled"}, Reasoning(mode="off", replay=True)),
        (
            {"type": "adaptive", "display": "updates"},
            Reasoning(
                mode="adaptive", show="summary", replay=True, extra={"anthropic": {"display": "updates"}}
            ),
        ),
    ],
)
def test_thinking_is_read(thinking, expected):
    assert decoded(thinking=thinking).reasoning == expected


def test_regression_40_thinking_auto_counts_as_adaptive():
    assert decoded(thinking={"type": "auto"}).reasoning == Reasoning(mode="adaptive", replay=True)


def test_an_effort_alone_is_not_thinking():
    assert decoded(output_config={"effort": "high"}).reasoning == Reasoning(effort="high")
    assert decoded(output_config={"effort": "ultra"}).reasoning == Reasoning(effort="max")
    assert decoded().reasoning is None


@pytest.mark.parametrize(
    ("budget", "max_tokens"), [(1023, 4096), (0, 4096), (4096, 4096), (5000, 4096), (None, 4096)]
)
def test_a_thinking_budget_that_breaks_the_rule_is_refused(budget, max_tokens):
    with pytest.raises(WireError) as caught:
        decoded(thinking={"type": "enabled", "budget_tokens": budget}, max_tokens=max_tokens)
    assert caught.value.failure.status == 400


def test_with_interleaved_thinking_a_budget_may_exceed_max_tokens():
    thinking = {"type": "enabled", "budget_tokens": 31_999}
    request = decoded(INTERLEAVED, thinking=thinking, max_tokens=8_000)
    assert request.reasoning is not None
    assert request.reasoning.budget_tokens == 31_999


@pytest.mark.parametrize("place", ["output_config", "output_format"])
def test_structured_output_is_read_at_both_places(place):
    output = {"type": "json_schema", "schema": SCHEMA}
    request = decoded(**{place: output if place == "output_format" else {"format": output}})
    assert request.output == OutputFormat(kind="json_schema", schema=SCHEMA, strict=True)


def test_cache_user_and_tier_are_read():
    request = decoded(
        cache_control={"type": "ephemeral", "ttl": "1h"},
        metadata={"user_id": "u", "x": 1},
        service_tier="standard_only",
    )
    assert request.cache == CacheHints(auto=True, auto_ttl="1h")
    assert request.identity == Identity(user="u")
    assert request.service_tier == "standard"
    assert request.extra["anthropic"] == {"metadata": {"x": 1}}


def test_unknown_members_are_kept_and_null_counts_as_absent():
    request = decoded(
        context_management={"edits": []},
        speed="fast",
        inference_geo=None,
        output_config={"effort": "low", "task_budget": 9},
    )
    assert request.extra["anthropic"] == {
        "context_management": {"edits": []}, "speed": "fast", "output_config": {"task_budget": 9},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("member", "value", "param"),
    [
        ("model", 1, "model"),
        ("model", None, "model"),
        ("max_tokens", "many", "max_tokens"),
        ("messages", {}, "messages"),
        ("messages", [], "messages"),
        ("messages", [{"role": "user"}], "messages.0.content"),
        ("messages", [{"role": "robot", "content": "x"}], "messages.0.role"),
        ("messages", [{"role": "user", "content": [{"type": "text"}]}], "messages.0.content.0.text"),
        ("messages", [{"role": "user", "content": [{}]}], "messages.0.content.0.type"),
        ("system", 7, "system"),
        ("tools", "all", "tools"),
        ("tools", [{"description": "x"}], "tools.0.name"),
        ("tool_choice", "auto", "tool_choice"),
        ("thinking", {"budget_tokens": 2048}, "thinking.type"),
        ("output_config", {"effort": "gigantic"}, "output_config.effort"),
        ("stop_sequences", [1], "stop_sequences.0"),
        ("stream", "yes", "stream"),
    ],
)
def test_a_wrong_type_is_refused_by_its_path(member, value, param):
    with pytest.raises(WireError) as caught:
        decoded(**{member: value})
    assert (caught.value.failure.status, caught.value.failure.param) == (400, param)
    assert param in caught.value.failure.message


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b'{"model":"m"}'])
def test_what_is_no_messages_body_is_refused(body):
    with pytest.raises(WireError):
        ANTHROPIC.decode_request(WireRequest(method="POST", path="/v1/messages", body=body), BOX)


def test_half_an_emoji_of_a_javascript_client_becomes_a_replacement_character():
    body = b'{"model":"m","messages":[{"role":"user","content":"a\\ud83d"}]}'
    request = ANTHROPIC.decode_request(WireRequest(method="POST", path="/v1/messages", body=body), BOX)
    assert request.turns[0].parts[0].text == "a\ufffd"
