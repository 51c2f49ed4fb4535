"""Every request that was ever recorded: with real providers, and by the three command line clients."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from allgate.wire.message import WireRequest

ENDPOINTS = {
    "chat_completions": "openai_chat",
    "responses": "openai_responses",
    "messages": "anthropic",
    "generate_content": "gemini",
    "stream_generate_content": "gemini",
}
CLIENTS = {"claude-code": "anthropic", "codex": "openai_responses", "gemini-cli": "gemini"}
_PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
}


@dataclass(frozen=True)
class Asked:
    """One request as it was sent. `status` is what the provider answered (0: a recorded client's, nobody real did)."""

    id: str
    dialect: str
    body: dict
    wire: WireRequest
    status: int


def recorded_requests(shared: Path) -> list[Asked]:
    """Those with providers, in the order of the index. Without a model (Vertex, Bedrock have it in the path) it is added."""
    found = []
    for entry in json.loads((shared / "recordings/index.json").read_text())["files"]:
        dialect = ENDPOINTS.get(entry["endpoint"])
        request = (
            json.loads((shared / "recordings" / entry["file"]).read_text()).get("request")
            if dialect
            else None
        )
        if dialect is None or request is None or not isinstance(request.get("body"), dict):
            continue
        body, model = request["body"], entry["model"] or "m"
        verb = "streamGenerateContent" if entry["stream"] else "generateContent"
        path = _PATHS.get(dialect, f"/v1beta/models/{model}:{verb}")
        if dialect != "gemini" and body.get("model") is None:
            body = {**body, "model": model}
        found.append(_asked(entry["id"], dialect, path, (), body, entry["status"]))
    return found  # fmt: skip


def client_requests(shared: Path) -> list[Asked]:
    """Those of the command line clients, without their token counts, model lists and sockets."""
    return [one for client, dialect in CLIENTS.items() for one in _of_client(shared, client, dialect)]


def _of_client(shared: Path, client: str, dialect: str) -> Iterator[Asked]:
    folder = shared / "client_requests" / client
    for file in sorted(folder.glob("*.json"), key=lambda file: int(file.stem)):
        raw = json.loads(file.read_text())
        path, body = raw["path"].partition("?")[0], raw["body"]
        if (
            raw["method"] == "POST"
            and isinstance(body, dict)
            and not path.endswith(("count_tokens", "countTokens"))
        ):
            headers = tuple((name.lower().encode(), value.encode()) for name, value in raw["headers"].items())
            yield _asked(f"{client}/{file.stem}", dialect, path, headers, body, 0)  # fmt: skip


def _asked(
    name: str, dialect: str, path: str, headers: tuple[tuple[bytes, bytes], ...], body: dict, status: int
) -> Asked:
    raw = json.dumps(body).encode()
    wire = WireRequest(method="POST", path=path, headers=headers, body=raw)
    return Asked(name, dialect, body, wire, status)
