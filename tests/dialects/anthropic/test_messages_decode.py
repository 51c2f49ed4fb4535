import pytest

from allgate.core.errors import WireError
from allgate.dialects.seals import SealBox
from allgate.operations.chat.notes import Note
from allgate.operations.chat.parts import (
    CacheMark,
    Inline,
    Media,
    Opaque,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from dialects.anthropic.exchange import (
    BOX,
    assistant,
    decoded,
    native,
    other_seal,
    parts_of,
    result,
    use,
    user,
)

DECLARED = Seal(origin="anthropic", scope="client-declared", form="signature", value="c2ln")


def thinking(text: str = "hm", signature: str | None = "c2ln") -> dict:
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted(data: str) -> dict:
    return {"type": "redacted_thinking", "data": data}


def test_a_string_and_one_text_block_are_the_same():
    assert decoded(messages=[user("hi")]) == decoded(messages=[{"role": "user", "content": "hi"}])


def test_members_beside_content_are_kept():
    marked = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "scope": "org"}, "odd": 1}
    turn = decoded(messages=[{**user(marked), "output_config": {"effort": "low"}}]).turns[0]
    part = turn.parts[0]
    assert turn.extra == {"anthropic": {"output_config": {"effort": "low"}}}
    assert part.cache == CacheMark()
    assert part.extra == {"anthropic": {"odd": 1, "_cache_control": {"scope": "org"}}}


def test_results_leave_the_user_message_and_the_rest_stays():
    request = decoded(messages=[user("go"), assistant("ok", use(a=1)), user(result(content="42"), "more")])
    assert [turn.role for turn in request.turns] == ["user", "assistant", "tool", "user"]
    call, answer = request.turns[1].parts[1], request.turns[2].parts[0]
    assert (call.call_id, call.name, call.input) == ("toolu_1", "f", '{"a":1}')
    assert answer == ToolResult(call_id="toolu_1", name="f", parts=(Text(text="42"),))


def test_arguments_keep_large_integers_and_order():
    call = decoded(messages=[user("go"), assistant(use(b=2**63 + 1, a=1))]).turns[1].parts[0]
    assert call.input == '{"b":9223372036854775809,"a":1}'


def test_a_result_holds_texts_pictures_and_what_tools_found():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}
    reference = {"type": "tool_reference", "tool_name": "Grep"}
    content = [{"type": "text", "text": "a"}, image, reference, {"type": "novel", "x": 1}]
    request = decoded(messages=[user("go"), assistant(use()), user(result(content=content, is_error=True))])
    answer = request.turns[2].parts[0]
    assert answer.is_error
    assert answer.parts == (
        Text(text="a"),
        Media(kind="image", source=Inline(mime="image/png", base64="iVBO")),
        Text(text="Tool Grep is now available.", extra={"anthropic": {"_block": reference}}),
        Opaque(dialect="anthropic", raw={"type": "novel", "x": 1}),
    )


@pytest.mark.parametrize("content", [None, "", []])
def test_a_result_may_be_empty(content):
    request = decoded(messages=[user("go"), assistant(use()), user(result(content=content))])
    assert request.turns[2].parts[0].parts == ()


def test_a_native_signature_is_declared_by_the_client():
    assert parts_of(thinking(), role="assistant") == (Thinking(text="hm", seals=(DECLARED,)),)
    assert parts_of(redacted("ZGF0"), role="assistant") == (
        Thinking(form="hidden", seals=(native("ZGF0", "redacted", "client-declared"),)),
    )


@pytest.mark.parametrize("signature", [None, ""])
def test_regression_39_a_missing_signature_is_no_seal(signature):
    """Claude Code sends "" for thinking that came without one."""
    assert parts_of(thinking(signature=signature), role="assistant") == (Thinking(text="hm"),)


def test_thinking_with_neither_text_nor_seal_is_nothing():
    assert parts_of(thinking("", ""), "a", role="assistant") == (Text(text="a"),)


