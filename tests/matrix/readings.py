"""What a vendor's own SDK reads from a reply, in words that all four share. Nothing of ours is used here.

One async function per dialect asks over HTTP with the real SDK and boils the answer down to a `Reading`. Whitespace is no
difference between readings: paragraphs of a summary are joined differently by every dialect.
"""

import json
import re
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import anthropic
import openai
from google import genai

FAULT = "faulty call"
"""The provider itself finds fault with a call it made. Only Gemini has a word for it."""
SCHEMA = {"type": "object", "additionalProperties": True}


class Tools(NamedTuple):
    """Names of the tools that a request declares: functions take JSON, customs take text."""

    functions: tuple[str, ...] = ()
    customs: tuple[str, ...] = ()


class Reading(NamedTuple):
    """One answer. `tokens`: input and output, both inclusive; None where nobody said."""

    text: str
    thinking: str
    calls: tuple[tuple[str, str], ...]
    finish: str
    tokens: tuple[int, int] | None


def reading(
    texts: Iterable[str],
    thinking: Iterable[str],
    calls: Iterable[tuple[str, Any]],
    finish: str,
    tokens: tuple[int, int] | None,
) -> Reading:
    """A Reading with its whitespace and JSON made comparable."""
    return Reading(
        "".join("".join(texts).split()),
        "".join("".join(thinking).split()),
        tuple((name, _canonical(arguments)) for name, arguments in calls),
        finish,
        tokens,
    )


def _canonical(arguments: Any) -> str:
    """Arguments as sorted JSON; a raw text, or the one value of a wrapped raw text, as that text."""
    if isinstance(arguments, str):
        try:
            parsed = json.loads(arguments or "{}")
        except ValueError:
            return arguments
    else:
        parsed = arguments
    if isinstance(parsed, dict) and list(parsed) == ["input"] and isinstance(parsed["input"], str):
        return parsed["input"]
    return json.dumps(parsed, sort_keys=True) if isinstance(parsed, (dict, list)) else str(arguments)


# --- OpenAI Chat -------------------------------------------------------------------------------------------------------

CHAT_FINISH = {"function_call": "tool_calls", "model_length": "length", "tool_use": "tool_calls"}


async def read_chat(client: openai.AsyncOpenAI, model: str, stream: bool, tools: Tools) -> Reading:
    ask: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    if tools.functions or tools.customs:
        ask["tools"] = [
            *(
                {"type": "function", "function": {"name": name, "parameters": SCHEMA}}
                for name in tools.functions
            ),
            *({"type": "custom", "custom": {"name": name}} for name in tools.customs),
        ]
    if not stream:
        answer = await client.chat.completions.create(**ask)
        message = answer.choices[0].message
        return reading(
            (message.content or "", message.refusal or ""),
            (_reasoning(message),),
            _chat_calls(message),
            "content_filter" if message.refusal else _chat_finish(answer.choices[0].finish_reason),
            _chat_tokens(answer.usage),
        )
    return await _read_chat_stream(client, ask)


