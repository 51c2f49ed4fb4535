"""Counts of a response: what is reported, and the calls of hosted tools, which are only shown."""

import pytest

from allgate.dialects.openai_responses.usage import decode_usage, usage_in

TOKENS = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}


def searched(kind: str | None = "search") -> dict:
    return {"type": "web_search_call", **({"action": {"type": kind}} if kind else {})}


def ran(container: str) -> dict:
    return {"type": "code_interpreter_call", "container_id": container}


@pytest.mark.parametrize(
    ("output", "searches", "sessions", "files"),
    [
        ([], None, None, None),
        ([{"type": "message"}], None, None, None),
        ([searched(), searched("open_page"), searched("find_in_page"), searched(None)], 2, None, None),
        ([searched("open_page")], None, None, None),
        ([ran("a"), ran("a"), ran("b")], None, 2, None),
        ([{"type": "file_search_call"}], None, None, 1),
        ("odd", None, None, None),
    ],
)
def test_hosted_calls_are_counted_as_they_are_billed(
    output: object, searches: int | None, sessions: int | None, files: int | None
) -> None:
    usage = usage_in({"usage": TOKENS, "output": output})
    assert usage is not None
    assert (usage.web_search_calls, usage.code_execution_calls, usage.file_search_calls) == (
        searches,
        sessions,
        files,
    )


def test_a_count_that_is_reported_wins() -> None:
    usage = decode_usage(TOKENS, {"web_search": {"num_requests": 0}}, None, [searched()])
    assert usage is not None
    assert usage.web_search_calls == 0


def test_nothing_reported_is_nothing_known() -> None:
    assert usage_in({"output": [searched()]}) is None
