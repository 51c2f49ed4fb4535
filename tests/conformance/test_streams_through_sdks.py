"""Regression 89, for the two dialects whose SDKs have no helper that raises: no answer makes their accumulators stumble.

Any answer of canonical words is streamed by our encoder, each frame is read into the SDK's own types, and what the SDK puts
together is what was said. Messages and Responses have the same test beside their other SDK tests.
"""

import json

from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from allgate.core.usage import Usage
from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.contract import Asked
from allgate.dialects.seals import SealBox
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import Inline, Media, Part, Refusal, Seal, Text, Thinking, ToolCall
from allgate.operations.chat.request import ChatRequest, Reasoning, Turn
from allgate.operations.chat.response import ChatResponse, Choice, Finish

SEAL = Seal(origin="anthropic", scope="anthropic/a", form="signature", value="RXFRQg==")
SEALS = st.sampled_from([(), (SEAL,)])
TEXTS = st.text(max_size=8)
PARTS = st.one_of(
    st.builds(Text, text=TEXTS, seals=SEALS),
    st.builds(Thinking, text=TEXTS, seals=SEALS),
    st.builds(
        ToolCall,
        call_id=st.sampled_from(["a", "b c", "d" * 300]),
        name=st.just("f"),
        input=st.sampled_from(["", "{}", '{"a":1}', '{"a":{"b":[1,"x"]}}']),
        seals=SEALS,
    ),
    st.builds(Refusal, text=TEXTS),
    st.just(Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))),
)
ANSWERS = st.lists(PARTS, max_size=5).map(tuple)
USAGE = Usage(input_tokens=11, output_tokens=7, reasoning_tokens=2)


def frames(dialect: str, parts: tuple[Part, ...]) -> list[dict]:
    """The JSON of every frame that this answer is streamed in."""
    calls = any(isinstance(part, ToolCall) for part in parts)
    finish = Finish(reason="tool_calls" if calls else "stop")
    answer = ChatResponse(
        id="up", model="up", usage=USAGE, choices=(Choice(index=0, parts=parts, finish=finish),)
    )
    request = ChatRequest(
        dialect=dialect,
        model="m",
        turns=(Turn(role="user", parts=(Text(text="hi"),)),),
        reasoning=Reasoning(show="full"),
        stream=True,
        stream_usage=True,
    )
    asked = Asked(
        request=request, response_id="id", created_s=1, model="m", seals=SealBox((b"k" * 32,), "acct")
    )
    encoder = CHAT_DIALECTS[dialect].stream_encoder(asked)
    stream = b"".join(encoder.emit(event) for event in unfold(answer))
    data = [line[6:] for line in stream.replace(b"\r\n", b"\n").split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(one) for one in data if one != b"[DONE]"]


def said(parts: tuple[Part, ...], kind: type) -> str:
    return "".join(part.text for part in parts if isinstance(part, kind))


def calls_of(parts: tuple[Part, ...]) -> list[object]:
    return [json.loads(part.input or "{}") for part in parts if isinstance(part, ToolCall)]


@settings(deadline=None)
@given(ANSWERS)
def test_openais_accumulator_finds_the_chat_answer(parts: tuple[Part, ...]) -> None:
    state = ChatCompletionStreamState()
    for frame in frames("openai_chat", parts):
        state.handle_chunk(ChatCompletionChunk.model_validate(frame, strict=True))
    completion = state.get_final_completion()
    message = completion.choices[0].message
    assert (message.content or "") == said(parts, Text)
    assert (message.refusal or "") == said(parts, Refusal)
    assert [json.loads(call.function.arguments) for call in message.tool_calls or ()] == calls_of(parts)
    assert len({call.id for call in message.tool_calls or ()}) == len(
        {part.call_id for part in parts if isinstance(part, ToolCall)}
    )
    assert completion.usage is not None
    assert completion.usage.total_tokens == 18


@settings(deadline=None)
@given(ANSWERS)
def test_googles_types_find_the_gemini_answer(parts: tuple[Part, ...]) -> None:
    replies = [types.GenerateContentResponse.model_validate(frame) for frame in frames("gemini", parts)]
    found = [part for reply in replies for part in _parts(reply)]
    visible = "".join(part.text for part in found if part.text and not part.thought)
    assert visible == "".join(part.text for part in parts if isinstance(part, (Text, Refusal)))
    assert [part.function_call.args or {} for part in found if part.function_call] == calls_of(parts)
    assert sum(part.inline_data is not None for part in found) == sum(
        isinstance(part, Media) for part in parts
    )
    finishes = [reply.candidates[0].finish_reason for reply in replies if reply.candidates]
    assert [one for one in finishes if one is not None] == [types.FinishReason.STOP]
    assert finishes[-1] is not None, "the finish is last"
    assert replies[-1].usage_metadata is not None
    assert replies[-1].usage_metadata.total_token_count == 18


def _parts(reply: types.GenerateContentResponse) -> list[types.Part]:
    content = reply.candidates[0].content if reply.candidates else None
    return list(content.parts or ()) if content is not None else []
