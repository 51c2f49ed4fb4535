"""The seven rules of the normal form, one by one, and what must hold for any history."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.operations.chat.normal import NO_RESULT, normal_form
from allgate.operations.chat.parts import Inline, Media, Part, Seal, Text, ToolCall, ToolResult, Url
from allgate.operations.chat.request import Role, Turn


def say(role: Role, *texts: str) -> Turn:
    return Turn(role=role, parts=tuple(Text(text=text) for text in texts))


def call(call_id: str, name: str = "f", input: str = "{}") -> ToolCall:
    return ToolCall(call_id=call_id, name=name, input=input)


def answer(call_id: str, text: str = "ok", name: str | None = None) -> ToolResult:
    return ToolResult(call_id=call_id, name=name, parts=(Text(text=text),))


def assistant(*parts: Part) -> Turn:
    return Turn(role="assistant", parts=parts)


def tool(*parts: Part) -> Turn:
    return Turn(role="tool", parts=parts)


def roles(turns: tuple[Turn, ...]) -> list[str]:
    return [turn.role for turn in turns]


def results_of(turn: Turn) -> list[tuple[str, str]]:
    return [
        (part.call_id, "".join(piece.text for piece in part.parts if isinstance(piece, Text)))
        for part in turn.parts
        if isinstance(part, ToolResult)
    ]


def test_leading_system_and_developer_turns_become_system_and_later_ones_stay() -> None:
    turns = [say("system", "a"), say("developer", "b", "c"), say("user", "hi"), say("system", "late")]
    system, rest, notes = normal_form((Text(text="given"),), turns)
    assert [text.text for text in system] == ["given", "a", "b", "c"]
    assert roles(rest) == ["user", "system"]
    assert notes == ()


def test_a_hoisted_turn_with_more_than_text_beside_it_is_noted() -> None:
    turn = Turn(role="system", parts=(Text(text="a"),), extra={"anthropic": {"output_config": {}}})
    _, _, notes = normal_form((), [turn, say("user", "hi")])
    assert [note.kind for note in notes] == ["dropped"]


def test_separate_tool_turns_become_one_in_call_order() -> None:
    turns = [
        assistant(call("1"), call("2"), call("3")),
        tool(answer("3")),
        tool(answer("1")),
        tool(answer("2")),
    ]
    _, rest, notes = normal_form((), turns)
    assert roles(rest) == ["assistant", "tool"]
    assert [call_id for call_id, _ in results_of(rest[1])] == ["1", "2", "3"]
    assert notes == ()


def test_results_inside_a_user_turn_leave_it_and_the_text_stays() -> None:
    turns = [assistant(call("1")), Turn(role="user", parts=(answer("1"), Text(text="go on")))]
    _, rest, _ = normal_form((), turns)
    assert roles(rest) == ["assistant", "tool", "user"]
    assert rest[2].parts == (Text(text="go on"),)


def test_a_result_moves_back_behind_its_call() -> None:
    turns = [assistant(call("1")), say("system", "note"), say("user", "wait"), tool(answer("1"))]
    _, rest, _ = normal_form((), turns)
    assert roles(rest) == ["assistant", "tool", "system", "user"]


def test_the_members_of_a_result_only_user_turn_follow_its_results() -> None:
    turns = [assistant(call("1")), Turn(role="user", parts=(answer("1"),), extra={"anthropic": {"k": 1}})]
    _, rest, _ = normal_form((), turns)
    assert rest[1].extra == {"anthropic": {"k": 1}}


def test_consecutive_assistant_turns_merge_and_their_calls_share_a_tool_turn() -> None:
    turns = [
        assistant(Text(text="a")),
        assistant(call("1")),
        assistant(call("2")),
        tool(answer("1"), answer("2")),
    ]
    _, rest, _ = normal_form((), turns)
    assert roles(rest) == ["assistant", "tool"]
    assert len(rest[0].parts) == 3


def test_assistant_turns_with_results_between_them_stay_apart() -> None:
    turns = [assistant(call("1")), tool(answer("1")), assistant(call("2")), tool(answer("2"))]
    assert roles(normal_form((), turns)[1]) == ["assistant", "tool", "assistant", "tool"]


def test_assistant_turns_of_different_id_phase_or_extra_stay_apart() -> None:
    first = Turn(role="assistant", parts=(Text(text="a"),), id="m1", phase="commentary")
    for second in (
        Turn(role="assistant", parts=(Text(text="b"),), id="m2"),
        Turn(role="assistant", parts=(Text(text="b"),), phase="final"),
    ):
        assert len(normal_form((), [first, second])[1]) == 2
    merged = normal_form((), [first, assistant(call("1"))])[1]
    assert len(merged) == 1
    assert (merged[0].id, merged[0].phase) == ("m1", "commentary")


def test_user_turns_are_left_as_they_are() -> None:
    assert roles(normal_form((), [say("user", "a"), say("user", "b")])[1]) == ["user", "user"]


def test_a_call_without_an_id_gets_one_from_its_content() -> None:
    turns = [
        assistant(call("", "f", '{"a":1}'), call("", "f", '{"a":2}')),
        tool(answer("", "x", "f"), answer("", "y", "f")),
    ]
    first = normal_form((), turns)[1]
    ids = [part.call_id for part in first[0].parts if isinstance(part, ToolCall)]
    assert len(set(ids)) == 2
    assert results_of(first[1]) == [(ids[0], "x"), (ids[1], "y")]
    assert normal_form((), turns)[1] == first


def test_results_without_ids_are_matched_by_name_before_position() -> None:
    turns = [assistant(call("", "f"), call("", "g")), tool(answer("", "of g", "g"), answer("", "of f", "f"))]
    assert [text for _, text in results_of(normal_form((), turns)[1][1])] == ["of f", "of g"]


def test_a_result_takes_name_and_kind_from_its_call() -> None:
    custom = ToolCall(call_id="1", name="patch", input="raw", input_kind="text", builtin="apply_patch")
    _, rest, _ = normal_form((), [assistant(custom), tool(answer("1"))])
    result = rest[1].parts[0]
    assert isinstance(result, ToolResult)
    assert (result.name, result.input_kind, result.builtin) == ("patch", "text", "apply_patch")


def test_empty_texts_and_the_turns_they_leave_are_dropped() -> None:
    turns = [say("user", "hi", ""), say("assistant", ""), say("user", "")]
    _, rest, _ = normal_form((Text(text=""),), turns)
    assert rest == (say("user", "hi"),)


def test_a_sealed_empty_text_is_kept() -> None:
    seal = Seal(origin="gemini", scope="s", form="thought", value="QQ==")
    turn = assistant(Text(text="", seals=(seal,)))
    assert normal_form((), [say("user", "hi"), turn])[1][1] == turn


def test_the_only_user_turn_stays_although_empty() -> None:
    assert normal_form((), [say("user", "")])[1] == (Turn(role="user", parts=()),)


def test_data_urls_become_inline_also_inside_results() -> None:
    picture = Media(kind="image", source=Url(url="data:image/png;base64,iVBO"))
    turns = [
        assistant(call("1")),
        tool(ToolResult(call_id="1", parts=(picture,))),
        Turn(role="user", parts=(picture,)),
    ]
    _, rest, _ = normal_form((), turns)
    inline = Media(kind="image", source=Inline(mime="image/png", base64="iVBO"))
    result = rest[1].parts[0]
    assert isinstance(result, ToolResult)
    assert result.parts == (inline,)
    assert rest[2].parts == (inline,)


def test_a_call_without_a_result_gets_an_error_result_only_before_a_later_turn() -> None:
    _, rest, notes = normal_form((), [assistant(call("1")), say("user", "hm")])
    assert roles(rest) == ["assistant", "tool", "user"]
    result = rest[1].parts[0]
    assert isinstance(result, ToolResult)
    assert result.is_error
    assert results_of(rest[1]) == [("1", NO_RESULT)]
    assert notes[0].kind == "repaired"
    assert roles(normal_form((), [say("user", "a"), assistant(call("1"))])[1]) == ["user", "assistant"]


def test_one_missing_result_of_a_batch_is_filled_in() -> None:
    _, rest, _ = normal_form((), [assistant(call("1"), call("2")), tool(answer("2"))])
    assert results_of(rest[1]) == [("1", NO_RESULT), ("2", "ok")]


def test_a_result_without_a_call_becomes_user_text() -> None:
    _, rest, notes = normal_form((), [say("user", "hi"), tool(answer("x", "lost"))])
    assert rest[1] == say("user", "[tool result x]\nlost")
    assert notes[0].kind == "repaired"


def test_the_last_of_two_results_for_one_call_is_kept_and_noted() -> None:
    _, rest, notes = normal_form((), [assistant(call("1")), tool(answer("1", "old"), answer("1", "new"))])
    assert results_of(rest[1]) == [("1", "new")]
    assert notes[0].kind == "repaired"


def test_an_id_used_again_in_a_later_step_belongs_to_that_step() -> None:
    turns = [assistant(call("0")), tool(answer("0", "a")), assistant(call("0")), tool(answer("0", "b"))]
    _, rest, notes = normal_form((), turns)
    assert [results_of(turn) for turn in rest if turn.role == "tool"] == [[("0", "a")], [("0", "b")]]
    assert notes == ()


_ids = st.sampled_from(["", "1", "2", "3"])
_parts = st.one_of(
    st.builds(Text, text=st.sampled_from(["", "a", "b"])),
    st.builds(call, _ids, st.sampled_from(["f", "g"])),
    st.builds(answer, _ids),
)
_turns = st.lists(
    st.builds(
        Turn,
        role=st.sampled_from(["user", "assistant", "tool", "system"]),
        parts=st.lists(_parts, max_size=4).map(tuple),
        id=st.sampled_from([None, "m1", "m2"]),
    ),
    max_size=8,
)


def _calls_outside_assistants_removed(turns: list[Turn]) -> list[Turn]:
    return [
        Turn(
            role=t.role,
            id=t.id,
            parts=tuple(p for p in t.parts if not isinstance(p, ToolCall) or t.role == "assistant"),
        )
        for t in turns
    ]


@settings(max_examples=200, deadline=None)
@given(_turns)
def test_any_history_comes_out_normal_and_stays_so(turns: list[Turn]) -> None:
    turns = _calls_outside_assistants_removed(turns)
    system, rest, _ = normal_form((), turns)
    again = normal_form(system, rest)
    assert again == (system, rest, ())
    for before, turn in zip((None, *rest), rest, strict=False):
        results = [part for part in turn.parts if isinstance(part, ToolResult)]
        assert bool(results) == (turn.role == "tool")
        if turn.role == "tool":
            assert before is not None
            wanted = [part.call_id for part in before.parts if isinstance(part, ToolCall)]
            assert [part.call_id for part in results] == wanted


@settings(max_examples=200, deadline=None)
@given(_turns)
def test_no_text_and_no_call_is_lost(turns: list[Turn]) -> None:
    turns = _calls_outside_assistants_removed(turns)
    system, rest, _ = normal_form((), turns)
    before = Counter(p.text for t in turns for p in t.parts if isinstance(p, Text) and p.text)
    after = Counter(p.text for p in system) + Counter(
        p.text for t in rest for p in t.parts if isinstance(p, Text) and not p.text.startswith("[tool result")
    )
    assert before == after
    assert sum(isinstance(p, ToolCall) for t in turns for p in t.parts) == sum(
        isinstance(p, ToolCall) for t in rest for p in t.parts
    )