async def _read_chat_stream(client: openai.AsyncOpenAI, ask: dict[str, Any]) -> Reading:
    texts, thinking, calls, finish, usage, refused = [], [], {}, "", None, False
    async for chunk in await client.chat.completions.create(
        **ask, stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices or ():
            if choice.index:
                continue
            finish = choice.finish_reason or finish
            if (delta := choice.delta) is None:
                continue
            texts += (delta.content or "", delta.refusal or "")
            refused = refused or bool(delta.refusal)
            thinking.append(_reasoning(delta))
            for piece in delta.tool_calls or ():
                inner = piece.function or getattr(piece, "custom", None) or {}
                inner = inner if isinstance(inner, dict) else inner.model_dump()
                call = calls.setdefault(piece.index if piece.index is not None else len(calls), ["", ""])
                call[0] += inner.get("name") or ""
                call[1] += inner.get("arguments") or inner.get("input") or ""
    return reading(
        texts,
        thinking,
        [tuple(call) for call in calls.values()],
        "content_filter" if refused else _chat_finish(finish),
        _chat_tokens(usage),
    )


def _reasoning(message: Any) -> str:
    extra = message.model_extra or {}
    return extra.get("reasoning_content") or extra.get("reasoning") or ""


def _chat_calls(message: Any) -> list[tuple[str, Any]]:
    if message.function_call:
        return [(message.function_call.name, message.function_call.arguments)]
    return [
        (call.function.name, call.function.arguments)
        if call.type != "custom"
        else (call.custom.name, call.custom.input)
        for call in message.tool_calls or ()
    ]


def _chat_finish(reason: str | None) -> str:
    return CHAT_FINISH.get(reason or "", reason or "")


def _chat_tokens(usage: Any) -> tuple[int, int] | None:
    """Some vendors count reasoning beside the completion: seen where the total says so."""
    if usage is None or usage.prompt_tokens is None:
        return None
    reasoning = getattr(usage.completion_tokens_details, "reasoning_tokens", None) or 0
    beside = usage.prompt_tokens + usage.completion_tokens + reasoning == usage.total_tokens
    return usage.prompt_tokens, usage.completion_tokens + (reasoning if beside else 0)


# --- OpenAI Responses --------------------------------------------------------------------------------------------------


async def read_responses(client: openai.AsyncOpenAI, model: str, stream: bool, tools: Tools) -> Reading:
    ask: dict[str, Any] = {"model": model, "input": "hi", "reasoning": {"summary": "auto"}}
    if tools.functions or tools.customs:
        ask["tools"] = [
            *(
                {"type": "function", "name": name, "parameters": SCHEMA, "strict": False}
                for name in tools.functions
            ),
            *({"type": "custom", "name": name} for name in tools.customs),
        ]
    if not stream:
        return _responses_reading(await client.responses.create(**ask))
    last, items = None, []
    async for event in await client.responses.create(**ask, stream=True):
        if event.type == "response.output_item.done":
            items.append(event.item)
        elif event.type in ("response.completed", "response.incomplete"):
            last = event.response
        elif event.type == "response.failed":
            raise openai.OpenAIError(event.response.error.message)
    if not last.output:  # the last event of some backends repeats nothing
        last = last.model_copy(update={"output": items})
    return _responses_reading(last)


def _responses_reading(response: Any) -> Reading:
    texts, thinking, calls = [], [], []
    for item in response.output:
        match item.type:
            case "message":
                texts += (
                    getattr(part, "text", None) or getattr(part, "refusal", "") for part in item.content
                )
            case "reasoning":
                inner = [part.text for part in item.content or ()]
                thinking += inner or [part.text for part in item.summary]
            case "function_call":
                calls.append((item.name, item.arguments))
            case "custom_tool_call":
                calls.append((item.name, item.input))
            case "local_shell_call":
                calls.append(("local_shell", item.action.model_dump(exclude_none=True)))
    refused = any(
        part.type == "refusal" for item in response.output if item.type == "message" for part in item.content
    )
    finish = "content_filter" if refused else "tool_calls" if calls else "stop"
    if response.incomplete_details is not None:
        finish = {"max_output_tokens": "length"}.get(
            response.incomplete_details.reason, response.incomplete_details.reason
        )
    usage = response.usage
    return reading(
        texts, thinking, calls, finish, (usage.input_tokens, usage.output_tokens) if usage else None
    )


# --- Anthropic ---------------------------------------------------------------------------------------------------------

# What stands in a Messages answer for a picture or sound, which it has no block for.
MEDIA_MARKS = ("[image]", "[audio]", "[video]")
ANTHROPIC_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


async def read_anthropic(client: anthropic.AsyncAnthropic, model: str, stream: bool, tools: Tools) -> Reading:
    ask: dict[str, Any] = {
        "model": model,
        "max_tokens": 8_192,
        "messages": [{"role": "user", "content": "hi"}],
        "thinking": {"type": "adaptive", "display": "summarized"},
    }
    if tools.functions or tools.customs:
        ask["tools"] = [{"name": name, "input_schema": SCHEMA} for name in (*tools.functions, *tools.customs)]
    if not stream:
        return _anthropic_reading(await client.messages.create(**ask))
    async with client.messages.stream(**ask) as events:
        return _anthropic_reading(await events.get_final_message())


def _anthropic_reading(message: Any) -> Reading:
    usage = message.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return reading(
        (block.text for block in message.content if block.type == "text" and block.text not in MEDIA_MARKS),
        (block.thinking for block in message.content if block.type == "thinking"),
        ((block.name, block.input) for block in message.content if block.type == "tool_use"),
        ANTHROPIC_FINISH.get(message.stop_reason or "", message.stop_reason or ""),
        (usage.input_tokens + cached, usage.output_tokens),
    )


# --- Gemini ------------------------------------------------------------------------------------------------------------

GEMINI_STOPS = {"STOP", "CONTINUATION"}
GEMINI_FAULTS = {"UNEXPECTED_TOOL_CALL", "MALFORMED_FUNCTION_CALL"}
GEMINI_FILTERS = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}