def test_regression_15_a_foreign_seal_comes_out_of_its_envelope():
    seal = other_seal()
    assert parts_of(thinking(signature=BOX.wrap(seal)), role="assistant") == (
        Thinking(text="hm", seals=(seal,)),
    )
    encrypted = other_seal(form="encrypted", origin="openai")
    assert parts_of(redacted(BOX.wrap(encrypted)), role="assistant") == (
        Thinking(form="hidden", seals=(encrypted,)),
    )


def test_a_seal_that_rode_before_its_part_goes_back_onto_it():
    first, second = other_seal("QQ=="), other_seal("Qg==")
    parts = parts_of(
        redacted(BOX.wrap(first, next_part=True)),
        use(),
        redacted(BOX.wrap(second, next_part=True)),
        "b",
        role="assistant",
    )
    assert [part.seals for part in parts] == [(first,), (second,)]
    assert isinstance(parts[0], ToolCall)


def test_a_seal_that_came_last_is_an_empty_text_as_gemini_sends_it():
    seal = other_seal()
    for envelope in (BOX.wrap(seal), BOX.wrap(seal, next_part=True)):
        assert parts_of("a", redacted(envelope), role="assistant")[1:] == (Text(text="", seals=(seal,)),)


def test_a_forged_envelope_is_dropped_with_a_note_and_never_an_error():
    stranger = SealBox((b"x" * 32,), "account-2").wrap(other_seal())
    request = decoded(messages=[user("go"), assistant(thinking(signature=stranger), "a")])
    assert request.turns[1].parts == (Thinking(text="hm"), Text(text="a"))
    assert [(note.kind, note.path) for note in request.notes] == [
        ("dropped", "messages.1.content.0.signature")
    ]


def test_a_compaction_is_told_to_others_as_its_summary():
    block = {"type": "compaction", "content": "So far: …"}
    assert parts_of(block, role="assistant") == (
        Text(text="So far: …", extra={"anthropic": {"_block": block}}),
    )
    assert isinstance(parts_of({"type": "compaction", "content": None}, role="assistant")[0], Opaque)


def test_a_search_result_is_text_for_others():
    block = {
        "type": "search_result",
        "title": "T",
        "source": "https://e.x",
        "content": [{"type": "text", "text": "body"}],
    }
    (part,) = parts_of(block)
    assert part == Text(text="T\nhttps://e.x\n\nbody", extra={"anthropic": {"_block": block}})


def test_an_unknown_block_is_kept_whole():
    block = {"type": "container_upload", "file_id": "file_1"}
    assert parts_of(block) == (Opaque(dialect="anthropic", raw=block),)


def test_a_call_without_a_result_is_answered_with_an_error():
    request = decoded(messages=[user("go"), assistant(use()), user("never mind")])
    assert [turn.role for turn in request.turns] == ["user", "assistant", "tool", "user"]
    assert request.notes == (Note(kind="repaired", path="tool calls", reason="a call without a result"),)


@pytest.mark.parametrize(
    ("block", "param"),
    [
        ({"type": "tool_use", "id": "t", "name": 1, "input": {}}, "messages.0.content.0.name"),
        ({"type": "tool_use", "id": "t", "name": "f", "input": "{}"}, "messages.0.content.0.input"),
        ({"type": "tool_result", "tool_use_id": 1}, "messages.0.content.0.tool_use_id"),
        ({"type": "tool_result", "tool_use_id": "t", "content": 1}, "messages.0.content.0.content"),
        ({"type": "thinking", "thinking": 1}, "messages.0.content.0.thinking"),
        ({"type": "image"}, "messages.0.content.0.source"),
        ({"type": "image", "source": {"type": "magic"}}, "messages.0.content.0.source.type"),
    ],
)
def test_a_wrong_type_inside_a_block_is_refused_by_its_path(block, param):
    with pytest.raises(WireError) as caught:
        decoded(messages=[assistant(block)])
    assert caught.value.failure.param == param
