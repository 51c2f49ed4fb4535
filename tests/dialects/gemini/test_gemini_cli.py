"""Gemini CLI 0.61.0: its recorded requests, and what it needs of an answer."""

import json
from pathlib import Path

import pytest

from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.features import features_of
from allgate.operations.chat.parts import Media, ToolCall, ToolResult
from allgate.operations.chat.tools import Function
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import BOX, CAPS

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "client_requests" / "gemini-cli"
FILES = sorted(FOLDER.glob("*.json"), key=lambda file: int(file.stem)) if FOLDER.is_dir() else []


def loaded(file: Path) -> WireRequest:
    recorded = json.loads(file.read_text())
    path, _, query = recorded["path"].partition("?")
    body = recorded["body"] if isinstance(recorded["body"], str) else json.dumps(recorded["body"])
    return WireRequest(method="POST", path=path, query=query.encode(), body=body.encode())


def merged(contents: list[dict]) -> list[tuple[str, list[dict]]]:
    """Contents with neighbours of one role put together, except for function responses."""
    found: list[tuple[str, list[dict]]] = []
    for content in contents:
        plain = not any("functionResponse" in part for part in content["parts"])
        if found and found[-1][0] == content["role"] and plain:
            found[-1][1].extend(content["parts"])
        else:
            found.append((content["role"], list(content["parts"])))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recorded_request_goes_through_our_values_with_nothing_lost(file):
    wire = loaded(file)
    request = GEMINI.decode_request(wire, BOX)
    assert request.notes == ()
    assert GEMINI.read_head(wire).features == features_of(request)
    call = GEMINI.encode_request(request, request.model, CAPS)
    assert call.notes == ()
    was, now = json.loads(wire.body), json.loads(call.body)
    assert merged(now.pop("contents")) == merged(was.pop("contents"))
    if "systemInstruction" in was:
        was["systemInstruction"].pop("role", None)
    assert now == was


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recorded_request_passes_through_byte_by_byte(file):
    wire = loaded(file)
    head = GEMINI.read_head(wire)
    call = GEMINI.passthrough(wire, head, "up", CAPS)
    assert call.body == wire.body
    assert call.path.endswith("?alt=sse") is head.stream


def test_what_the_recordings_hold():
    if not FILES:
        pytest.skip(f"CLIENT REQUESTS ABSENT: {FOLDER} is no folder")
    requests = [GEMINI.decode_request(loaded(file), BOX) for file in FILES]
    assert len(requests) == 13
    parts = [part for request in requests for turn in request.turns for part in turn.parts]
    calls = [part for part in parts if isinstance(part, ToolCall)]
    assert [call.name for call in calls] == ["run_shell_command", "write_file"]
    assert all(call.seals[0].value == "c2lnbmF0dXJl" for call in calls)
    assert sum(isinstance(part, ToolResult) for part in parts) == 2
    assert sum(isinstance(part, Media) for part in parts) == 2
    assert {request.model for request in requests} > {"gemini-3.8-flash", "gemini-3.5-flash-lite"}
    assert sum(isinstance(tool, Function) for request in requests for tool in request.tools) > 100