async def read_gemini(client: genai.Client, model: str, stream: bool, tools: Tools) -> Reading:
    config: dict[str, Any] = {"thinking_config": {"include_thoughts": True}}
    if tools.functions or tools.customs:
        declared = [
            {"name": name, "parameters_json_schema": SCHEMA} for name in (*tools.functions, *tools.customs)
        ]
        config |= {"tools": [{"function_declarations": declared}]}
        config |= {"automatic_function_calling": {"disable": True}}
    ask: dict[str, Any] = {"model": model, "contents": "hi", "config": config}
    if not stream:
        return _gemini_reading([await client.aio.models.generate_content(**ask)])
    return _gemini_reading([chunk async for chunk in await client.aio.models.generate_content_stream(**ask)])


def _gemini_reading(chunks: list[Any]) -> Reading:
    candidates = [
        candidate for chunk in chunks for candidate in chunk.candidates or () if not candidate.index
    ]
    parts = [part for candidate in candidates if candidate.content for part in candidate.content.parts or ()]
    calls = _gemini_calls([part.function_call for part in parts if part.function_call])
    reasons = [candidate.finish_reason.name for candidate in candidates if candidate.finish_reason]
    native = reasons[-1] if reasons else "STOP"
    if any(chunk.prompt_feedback and chunk.prompt_feedback.block_reason for chunk in chunks):
        native = "SAFETY"
    finish = (
        "length"
        if native == "MAX_TOKENS"
        else "content_filter"
        if native in GEMINI_FILTERS
        else native.lower()
    )
    finish = "stop" if native in GEMINI_STOPS else FAULT if native in GEMINI_FAULTS else finish
    usage = next((chunk.usage_metadata for chunk in reversed(chunks) if chunk.usage_metadata), None)
    return reading(
        (part.text for part in parts if part.text and not part.thought),
        (part.text for part in parts if part.text and part.thought),
        calls,
        "tool_calls" if calls and finish == "stop" else finish,
        _gemini_tokens(usage),
    )


def _gemini_calls(pieces: list[Any]) -> list[tuple[str, Any]]:
    """Calls with their arguments; Vertex may stream these as (path, value) pairs over several chunks."""
    calls: list[tuple[str, Any]] = []
    for piece in pieces:
        if piece.name:
            calls.append((piece.name, piece.args or {}))
        for partial in piece.partial_args or ():
            values = (partial.string_value, partial.number_value, partial.bool_value)
            value = next((one for one in values if one is not None), None)
            if value is not None:
                _put(
                    calls[-1][1],
                    [key or int(index) for key, index in _PATH.findall(partial.json_path)],
                    value,
                )
    return calls


_PATH = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


def _put(target: Any, path: list[str | int], value: Any) -> None:
    """Set, or for text append, the value at a path, growing objects and arrays on the way."""
    for step, following in zip(path, [*path[1:], None], strict=True):
        if isinstance(target, list):
            while len(target) <= step:
                target.append(None)
            held = target[step]
        else:
            held = target.get(step)
        if following is None:
            target[step] = held + value if isinstance(held, str) and isinstance(value, str) else value
        else:
            if held is None:
                held = target[step] = [] if isinstance(following, int) else {}
            target = held


def _gemini_tokens(usage: Any) -> tuple[int, int] | None:
    if usage is None or usage.prompt_token_count is None:
        return None
    prompt = usage.prompt_token_count + (usage.tool_use_prompt_token_count or 0)
    candidates, thoughts = usage.candidates_token_count or 0, usage.thoughts_token_count or 0
    inside = (
        prompt + candidates == usage.total_token_count
    )  # some deployments count thoughts inside candidates
    return prompt, candidates + (0 if inside else thoughts)


class Sdk:
    """The four vendors' clients, all pointed at one place; `async with` closes them."""

    def __init__(self, origin: str, key: str) -> None:
        self._origin, self._key = origin, key
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Sdk":
        enter = self._stack.enter_async_context
        self._openai = await enter(
            openai.AsyncOpenAI(base_url=f"{self._origin}/v1", api_key=self._key, max_retries=0)
        )
        self._anthropic = await enter(
            anthropic.AsyncAnthropic(base_url=self._origin, api_key=self._key, max_retries=0)
        )
        options = {"base_url": self._origin, "api_version": "v1beta"}
        self._genai = genai.Client(api_key=self._key, http_options=options)
        self._stack.push_async_callback(self._genai.aio.aclose)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def read(self, dialect: str, model: str, stream: bool, tools: Tools) -> Reading:
        """What the SDK of `dialect` makes of the answer. Raises whatever that SDK raises."""
        match dialect:
            case "openai_chat":
                return await read_chat(self._openai, model, stream, tools)
            case "openai_responses":
                return await read_responses(self._openai, model, stream, tools)
            case "anthropic":
                return await read_anthropic(self._anthropic, model, stream, tools)
            case _:
                return await read_gemini(self._genai, model, stream, tools)
