"""What is asked and what is answered, without any vendor's words: the simulator's own small vocabulary.

A dialect's rules turn a request into an `Ask`; `compose` turns an Ask and a scene into `Answer`s, one per choice; the
dialect writes those down. An honest answer, where the scene says nothing else:

- tool results after the last user text → a text that quotes them;
- a forced tool → that tool; otherwise a tool one of whose name's words (four letters or more) is in the prompt;
- a JSON schema → an instance of it; JSON without a schema → `{"echo": prompt}`;
- else the prompt, said back.

It is cut at the first stop sequence and at max_tokens. The same Ask always gets the same Answer.
"""

import re
from hashlib import blake2b
from typing import Literal

from allgate.core.value import Value, changed
from allgate.simulator import schema, tokens
from allgate.simulator.scenes import Scene
from allgate.wire import json
from allgate.wire.json import JsonObject

ECHO_CHARS_MAX = 400
"""Characters of the prompt that are said back, so that a prompt of 1 MB does not make an answer of 1 MB."""

CALLS_MAX = 64
"""Tool calls in one answer; no vendor makes more than a few dozen."""

FinishFact = Literal["stop", "stop_sequence", "length", "tool_calls", "content_filter", "refusal", "pause"]

REFUSAL = "I'm sorry, but I can't help with that."
CITATION_URL = "https://example.com/source/"
CODE, PRINTED = "print(6 * 7)", "42\n"
"""What a vendor that is offered the running of code runs, and what that prints."""


class Tool(Value, frozen=True, kw_only=True):
    """A declared tool. `schema` is None where it takes plain text (`custom`) or nothing; `hosted`: the vendor runs it."""

    name: str
    schema: JsonObject | None = None
    custom: bool = False
    hosted: bool = False
    namespace: str | None = None


class Ask(Value, frozen=True, kw_only=True):
    """One request, read. `prompt` is the last user text, `results` what tools gave after it."""

    model: str
    prompt: str
    input_tokens: int
    stream: bool = False
    tools: tuple[Tool, ...] = ()
    forced: str | None = None  # a tool's name, or "*" for any
    may_call: bool = True
    parallel: bool = True
    results: tuple[str, ...] = ()
    seals: int = 0  # signatures and sealed reasoning of the vendor's own among the messages, verified
    schema: JsonObject | None = None
    json_object: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    choices: int = 1
    think: bool = False  # reason, and count it
    show_thinking: bool = False  # … and show it
    search: bool = False  # a hosted web search is offered
    code: bool = False  # … and the running of code
    body: JsonObject


class Call(Value, frozen=True, kw_only=True):
    """A tool call; `arguments` is raw text (JSON, or plain where the tool is custom).

    `call_id` is 24 hexadecimal digits; each vendor writes its own prefix before them.
    """

    call_id: str
    name: str
    arguments: str
    custom: bool = False
    namespace: str | None = None


class Citation(Value, frozen=True, kw_only=True):
    """A web page cited for text[start:end] (characters)."""

    url: str
    title: str
    start: int
    end: int


class Counts(Value, frozen=True, kw_only=True):
    """Inclusive totals: `cached` and `cache_write` are parts of `input`, `reasoning` of `output`."""

    input: int
    output: int
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


class Answer(Value, frozen=True, kw_only=True):
    """One choice. `counts` covers the whole request and is the same on every choice."""

    index: int = 0
    text: str = ""
    thinking: str | None = None
    calls: tuple[Call, ...] = ()
    refusal: str | None = None
    citations: tuple[Citation, ...] = ()
    finish: FinishFact = "stop"
    stop: str | None = None  # the stop sequence that was met
    counts: Counts = Counts(input=0, output=0)


def compose(ask: Ask, scene: Scene, serial: int) -> tuple[Answer, ...]:
    """The answers to `ask`, one per choice. `serial` is the request's number and only makes call ids unique."""
    answers = tuple(_choice(ask, scene, serial, index) for index in range(ask.choices))
    counts = _counts(ask, scene, answers)
    return tuple(changed(answer, counts=counts) for answer in answers)


def visible_tokens(answer: Answer) -> int:
    """What the answer's text, refusal and calls cost together."""
    said = tokens.count(answer.text) + tokens.count(answer.refusal or "")
    return said + sum(tokens.count(call.name) + tokens.count(call.arguments) for call in answer.calls)


