import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.operations.chat.normal import NO_RESULT
from allgate.operations.chat.parts import Inline, Media, Text, ToolCall
from allgate.operations.chat.request import OutputFormat, Turn
from dialects.anthropic.exchange import (
    BUDGET,
    FOREIGN,
    USER,
    answered,
    assistant,
    decoded,
    encoded,
    note_paths,
    user,
)

PICTURE = Media(kind="image", source=Inline(mime="image/png", base64="iVBO"))


def say(role, *texts: str) -> Turn:
    return Turn(role=role, parts=tuple(Text(text=text) for text in texts))


def calls(*ids: str) -> Turn:
    return Turn(
        role="assistant", parts=tuple(ToolCall(call_id=call_id, name="f", input="{}") for call_id in ids)
    )


def messages(*turns: Turn, **narrowed) -> list[tuple[str, list]]:
    body = encoded(changed(FOREIGN, turns=turns), **narrowed)
    return [
        (message["role"], [_short(block) for block in message["content"]]) for message in body["messages"]
    ]


def _short(block: dict):
    return block.get("text") or block.get("tool_use_id") or block.get("id") or block["type"]


def test_regression_30_parallel_results_are_one_message_in_call_order():
    history = (USER, calls("a", "b", "c"), answered("a"), say("user", "more"))
    turn = Turn(role="tool", parts=answered("a").parts + answered("b").parts + answered("c").parts)
    assert messages(*history[:2], turn, history[3]) == [
        ("user", ["hi"]), ("assistant", ["a", "b", "c"]), ("user", ["a", "b", "c", "more"]),
    ]  # fmt: skip


def test_regression_31_merging_keeps_every_call():
    assert messages(USER, calls("a"), calls("b"), answered("a"))[1] == ("assistant", ["a", "b"])


def test_messages_of_one_role_are_merged():
    assert messages(say("user", "a"), say("user", "b"), say("assistant", "c"), say("user", "d")) == [
        ("user", ["a", "b"]), ("assistant", ["c"]), ("user", ["d"]),
    ]  # fmt: skip


def test_a_system_message_stands_where_it_may():
    turns = (USER, say("system", "s"), say("assistant", "a"), USER)
    assert [role for role, _ in messages(*turns)] == ["user", "system", "assistant", "user"]


def test_a_system_message_after_an_answer_waits_for_the_next_user_message():
    turns = (USER, say("assistant", "a"), say("system", "s"), USER, say("assistant", "b"), USER)
    assert [role for role, _ in messages(*turns)] == [
        "user",
        "assistant",
        "user",
        "system",
        "assistant",
        "user",
    ]


def test_a_system_message_that_is_not_taken_is_user_text_in_its_place():
    reminder = "<system-reminder>\nbe brief\n</system-reminder>"
    turns = (USER, say("system", "be brief"), say("assistant", "a"), USER)
    assert messages(*turns, mid_system=False) == [
        ("user", ["hi", reminder]),
        ("assistant", ["a"]),
        ("user", ["hi"]),
    ]
    loop = (USER, calls("a"), answered("a"), say("developer", "be brief"))
    assert messages(*loop, mid_system=False)[-1] == ("user", ["a", reminder])


def test_the_first_message_is_the_user_s():
    assert messages(say("assistant", "a"), USER) == [
        ("user", ["(continue)"]),
        ("assistant", ["a"]),
        ("user", ["hi"]),
    ]


def test_a_prefill_loses_its_trailing_white_space():
    assert messages(USER, say("assistant", "{ \n"))[-1] == ("assistant", ["{"])


def test_without_prefill_the_user_asks_to_continue():
    role, blocks = messages(USER, say("assistant", "{"), prefill=False)[-1]
    assert role == "user"
    assert blocks[0].startswith("Continue")
    request = changed(FOREIGN, turns=(USER, say("assistant", "{")), output=OutputFormat(kind="json_object"))
    assert encoded(request)["messages"][-1]["role"] == "user"
    assert "messages" in note_paths(request)


def test_a_paused_answer_is_sent_back_as_it_is():
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
    request = decoded(messages=[user("hi"), assistant("let me look", search)])
    assert encoded(request, prefill=False)["messages"][-1] == assistant("let me look", search)


def test_a_call_at_the_very_end_is_answered():
    body = encoded(changed(FOREIGN, turns=(USER, calls("a"))))
    assert body["messages"][-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": NO_RESULT, "is_error": True}
    ]


def test_a_picture_of_the_assistant_opens_the_next_user_message():
    turns = (USER, Turn(role="assistant", parts=(Text(text="here"), PICTURE)), say("user", "again"))
    assert messages(*turns) == [
        ("user", ["hi"]), ("assistant", ["here"]),
        ("user", ["[image produced by the assistant above]", "image", "again"]),
    ]  # fmt: skip
    assert messages(*turns[:2])[-1] == ("user", ["[image produced by the assistant above]", "image"])


def test_pictures_never_stand_before_results():
    turn = changed(calls("a"), parts=(PICTURE, *calls("a").parts))
    assert messages(USER, turn, answered("a"))[-1] == (
        "user",
        ["a", "[image produced by the assistant above]", "image"],
    )


def test_regression_33_an_empty_user_message_says_so():
    assert messages(Turn(role="user", parts=())) == [("user", ["(empty message)"])]
    assert messages(say("user", " \n")) == [("user", ["(empty message)"])]


def test_regression_32_empty_text_beside_a_call_is_left_out():
    turn = Turn(role="assistant", parts=(Text(text=" "), *calls("a").parts))
    assert messages(USER, turn, answered("a"))[1] == ("assistant", ["a"])


def test_no_message_at_all_is_refused():
    with pytest.raises(WireError, match="at least one user message"):
        messages(mid_system=BUDGET.mid_system)


def test_a_speaker_s_name_is_noted():
    assert "messages.name" in note_paths(changed(FOREIGN, turns=(changed(USER, name="jo"),)))
