"""One question with settings, asked with each vendor's own SDK: stop sequences, several answers, an answer in JSON."""

from typing import Any, NamedTuple

from conversations.talkers import Sdks

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}


class Wish(NamedTuple):
    """What is asked for. `stop` is nothing that a client of Responses can say, `n` only one of Chat and Gemini; `tool`
    declares a function beside."""

    prompt: str
    stop: tuple[str, ...] = ()
    n: int = 1
    schema: bool = False
    tool: bool = False


TOOL, ABOUT = "weather_lookup", "The weather in a city."


class Said(NamedTuple):
    """The answers, in the words of the client's dialect."""

    texts: tuple[str, ...]
    finish: str
    stop: str | None = None


async def ask(sdks: Sdks, client: str, model: str, wish: Wish, *, stream: bool) -> Said:
    """Raises: whatever that SDK raises."""
    return await _ASKERS[client](sdks, model, wish, stream)


async def _chat(sdks: Sdks, model: str, wish: Wish, stream: bool) -> Said:
    asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": wish.prompt}]}
    asked |= {"stop": list(wish.stop)} if wish.stop else {}
    asked |= {"n": wish.n} if wish.n > 1 else {}
    if wish.schema:
        form = {"name": "place", "schema": SCHEMA, "strict": True}
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    if wish.tool:
        function = {"name": TOOL, "description": ABOUT, "parameters": SCHEMA, "strict": True}
        asked["tools"] = [{"type": "function", "function": function}]
    if stream:
        async with sdks.openai.chat.completions.stream(**asked) as events:
            answer = await events.get_final_completion()
    else:
        answer = await sdks.openai.chat.completions.create(**asked)
    texts = tuple(choice.message.content or "" for choice in answer.choices)
    return Said(texts, answer.choices[0].finish_reason)


async def _responses(sdks: Sdks, model: str, wish: Wish, stream: bool) -> Said:
    asked: dict[str, Any] = {"model": model, "input": wish.prompt}
    if wish.schema:
        form = {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}
        asked["text"] = {"format": form}
    if wish.tool:
        function = {"name": TOOL, "description": ABOUT, "parameters": SCHEMA, "strict": True}
        asked["tools"] = [{"type": "function", **function}]
    if stream:
        async with sdks.openai.responses.stream(**asked) as events:
            answer = await events.get_final_response()
    else:
        answer = await sdks.openai.responses.create(**asked)
    return Said((answer.output_text,), answer.status or "")


async def _anthropic(sdks: Sdks, model: str, wish: Wish, stream: bool) -> Said:
    asked: dict[str, Any] = {"model": model, "max_tokens": 1_000}
    asked["messages"] = [{"role": "user", "content": wish.prompt}]
    asked |= {"stop_sequences": list(wish.stop)} if wish.stop else {}
    asked |= {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}} if wish.schema else {}
    tool = {"name": TOOL, "description": ABOUT, "input_schema": SCHEMA}
    asked |= {"tools": [tool]} if wish.tool else {}
    if stream:
        async with sdks.anthropic.messages.stream(**asked) as events:
            answer = await events.get_final_message()
    else:
        answer = await sdks.anthropic.messages.create(**asked)
    text = "".join(block.text for block in answer.content if block.type == "text")
    return Said((text,), answer.stop_reason or "", answer.stop_sequence)


async def _gemini(sdks: Sdks, model: str, wish: Wish, stream: bool) -> Said:
    config: dict[str, Any] = {"stop_sequences": list(wish.stop)} if wish.stop else {}
    config |= {"candidate_count": wish.n} if wish.n > 1 else {}
    if wish.schema:
        config |= {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
    if wish.tool:
        function = {"name": TOOL, "description": ABOUT, "parameters_json_schema": SCHEMA}
        config |= {"tools": [{"function_declarations": [function]}]}
        config |= {"automatic_function_calling": {"disable": True}}
    asked: dict[str, Any] = {"model": model, "contents": wish.prompt, "config": config}
    if stream:
        chunks = [chunk async for chunk in await sdks.genai.aio.models.generate_content_stream(**asked)]
    else:
        chunks = [await sdks.genai.aio.models.generate_content(**asked)]
    texts: dict[int, str] = {}
    finish = ""
    for candidate in (candidate for chunk in chunks for candidate in chunk.candidates or ()):
        parts = (candidate.content.parts if candidate.content else None) or ()
        said = "".join(part.text for part in parts if part.text and not part.thought)
        texts[candidate.index or 0] = texts.get(candidate.index or 0, "") + said
        finish = candidate.finish_reason.name if candidate.finish_reason else finish
    return Said(tuple(text for _, text in sorted(texts.items())), finish)


_ASKERS = {"openai_chat": _chat, "openai_responses": _responses, "anthropic": _anthropic, "gemini": _gemini}
