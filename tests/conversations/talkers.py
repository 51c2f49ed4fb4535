"""The four vendors' SDKs as clients of a conversation: each sends back exactly what it was given.

Chat and Responses append the SDK's own message and items (or, where the gateway keeps them, only name the last answer), Anthropic the SDK's own content, Google's chat session keeps
its history by itself (every chunk of a stream as a content of its own). Streams are read with each SDK's own helper.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import types

from conversations.words import ABOUT, SCHEMA, TOOLS, Call, Heard, Result, Talker, base64_text


class Sdks:
    """The vendors' clients, all pointed at one gateway."""

    def __init__(self, url: str, key: str) -> None:
        self.openai = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        self.anthropic = anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0)
        self.genai = genai.Client(api_key=key, http_options={"base_url": url, "api_version": "v1beta"})

    def talker(self, dialect: str, model: str, *, stream: bool, think: str = "") -> Talker:
        """A new conversation with `model`. `think`: how to ask for thinking, "budget" or "level", where a dialect has both."""
        match dialect:
            case "openai_chat":
                return ChatTalker(self.openai, model, stream, think)
            case "openai_responses":
                return ResponsesTalker(self.openai, model, stream, think)
            case "kept_responses":
                return KeptTalker(self.openai, model, stream, think)
            case "anthropic":
                return AnthropicTalker(self.anthropic, model, stream, think)
            case _:
                return GeminiTalker(self.genai, model, stream, think)


@asynccontextmanager
async def sdks(url: str, key: str) -> AsyncGenerator[Sdks]:
    found = Sdks(url, key)
    try:
        yield found
    finally:
        await found.openai.close()
        await found.anthropic.close()
        await found.genai.aio.aclose()


class ChatTalker:
    pictures = False  # a `tool` message is text

    def __init__(self, client: openai.AsyncOpenAI, model: str, stream: bool, think: str) -> None:
        self._client, self._stream = client, stream
        self._history: list[Any] = []
        self._ask: dict[str, Any] = {
            "model": model,
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": name,
                        "description": ABOUT[name],
                        "parameters": SCHEMA,
                        "strict": True,
                    },
                }
                for name in TOOLS
            ],
        }
        if think:
            self._ask["reasoning_effort"] = "high"

    async def say(self, text: str) -> Heard:
        self._history.append({"role": "user", "content": text})
        return await self._next()

    async def answer(self, calls: tuple[Call, ...], results: list[Result]) -> Heard:
        for call, result in zip(calls, results, strict=True):
            self._history.append({"role": "tool", "tool_call_id": call.id, "content": result.text})
        return await self._next()

    async def _next(self) -> Heard:
        completions = self._client.chat.completions
        if self._stream:
            async with completions.stream(messages=self._history, **self._ask) as events:
                answer = await events.get_final_completion()
        else:
            answer = await completions.create(messages=self._history, **self._ask)
        message = answer.choices[0].message
        self._history.append(message)
        return Heard(
            message.content or "",
            (message.model_extra or {}).get("reasoning_content") or "",
            tuple(
                Call(call.id, call.function.name, json.loads(call.function.arguments))
                for call in message.tool_calls or ()
            ),
        )


class ResponsesTalker:
    pictures = True

    def __init__(self, client: openai.AsyncOpenAI, model: str, stream: bool, think: str) -> None:
        self._client, self._stream = client, stream
        self._history: list[Any] = []
        self._ask: dict[str, Any] = {
            "model": model,
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "tools": [
                {"type": "function", "name": name, "description": ABOUT[name], "parameters": SCHEMA, "strict": True}
                for name in TOOLS
            ],
        }  # fmt: skip
        if think:
            self._ask["reasoning"] = {"effort": "high", "summary": "auto"}

    async def say(self, text: str) -> Heard:
        self._history.append({"role": "user", "content": text})
        return await self._next()

    async def answer(self, calls: tuple[Call, ...], results: list[Result]) -> Heard:
        for call, result in zip(calls, results, strict=True):
            output: Any = result.text
            if result.picture is not None:
                url = f"data:image/png;base64,{base64_text(result.picture)}"
                output = [
                    {"type": "input_text", "text": result.text},
                    {"type": "input_image", "image_url": url, "detail": "auto"},
                ]
            self._history.append({"type": "function_call_output", "call_id": call.id, "output": output})
        return await self._next()

    async def _next(self) -> Heard:
        if self._stream:
            async with self._client.responses.stream(input=self._history, **self._ask) as events:
                response = await events.get_final_response()
        else:
            response = await self._client.responses.create(input=self._history, **self._ask)
        self._keep(response)
        return Heard(
            response.output_text,
            "\n\n".join(
                part.text
                for item in response.output
                if item.type == "reasoning"
                for part in (item.content or item.summary)
            ),
            tuple(
                Call(item.call_id, item.name, json.loads(item.arguments))
                for item in response.output
                if item.type == "function_call"
            ),
        )

    def _keep(self, response: Any) -> None:
        self._history += response.output