def _choice(ask: Ask, scene: Scene, serial: int, index: int) -> Answer:
    thinking = scene.thinking
    if thinking is None and (ask.think or ask.show_thinking):
        thinking = f"The user wrote {len(ask.prompt)} characters. I will answer them."
    if scene.refuse:
        return Answer(index=index, refusal=REFUSAL, thinking=thinking, finish="refusal")
    calls = _calls(ask, scene, serial, index)
    if calls:
        return Answer(index=index, calls=calls, thinking=thinking, finish="tool_calls")
    answer = _said(_text(ask, scene, index), ask, scene)
    citations = _citations(answer.text, scene.annotations or (1 if ask.search else 0), scene.cited)
    return changed(answer, index=index, thinking=thinking, citations=citations)


def _text(ask: Ask, scene: Scene, index: int) -> str:
    if scene.text is not None:
        return scene.text
    if scene.words is not None:
        return " ".join(f"w{number}" for number in range(scene.words))
    if ask.schema is not None:
        return json.encode_text(schema.instance(ask.schema, ask.prompt))
    prompt = ask.prompt if len(ask.prompt) <= ECHO_CHARS_MAX else ask.prompt[:ECHO_CHARS_MAX] + "…"
    if ask.json_object:
        return json.encode_text({"echo": prompt})
    said = "The tools said: " + " | ".join(ask.results) if ask.results else f"You said: {prompt}"
    return said if index == 0 else f"{said} (choice {index})"


def _said(text: str, ask: Ask, scene: Scene) -> Answer:
    met = min((at, stop) for stop in ask.stop if (at := text.find(stop)) >= 0) if _meets(text, ask) else None
    if met is not None:
        text = text[: met[0]]
    pieces = tokens.split(text)
    if ask.max_tokens is not None and len(pieces) > ask.max_tokens:
        return Answer(text="".join(pieces[: ask.max_tokens]), finish="length")
    if scene.finish is not None:
        return Answer(text=text, finish=scene.finish)
    return Answer(text=text, finish="stop_sequence" if met else "stop", stop=met[1] if met else None)


def _meets(text: str, ask: Ask) -> bool:
    return any(stop in text for stop in ask.stop)


def _calls(ask: Ask, scene: Scene, serial: int, index: int) -> tuple[Call, ...]:
    chosen = _chosen(ask, scene)
    calls: list[Call] = []
    for number, tool in enumerate(chosen[:CALLS_MAX]):
        dice = blake2b(f"{serial}/{index}/{number}/{tool.name}".encode(), digest_size=12).hexdigest()
        calls.append(
            Call(
                call_id=dice,
                name=tool.name,
                arguments=_arguments(tool, scene, f"{ask.prompt} {number}" if number else ask.prompt),
                custom=tool.custom,
                namespace=tool.namespace,
            )
        )
    return tuple(calls)


def _chosen(ask: Ask, scene: Scene) -> list[Tool]:
    done = bool(ask.results) and ask.forced is None and not scene.again
    if not ask.tools or not ask.may_call or done:
        return []
    tools = [tool for tool in ask.tools if ask.forced in (None, "*", tool.name)]
    number = scene.calls
    if number is None:
        if ask.forced is None:
            tools = [tool for tool in tools if _named_in(tool.name, ask.prompt)]
        number = min(1, len(tools))
    if not ask.parallel:
        number = min(1, number)
    return [tools[turn % len(tools)] for turn in range(number)] if tools else []


def _named_in(name: str, prompt: str) -> bool:
    words = re.findall(r"[a-z]{4,}", re.sub(r"([A-Z])", r" \1", name).lower())
    return any(word in prompt.lower() for word in words)


def _arguments(tool: Tool, scene: Scene, prompt: str) -> str:
    if scene.arguments is not None:
        return scene.arguments
    if tool.custom:
        return f"input for {tool.name}: {prompt[:ECHO_CHARS_MAX]}"
    return json.encode_text(schema.instance(tool.schema or {"type": "object"}, prompt))


def _citations(text: str, number: int, cited: str | None) -> tuple[Citation, ...]:
    start = text.find(cited) if cited is not None else 0
    end = start + len(text if cited is None else cited)
    return tuple(
        Citation(url=f"{CITATION_URL}{place}", title=f"Source {place}", start=start, end=end)
        for place in range(number if text and start >= 0 else 0)
    )


def _counts(ask: Ask, scene: Scene, answers: tuple[Answer, ...]) -> Counts:
    thought = sum(tokens.count(answer.thinking or "") for answer in answers)
    reasoning = scene.reasoning if scene.reasoning is not None else thought
    output = sum(visible_tokens(answer) for answer in answers) + reasoning
    return Counts(
        input=ask.input_tokens if scene.input is None else scene.input,
        output=output if scene.output is None else scene.output,
        cached=scene.cached or 0,
        cache_write=scene.cache_write or 0,
        reasoning=reasoning,
    )
