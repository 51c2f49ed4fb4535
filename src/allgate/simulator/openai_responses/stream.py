"""The stream of a response: every event that leads from an empty response object to the finished one.

Each event has its name twice (SSE and `type`) and a `sequence_number` without gaps; every delta says which item and
which part of it. Items are opened empty and closed whole; the last event carries all of them again. There is no
`[DONE]`.
"""

from collections.abc import Iterator

from allgate.simulator import tokens
from allgate.simulator.answer import Answer, Ask
from allgate.simulator.exchange import Request
from allgate.simulator.openai_responses.reply import finished, started
from allgate.simulator.scenes import Scene
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

IDLE = b'event: keepalive\ndata: {"type":"keepalive"}\n\n'
_Step = tuple[str, JsonObject]


def frames(
    ask: Ask, answers: tuple[Answer, ...], scene: Scene, request: Request, secret: bytes
) -> Iterator[bytes]:
    """The events of a streamed answer."""
    final = finished(ask, answers[0], scene, request, secret)
    for number, (kind, fields) in enumerate(_steps(started(ask, request), final, scene)):
        yield _event(kind, number, **fields)


def failure(ask: Ask, request: Request, at: int) -> bytes:
    """An error in the middle of a stream: the response has failed."""
    error = {"code": "server_error", "message": "The server had an error while processing your request."}
    response = started(ask, request) | {"status": "failed", "error": error}
    return _event("response.failed", at, response=response)


def _event(kind: str, number: int, **fields: Json) -> bytes:
    """One event."""
    data = {"type": kind, **fields, "sequence_number": number}
    return b"event: " + kind.encode() + b"\ndata: " + json.encode(data) + b"\n\n"


def _steps(empty: JsonObject, final: JsonObject, scene: Scene) -> Iterator[_Step]:
    yield "response.created", {"response": empty}
    yield "response.in_progress", {"response": empty}
    for place, item in enumerate(final["output"]):
        yield "response.output_item.added", {"output_index": place, "item": _opened(item)}
        at = {"item_id": item["id"], "output_index": place}
        for kind, fields in _filled(item, scene):
            yield kind, at | fields
        yield "response.output_item.done", {"output_index": place, "item": item}
    if not scene.no_finish:
        yield f"response.{final['status']}", {"response": final}


def _opened(item: JsonObject) -> JsonObject:
    """An item before anything is in it."""
    match item["type"]:
        case "message":
            return item | {"status": "in_progress", "content": []}
        case "reasoning":
            return item | {"summary": []}
        case "function_call":
            return item | {"status": "in_progress", "arguments": ""}
        case "custom_tool_call":
            return item | {"status": "in_progress", "input": ""}
        case "code_interpreter_call":
            return item | {"status": "in_progress", "code": "", "outputs": None}
        case _:
            return item | {"status": "in_progress"}


def _filled(item: JsonObject, scene: Scene) -> Iterator[_Step]:
    match item["type"]:
        case "message":
            for number, content in enumerate(item["content"]):
                yield from _content(content, number, scene)
        case "reasoning":
            for number, summary in enumerate(item["summary"]):
                yield from _summary(summary, number)
        case "function_call":
            pieces = tokens.argument_deltas(item["arguments"])
            yield from (("response.function_call_arguments.delta", {"delta": piece}) for piece in pieces)
            yield (
                "response.function_call_arguments.done",
                {"arguments": item["arguments"], "name": item["name"]},
            )
        case "code_interpreter_call":
            yield "response.code_interpreter_call.in_progress", {}
            yield "response.code_interpreter_call_code.delta", {"delta": item["code"]}
            yield "response.code_interpreter_call_code.done", {"code": item["code"]}
            yield "response.code_interpreter_call.interpreting", {}
            yield "response.code_interpreter_call.completed", {}
        case "custom_tool_call":
            pieces = tokens.argument_deltas(item["input"])
            yield from (("response.custom_tool_call_input.delta", {"delta": piece}) for piece in pieces)
            yield "response.custom_tool_call_input.done", {"input": item["input"]}
        case kind:
            for state in ("in_progress", "searching", "completed"):
                yield f"response.{kind}.{state}", {}


def _content(content: JsonObject, number: int, scene: Scene) -> Iterator[_Step]:
    at = {"content_index": number}
    refused = content["type"] == "refusal"
    field, name = ("refusal", "refusal") if refused else ("text", "output_text")
    text = content[field]
    pieces = tokens.text_deltas(text, scene.pieces)
    empty: JsonObject = content | {field: ""} | ({} if refused else {"annotations": [], "logprobs": []})
    yield "response.content_part.added", at | {"part": empty}
    logprobs: list[Json] = [] if refused else content["logprobs"]
    for piece in pieces:
        told = [entry for entry in logprobs if scene.pieces is None and entry["token"] == piece][:1]
        yield f"response.{name}.delta", at | {"delta": piece} | ({} if refused else {"logprobs": told})
    for place, annotation in enumerate([] if refused else content["annotations"]):
        yield (
            "response.output_text.annotation.added",
            at | {"annotation_index": place, "annotation": annotation},
        )
    yield f"response.{name}.done", at | {field: text} | ({} if refused else {"logprobs": logprobs})
    yield "response.content_part.done", at | {"part": content}


def _summary(summary: JsonObject, number: int) -> Iterator[_Step]:
    at = {"summary_index": number}
    yield "response.reasoning_summary_part.added", at | {"part": {"type": "summary_text", "text": ""}}
    for piece in tokens.split(summary["text"]):
        yield "response.reasoning_summary_text.delta", at | {"delta": piece}
    yield "response.reasoning_summary_text.done", at | {"text": summary["text"]}
    yield "response.reasoning_summary_part.done", at | {"part": summary}