class KeptTalker(ResponsesTalker):
    """Says only what is new, and names the answer before it: the gateway keeps the rest."""

    def __init__(self, client: openai.AsyncOpenAI, model: str, stream: bool, think: str) -> None:
        super().__init__(client, model, stream, think)
        del self._ask["store"], self._ask["include"]

    def _keep(self, response: Any) -> None:
        self._history = []
        self._ask["previous_response_id"] = response.id


class AnthropicTalker:
    pictures = True

    def __init__(self, client: anthropic.AsyncAnthropic, model: str, stream: bool, think: str) -> None:
        self._client, self._stream = client, stream
        self._history: list[Any] = []
        self._ask: dict[str, Any] = {
            "model": model,
            "max_tokens": 8_192,
            "tools": [
                {"name": name, "description": ABOUT[name], "input_schema": SCHEMA} for name in TOOLS
            ],
        }  # fmt: skip
        if think == "budget":
            self._ask["thinking"] = {"type": "enabled", "budget_tokens": 4_096}
        elif think:
            self._ask["thinking"] = {"type": "adaptive", "display": "summarized"}

    async def say(self, text: str) -> Heard:
        self._history.append({"role": "user", "content": text})
        return await self._next()

    async def answer(self, calls: tuple[Call, ...], results: list[Result]) -> Heard:
        blocks = [
            {
                "type": "tool_result",
                "tool_use_id": call.id,
                "content": _anthropic_content(result),
                "is_error": result.error,
            }
            for call, result in zip(calls, results, strict=True)
        ]
        self._history.append({"role": "user", "content": blocks})
        return await self._next()

    async def _next(self) -> Heard:
        if self._stream:
            async with self._client.messages.stream(messages=self._history, **self._ask) as events:
                message = await events.get_final_message()
        else:
            message = await self._client.messages.create(messages=self._history, **self._ask)
        self._history.append({"role": "assistant", "content": message.content})
        return Heard(
            "".join(block.text for block in message.content if block.type == "text"),
            "\n\n".join(block.thinking for block in message.content if block.type == "thinking"),
            tuple(
                Call(block.id, block.name, block.input)
                for block in message.content
                if block.type == "tool_use"
            ),
        )


def _anthropic_content(result: Result) -> Any:
    if result.picture is None:
        return result.text
    source = {"type": "base64", "media_type": "image/png", "data": base64_text(result.picture)}
    return [{"type": "text", "text": result.text}, {"type": "image", "source": source}]


_GEMINI_THINKING = {
    "": None,
    "budget": types.ThinkingConfig(include_thoughts=True, thinking_budget=4_096),
    "level": types.ThinkingConfig(include_thoughts=True, thinking_level="HIGH"),
}


class GeminiTalker:
    pictures = True

    def __init__(self, client: genai.Client, model: str, stream: bool, think: str) -> None:
        declared = [
            types.FunctionDeclaration(name=name, description=ABOUT[name], parameters_json_schema=SCHEMA)
            for name in TOOLS
        ]
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=declared)],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            thinking_config=_GEMINI_THINKING[think],
        )
        self._stream = stream
        self._chat = client.aio.chats.create(model=model, config=config)

    async def say(self, text: str) -> Heard:
        return await self._next(text)

    async def answer(self, calls: tuple[Call, ...], results: list[Result]) -> Heard:
        return await self._next(
            [_gemini_part(call, result) for call, result in zip(calls, results, strict=True)]
        )

    async def _next(self, message: Any) -> Heard:
        if self._stream:
            chunks = [chunk async for chunk in await self._chat.send_message_stream(message)]
        else:
            chunks = [await self._chat.send_message(message)]
        parts = [
            part
            for chunk in chunks
            for candidate in chunk.candidates or ()
            for part in (candidate.content.parts if candidate.content else None) or ()
        ]
        calls = [part.function_call for part in parts if part.function_call]
        return Heard(
            "".join(part.text for part in parts if part.text and not part.thought),
            "".join(part.text for part in parts if part.text and part.thought),
            tuple(Call(call.id, call.name, call.args) for call in calls),
        )


def _gemini_part(call: Call, result: Result) -> types.Part:
    media = None
    if result.picture is not None:
        blob = types.FunctionResponseBlob(mime_type="image/png", data=result.picture)
        media = [types.FunctionResponsePart(inline_data=blob)]
    return types.Part(
        function_response=types.FunctionResponse(
            id=call.id,
            name=call.name,
            response={"error" if result.error else "output": result.text},
            parts=media,
        )
    )
