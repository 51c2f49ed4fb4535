"""What single vendors want otherwise than their dialect says, by the rows that ship."""

import json

import pytest

from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.contract import Sent
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import CacheMark, Text, Thinking, ToolCall, ToolResult
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.tools import Function
from allgate.wiring.registry import packaged_providers

CHAT = CHAT_DIALECTS["openai_chat"]
ASKED = Turn(role="user", parts=(Text(text="hi"),))


def caps_of(provider: str, dialect: str = "openai_chat") -> Caps:
    speaks = packaged_providers()[provider].in_dialect(dialect)
    assert speaks is not None
    return speaks.caps


def request(*turns: Turn) -> ChatRequest:
    return ChatRequest(
        dialect="anthropic", model="m", turns=(ASKED, *turns), tools=(Function(name="f", schema={}),)
    )


def body(asking: ChatRequest, provider: str) -> dict:
    return json.loads(CHAT.encode_request(asking, "up", caps_of(provider)).body)


@pytest.mark.parametrize("call_id", ["toolu_01A09q90qw90lq917835lq9", "call_1", "", "a b", "D681PevKs"])
def test_mistral_gets_ids_of_nine_letters_and_digits_in_call_and_result_alike(call_id: str) -> None:
    call = Turn(role="assistant", parts=(ToolCall(call_id=call_id, name="f", input="{}"),))
    result = Turn(role="tool", parts=(ToolResult(call_id=call_id, parts=(Text(text="ok"),)),))
    _, called, answered = body(request(call, result), "mistral")["messages"]
    sent = called["tool_calls"][0]["id"]
    assert len(sent) == 9
    assert sent.isalnum()
    assert answered["tool_call_id"] == sent
    assert sent == call_id or call_id != "D681PevKs"


def test_what_openrouters_models_sealed_goes_back_to_openrouter_and_to_nobody_else() -> None:
    details = [
        {
            "type": "reasoning.text",
            "text": "hm",
            "signature": "c2lnbmVk",
            "format": "anthropic-claude-v1",
            "index": 0,
        },
        {"type": "reasoning.encrypted", "data": "c2VhbGVk", "format": "openai-responses-v1", "index": 1},
    ]
    message = {"role": "assistant", "content": "hello", "reasoning": "hm", "reasoning_details": details}
    reply = {"id": "x", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    answer = CHAT.decode_response(
        json.dumps(reply).encode(), Sent(request=request(), caps=caps_of("openrouter"))
    )
    parts = answer.choices[0].parts
    assert isinstance(parts[0], Thinking)
    assert parts[0].seals[0].origin == "openrouter"
    history = request(Turn(role="assistant", parts=parts), ASKED)
    assert body(history, "openrouter")["messages"][1]["reasoning_details"] == details
    for other in ("openai", "deepseek", "xai"):
        assert "reasoning_details" not in body(history, other)["messages"][1]
    on_responses = CHAT_DIALECTS["openai_responses"].encode_request(
        history, "up", caps_of("openrouter", "openai_responses")
    )
    assert b"c2VhbGVk" not in on_responses.body, "a seal of one of its doors is none at the other"


def test_a_cache_mark_reaches_openrouter_in_the_word_that_it_passes_on() -> None:
    marked = Turn(role="user", parts=(Text(text="long", cache=CacheMark(ttl="1h")),))
    (part,) = body(request(marked), "openrouter")["messages"][-1]["content"]
    assert part["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
