"""What a client of each endpoint reads in a raw reply, whole or streamed. Nothing of ours is used here.

The forms are those that the documents print: the members of each object, and the order of a stream's events.
"""

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from stand import Reply

MESSAGES_EVENTS = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
]


class Told(NamedTuple):
    """One answer. `calls`: names and arguments; `tokens`: all of them; `sources`: addresses that it cites."""

    model: str
    text: str
    thinking: str
    calls: tuple[tuple[str, dict[str, Any]], ...]
    finish: str
    tokens: int
    sources: tuple[str, ...] = ()


def told(reply: Reply, path: str) -> Told:
    """Read a reply of the endpoint `path`."""
    streamed = reply.headers["content-type"].startswith("text/event-stream")
    match path:
        case "/v1/chat/completions":
            return _chat_stream(reply) if streamed else _chat(reply.json)
        case "/v1/messages":
            return _messages(_joined(_frames(reply)) if streamed else reply.json)
        case "/v1/completions":
            return _completion(reply.json)
        case _ if path.startswith("/v1beta/"):
            return _gemini(reply.json)
        case _:
            return _responses(_completed(_frames(reply)) if streamed else reply.json)


def _chat(body: dict[str, Any]) -> Told:
    assert body["object"] == "chat.completion"
    (choice,) = body["choices"]
    message = choice["message"]
    assert message["role"] == "assistant"
    return Told(
        body["model"],
        message["content"] or "",
        message.get("reasoning_content") or "",
        tuple(
            (call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls") or ()
        ),
        choice["finish_reason"],
        body["usage"]["total_tokens"],
        tuple(cited["url_citation"]["url"] for cited in message.get("annotations") or ()),
    )


def _chat_stream(reply: Reply) -> Told:
    assert reply.terminated
    assert {frame["object"] for frame in reply.frames} == {"chat.completion.chunk"}
    choices = [choice for frame in reply.frames for choice in frame["choices"]]
    assert choices[0]["delta"]["role"] == "assistant"
    (finish,) = (choice["finish_reason"] for choice in choices if choice["finish_reason"])
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    thinking = "".join(choice["delta"].get("reasoning_content") or "" for choice in choices)
    return Told(reply.frames[0]["model"], text, thinking, (), finish, 1)


def _completion(body: dict[str, Any]) -> Told:
    assert body["object"] == "text_completion"
    (choice,) = body["choices"]
    return Told(body["model"], choice["text"], "", (), choice["finish_reason"], body["usage"]["total_tokens"])


def _gemini(body: dict[str, Any]) -> Told:
    (candidate,) = body["candidates"]
    assert candidate["content"]["role"] == "model"
    parts = candidate["content"]["parts"]
    return Told(
        body["modelVersion"],
        "".join(part["text"] for part in parts if not part.get("thought")),
        "".join(part["text"] for part in parts if part.get("thought")),
        (),
        candidate["finishReason"],
        body["usageMetadata"]["totalTokenCount"],
    )


def _messages(body: dict[str, Any]) -> Told:
    assert (body["type"], body["role"]) == ("message", "assistant")
    blocks, usage = body["content"], body["usage"]
    assert all(block["signature"] for block in blocks if block["type"] == "thinking")
    return Told(
        body["model"],
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        tuple((block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"),
        body["stop_reason"],
        usage["input_tokens"] + usage["output_tokens"],
    )


def _joined(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """The message that a stream of one text block tells, in the order of events that the documents name."""
    assert _runs(frame["type"] for frame in frames if frame["type"] != "ping") == MESSAGES_EVENTS
    text = "".join(frame["delta"]["text"] for frame in frames if frame["type"] == "content_block_delta")
    end = frames[-2]
    whole = {
        "content": [{"type": "text", "text": text}],
        "usage": frames[0]["message"]["usage"] | end["usage"],
    }
    return frames[0]["message"] | end["delta"] | whole


def _responses(body: dict[str, Any]) -> Told:
    assert (body["object"], body["status"]) == ("response", "completed")
    items = body["output"]
    return Told(
        body["model"],
        "".join(part["text"] for item in items if item["type"] == "message" for part in item["content"]),
        "".join(part["text"] for item in items if item["type"] == "reasoning" for part in item["summary"]),
        (),
        "stop",
        body["usage"]["total_tokens"],
        tuple(
            cited["url"]
            for item in items
            if item["type"] == "message"
            for part in item["content"]
            for cited in part["annotations"]
        ),
    )


def _completed(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """The response that a stream ends with; its pieces of text are the text of the end."""
    kinds = _runs(frame["type"] for frame in frames)
    assert (kinds[:2], kinds[-1]) == (["response.created", "response.in_progress"], "response.completed")
    told_in_pieces = "".join(
        frame["delta"] for frame in frames if frame["type"] == "response.output_text.delta"
    )
    assert told_in_pieces == _responses(frames[-1]["response"]).text
    return frames[-1]["response"]


def _frames(reply: Reply) -> list[dict[str, Any]]:
    """The events of a stream, each of which says its own kind twice."""
    found = []
    for block in reply.body.decode().split("\n\n")[:-1]:
        event, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert event == f"event: {found[-1]['type']}"
    return found


def _runs(kinds: Iterable[str]) -> list[str]:
    return [kind for kind, _ in groupby(kinds)]
