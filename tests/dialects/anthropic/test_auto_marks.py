"""Breakpoints of our own: where they stand, and that nothing else of the body changes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.anthropic.auto_marks import CACHED_BYTES_MIN, auto_marked
from allgate.operations.chat.caps import Caps

LONG = "one two " * 600
MARK = {"cache_control": {"type": "ephemeral"}}
TALK = Caps(cache="explicit", cache_policy="conversation")
SYSTEM = Caps(cache="explicit", cache_policy="system")


def user(content: object) -> dict:
    return {"role": "user", "content": content}


def marked(caps: Caps, **members: object) -> dict:
    body, _ = auto_marked(json.dumps({"model": "m", **members}).encode(), caps)
    return json.loads(body)


def places(value: object, at: str = "") -> list[str]:
    """Where marks stand."""
    if isinstance(value, dict):
        inside = [place for key, one in value.items() for place in places(one, f"{at}.{key}")]
        return [at, *inside] if "cache_control" in value else inside
    if isinstance(value, list):
        return [place for n, one in enumerate(value) for place in places(one, f"{at}[{n}]")]
    return []


def test_a_text_becomes_a_block_with_a_mark() -> None:
    body = marked(TALK, system=LONG, messages=[user("hi")])
    assert body["system"] == [{"type": "text", "text": LONG, **MARK}]
    assert body["messages"] == [user([{"type": "text", "text": "hi", **MARK}])]


@pytest.mark.parametrize(
    ("caps", "where"),
    [(SYSTEM, [".system[1]"]), (TALK, [".system[1]", ".messages[2].content[1]"])],
)
def test_the_last_block_is_marked(caps: Caps, where: list[str]) -> None:
    system = [{"type": "text", "text": LONG}, {"type": "text", "text": "and }] this"}]
    last = user(
        [{"type": "tool_result", "tool_use_id": "t", "content": "x"}, {"type": "text", "text": "go on }"}]
    )
    messages = [user("hi"), {"role": "assistant", "content": "hello"}, last]
    body = marked(caps, system=system, messages=messages)
    assert places(body) == where
    assert _without_marks(body) == {"model": "m", "system": system, "messages": messages}


def test_tools_count_for_the_prefix_that_the_system_ends() -> None:
    tools = [{"name": "f", "description": LONG, "input_schema": {"type": "object"}}]
    assert places(marked(SYSTEM, tools=tools, system="Be brief.", messages=[user("hi")])) == [".system[0]"]


@pytest.mark.parametrize(
    ("caps", "members"),
    [
        (Caps(cache="explicit"), {"system": LONG, "messages": [user("hi")]}),
        (Caps(cache="auto", cache_policy="conversation"), {"system": LONG, "messages": [user("hi")]}),
        (TALK, {"system": LONG, "messages": [user([{"type": "text", "text": "hi", **MARK}])]}),
        (TALK, {"system": LONG, "messages": [user("hi")], **MARK}),
        (TALK, {"system": "short", "messages": [user("hi")]}),
        (SYSTEM, {"system": "short", "messages": [user(LONG)]}),
        (TALK, {"messages": [user(LONG), {"role": "assistant", "content": "and"}]}),
        (TALK, {"messages": [user(LONG), user([{"type": "text", "text": ""}])]}),
        (TALK, {"messages": [user(LONG), user("")]}),
        (TALK, {"system": [], "messages": [user(LONG), user([])]}),
        (TALK, {"system": 5, "messages": LONG}),
    ],
)
def test_where_there_is_nothing_to_mark_the_bytes_stay(caps: Caps, members: dict) -> None:
    body = json.dumps({"model": "m", **members}).encode()
    assert auto_marked(body, caps) == (body, ())


def test_a_body_that_only_a_patient_reader_reads_stays() -> None:
    body = json.dumps({"system": LONG, "messages": [user("hi")]}).encode() + b"\xff"
    assert auto_marked(body, TALK) == (body, ())


def test_what_was_set_is_noted() -> None:
    body = json.dumps({"system": LONG, "messages": [user("hi")]}).encode()
    _, notes = auto_marked(body, TALK)
    assert [f"{note.kind} {note.path} {note.reason}" for note in notes] == [
        "added cache_control on the system prompt, by the cache policy",
        "added cache_control on the last user turn, by the cache policy",
    ]


_BLOCKS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": st.text(min_size=1)}), max_size=3)
_CONTENTS = st.one_of(st.text(), _BLOCKS)
_MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": _CONTENTS}), max_size=4
)


@given(system=_CONTENTS, messages=_MESSAGES, padding=st.integers(0, 2 * CACHED_BYTES_MIN))
def test_whatever_the_body_only_marks_are_added_and_two_at_most(
    system: object, messages: list, padding: int
) -> None:
    members = {"model": "m", "system": system, "messages": messages, "metadata": {"x": "y" * padding}}
    body = marked(TALK, **{**members, "tools": [{"name": "f", "description": "z" * padding}]})
    assert len(places(body)) <= 2
    bare = _without_marks(body)
    for key in ("system", "messages"):
        assert _as_blocks(bare[key]) == _as_blocks(members[key])


def _without_marks(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_marks(one) for key, one in value.items() if key != "cache_control"}
    return [_without_marks(one) for one in value] if isinstance(value, list) else value


def _as_blocks(value: object) -> object:
    """A text and a list of one text block are the same to the vendor."""
    if isinstance(value, str):
        return [{"type": "text", "text": value}]
    if isinstance(value, list):
        return [
            {**one, "content": _as_blocks(one["content"])}
            if isinstance(one, dict) and "content" in one
            else one
            for one in value
        ]
    return value
