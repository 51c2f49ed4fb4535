"""Real replies of real providers, read in place from the material beside the checkout."""

import json
from dataclasses import dataclass
from pathlib import Path

# endpoint of a recording → the dialect it was spoken in
DIALECTS = {
    "chat_completions": "openai_chat",
    "responses": "openai_responses",
    "messages": "anthropic",
    "generate_content": "gemini",
    "stream_generate_content": "gemini",
}
UNFINISHED = ("queued", "in_progress")


@dataclass(frozen=True)
class Recording:
    """One exchange: `reply` is the body's bytes as they went over the wire."""

    id: str
    provider: str
    dialect: str
    stream: bool
    request: dict | None
    reply: bytes
    content_type: str


def recordings(shared: Path) -> list[Recording]:
    """Every successful exchange in the four chat dialects, in the order of the index."""
    folder = shared / "recordings"
    found = [
        _read(folder / entry["file"]) for entry in json.loads((folder / "index.json").read_text())["files"]
    ]
    return [recording for recording in found if recording is not None]


def _read(path: Path) -> Recording | None:
    raw = json.loads(path.read_text())
    dialect, response = DIALECTS.get(raw["endpoint"]), raw["response"]
    request = raw.get("request")
    if dialect is None or request is None or response.get("status") != 200:
        return None  # without its request it is no exchange: its source shortened or joined such replies
    if raw["endpoint"] == "responses" and (response.get("body") or {}).get("status") in UNFINISHED:
        return None  # a background job's first word, not an answer
    return Recording(
        id=raw["id"],
        provider=raw["provider"],
        dialect=dialect,
        stream=bool(raw["stream"]),
        request=request["body"],
        reply=_reply(response, dialect),
        content_type=response.get("headers", {}).get("content-type", "application/json").split(";")[0],
    )


def _reply(response: dict, dialect: str) -> bytes:
    if "sse" in response:
        return "".join(response["sse"]).encode("utf-8", "surrogatepass")
    if dialect == "gemini" and isinstance(response.get("body"), list):
        return b"".join(
            b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in response["body"]
        )  # array mode, which SDKs never ask for
    return json.dumps(response["body"]).encode() if "body" in response else response["text"].encode()
