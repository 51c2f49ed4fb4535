from allgate.operations.chat.parts import Inline, Media, Text, ToolCall, ToolResult
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.tools import Function
from allgate.operations.tokens import TOKENS_PER_PICTURE, count_request, count_text


def asked(*turns: Turn, **fields: object) -> ChatRequest:
    return ChatRequest(dialect="openai_chat", model="m", turns=turns, **fields)


def user(*parts: object) -> Turn:
    return Turn(role="user", parts=parts)


def test_text_is_counted_with_the_o200k_vocabulary() -> None:
    assert count_text("") == 0
    assert count_text("hello world") == 2
    assert count_text("<|endoftext|>") > 1  # a control token in a user's text is text


def test_everything_that_reaches_the_model_adds_to_the_count() -> None:
    bare = count_request(asked(user(Text(text="hello"))))
    picture = Media(kind="image", source=Inline(mime="image/png", base64="AAAA"))
    tool = Function(name="weather", description="The weather.", schema={"type": "object"})
    call = ToolCall(call_id="1", name="weather", input='{"city":"Paris"}')
    result = ToolResult(call_id="1", parts=(Text(text="sunny and warm"),))
    longer = [
        asked(user(Text(text="hello")), system=(Text(text="be brief"),)),
        asked(user(Text(text="hello")), tools=(tool,)),
        asked(
            user(Text(text="hello")),
            Turn(role="assistant", parts=(call,)),
            Turn(role="tool", parts=(result,)),
        ),
    ]
    assert all(count_request(request) > bare for request in longer)
    assert count_request(asked(user(Text(text="hello"), picture))) >= bare + TOKENS_PER_PICTURE
