"""Numbers are those of the list of peers' bugs."""

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.usage import Usage
from allgate.dialects.gemini.usage import Snapshots, UsageMetadata, metadata_of, usage_of


def read(**counts) -> Usage:
    return usage_of(msgspec.convert(counts, UsageMetadata, strict=False))


def test_prompt_counts_include_cached_and_tool_prompts():
    usage = read(
        promptTokenCount=100,
        cachedContentTokenCount=40,
        toolUsePromptTokenCount=7,
        candidatesTokenCount=5,
        totalTokenCount=112,
    )
    assert (usage.input_tokens, usage.cache_read_tokens, usage.tool_prompt_tokens) == (107, 40, 7)


def test_thoughts_are_output_beside_the_answer():
    usage = read(promptTokenCount=10, candidatesTokenCount=5, thoughtsTokenCount=20, totalTokenCount=35)
    assert (usage.output_tokens, usage.reasoning_tokens) == (25, 20)


def test_thoughts_inside_the_answer_are_not_counted_twice():
    usage = read(promptTokenCount=10, candidatesTokenCount=25, thoughtsTokenCount=20, totalTokenCount=35)
    assert (usage.output_tokens, usage.reasoning_tokens) == (25, 20)


def test_no_count_that_we_write_is_less_than_nothing():
    counts = metadata_of(Usage(input_tokens=1, output_tokens=2, reasoning_tokens=3, tool_prompt_tokens=4))
    assert (counts["promptTokenCount"], counts["candidatesTokenCount"]) == (0, 0)


def test_what_is_not_reported_is_unknown_and_what_the_total_tells_is_used():
    assert read() == Usage()
    assert read(promptTokenCount=10, totalTokenCount=10).output_tokens == 0
    assert read(promptTokenCount=10).output_tokens is None
    assert read(candidatesTokenCount=5, totalTokenCount=12).input_tokens == 7


def test_regression_48_modalities_are_added_up_whatever_their_case():
    usage = read(
        promptTokenCount=30,
        promptTokensDetails=[
            {"modality": "AUDIO", "tokenCount": 10},
            {"modality": "audio", "tokenCount": 5},
            {"modality": "TEXT", "tokenCount": 12},
            {"modality": 2, "tokenCount": "3"},
        ],
        candidatesTokensDetails=[{"modality": "IMAGE", "tokenCount": 1290}],
        candidatesTokenCount=1290,
    )
    assert (usage.input_audio_tokens, usage.input_text_tokens, usage.input_image_tokens) == (15, 12, 3)
    assert usage.output_image_tokens == 1290


COUNTS = st.integers(0, 10**9)


@settings(deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_what_we_write_reads_the_same(given_tokens, output, reasoning, cached, tools):
    usage = Usage(
        input_tokens=given_tokens + tools,
        output_tokens=output + reasoning,
        reasoning_tokens=reasoning,
        cache_read_tokens=cached,
        tool_prompt_tokens=tools,
        input_text_tokens=given_tokens,
    )
    metadata = metadata_of(usage)
    assert metadata["totalTokenCount"] == given_tokens + tools + output + reasoning
    again = read(**metadata)
    if not (output == 0 and reasoning):  # 0 + thoughts is then also a total with the thoughts inside
        assert again == usage


SNAPSHOT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"), COUNTS
    ),
)


@settings(deadline=None)
@given(st.lists(SNAPSHOT, max_size=8))
def test_the_newest_value_of_every_field_counts(snapshots):
    seen = Snapshots()
    expected: dict = {}
    for snapshot in snapshots:
        seen.see(json.dumps(snapshot).encode())
        expected |= snapshot
    metadata = seen.metadata()
    if not snapshots:
        assert metadata is None
        return
    assert metadata == msgspec.convert(expected, UsageMetadata)


def test_a_snapshot_that_cannot_be_read_changes_nothing():
    seen = Snapshots()
    seen.see(b'{"promptTokenCount":3}')
    seen.see(b'{"promptTokenCount":{}}')
    seen.see(b"[]")
    metadata = seen.metadata()
    assert metadata is not None
    assert metadata.prompt_token_count == 3
