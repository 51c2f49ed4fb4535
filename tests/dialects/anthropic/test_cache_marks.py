from allgate.core.value import changed
from allgate.operations.chat.parts import CacheMark, Text, ToolCall
from allgate.operations.chat.request import CacheHints, Turn
from allgate.operations.chat.tools import Function
from dialects.anthropic.exchange import FOREIGN, USER, answered, encoded, note_paths

MARK = CacheMark()
CONTROL = {"type": "ephemeral"}


def marked(text: str) -> Text:
    return Text(text=text, cache=MARK)


REQUEST = changed(
    FOREIGN,
    tools=(Function(name="f", cache=MARK),),
    system=(marked("s"),),
    turns=(
        USER,
        Turn(role="assistant", parts=(ToolCall(call_id="a", name="f", cache=MARK),)),
        answered("a", marked("inner"), cache=MARK),
        Turn(role="user", parts=(marked("last"),)),
    ),
)


def marks(body: dict) -> list[str]:
    found = ["tools"] * sum("cache_control" in tool for tool in body["tools"])
    found += ["system"] * sum("cache_control" in block for block in body["system"])
    for message in body["messages"]:
        for block in message["content"]:
            found += ["inner"] * ("cache_control" in str(block.get("content")))
            found += [block["type"]] * ("cache_control" in block)
    return found + ["request"] * ("cache_control" in body)


def test_the_last_breakpoints_are_kept():
    assert marks(encoded(REQUEST)) == ["tool_use", "inner", "tool_result", "text"]
    assert "cache_control" in note_paths(REQUEST)


def test_a_breakpoint_for_the_whole_request_counts_as_the_last():
    assert marks(encoded(changed(REQUEST, cache=CacheHints(auto=True)), cache_marks_max=2)) == [
        "text",
        "request",
    ]


def test_without_an_explicit_cache_none_is_sent():
    assert marks(encoded(REQUEST, cache="none")) == []
    assert "cache_control" in note_paths(REQUEST, cache="none")


def test_the_request_itself_is_not_touched():
    before = repr(REQUEST)
    encoded(REQUEST, cache="none")
    assert repr(REQUEST) == before
