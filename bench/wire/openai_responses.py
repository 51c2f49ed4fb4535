"""Responses as OpenAI's clients and servers write them."""

from bench.wire.form import (
    CHUNKS,
    OUTPUT_TOKENS_MAX,
    PIECE,
    SYSTEM,
    WORDS,
    Fields,
    Request,
    Wire,
    json_bytes,
    typed_events,
)

ITEM, RESPONSE = "msg_bench0000000000000000", "resp_bench0000000000000000"
USAGE: Fields = {
    "input_tokens": 200,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 300,
}


def request(model: str, prompt: str, streamed: bool) -> Request:
    content = [{"type": "input_text", "text": prompt}]
    body: Fields = {"model": model, "instructions": SYSTEM, "input": [{"role": "user", "content": content}]}
    body |= {"max_output_tokens": OUTPUT_TOKENS_MAX, "store": False}
    return Request("/v1/responses", json_bytes(body | ({"stream": True} if streamed else {})))


def part(text: str) -> Fields:
    nothing: list[Fields] = []
    return {"type": "output_text", "text": text, "annotations": nothing, "logprobs": nothing}


def item(status: str, *parts: Fields) -> Fields:
    return {"id": ITEM, "type": "message", "status": status, "role": "assistant", "content": list(parts)}


def response(status: str, *output: Fields) -> Fields:
    whole = status == "completed"
    return {
        "id": RESPONSE,
        "object": "response",
        "created_at": 1760000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": SYSTEM,
        "max_output_tokens": OUTPUT_TOKENS_MAX,
        "model": "gpt-4o-mini-2024-07-18",
        "output": list(output),
        "parallel_tool_calls": True,
        "store": False,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": list[Fields](),
        "top_p": 1.0,
        "usage": USAGE if whole else None,
        "metadata": Fields(),
    }


def stream() -> bytes:
    count = CHUNKS - 8
    whole = part(PIECE * count)
    here: Fields = {"item_id": ITEM, "output_index": 0, "content_index": 0}
    done: Fields = {"type": "response.output_item.done", "output_index": 0, "item": item("completed", whole)}
    added: Fields = {"type": "response.output_item.added", "output_index": 0, "item": item("in_progress")}
    events: list[Fields] = [
        {"type": "response.created", "response": response("in_progress")},
        {"type": "response.in_progress", "response": response("in_progress")},
        added,
        {"type": "response.content_part.added", **here, "part": part("")},
        *(
            [{"type": "response.output_text.delta", **here, "delta": PIECE, "logprobs": list[Fields]()}]
            * count
        ),
        {"type": "response.output_text.done", **here, "text": whole["text"], "logprobs": list[Fields]()},
        {"type": "response.content_part.done", **here, "part": whole},
        done,
        {"type": "response.completed", "response": response("completed", item("completed", whole))},
    ]
    return typed_events([event | {"sequence_number": number} for number, event in enumerate(events)])


WIRE = Wire(request, json_bytes(response("completed", item("completed", part(WORDS)))), stream())
