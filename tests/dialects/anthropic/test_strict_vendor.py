"""What we write for other dialects is accepted by a stand-in that refuses what the vendor refuses."""

import http.client
import json
from collections.abc import Iterator

import pytest

from allgate.core.value import changed
from allgate.operations.chat.parts import CacheMark, Inline, Media, Part, Text, Thinking, ToolCall, ToolResult
from allgate.operations.chat.request import CacheHints, ChatRequest, OutputFormat, Reasoning, Sampling, Turn
from allgate.operations.chat.tools import Builtin, Custom, Function, ToolChoice
from allgate.simulator import in_thread
from allgate.simulator.in_thread import ThreadedSimulator
from dialects.anthropic.exchange import BUDGET, FOREIGN, USER, call_to, other_seal

MODEL = "claude-sonnet-4-6"
TINY_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = Media(kind="image", source=Inline(mime="image/jpeg", base64=TINY_PNG))
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]}
MARK = CacheMark()


def turn(role, *parts: Part) -> Turn:
    return Turn(role=role, parts=parts)


def call(call_id: str, text: str = "{}") -> ToolCall:
    return ToolCall(call_id=call_id, name="my.tool", input=text, seals=(other_seal(),))


def answer(call_id: str, *parts) -> ToolResult:
    return ToolResult(call_id=call_id, parts=parts)


LOOP = (
    USER,
    turn(
        "assistant", Thinking(text="hm", seals=(other_seal(),)), Text(text=" "), call("a b"), call("c", "[1]")
    ),
    turn("tool", answer("a b", Text(text="1"), PICTURE), answer("c")),
    turn("system", Text(text="be brief")),
)
REQUESTS = {
    "parallel results": changed(FOREIGN, turns=LOOP, tools=(Function(name="my.tool"),)),
    "thinking in a loop": changed(FOREIGN, turns=LOOP, tools=(Function(name="my.tool"),), reasoning=Reasoning(effort="high")),
    "small bound": changed(FOREIGN, reasoning=Reasoning(effort="high"), sampling=Sampling(max_tokens=2048, top_p=0.5)),
    "hot": changed(FOREIGN, sampling=Sampling(temperature=1.9, top_p=0.5, stop=("\n", "END"), seed=1)),
    "assistant first": changed(FOREIGN, turns=(turn("assistant", Text(text="hello")), USER)),
    "assistant last": changed(FOREIGN, turns=(USER, turn("assistant", Text(text="it is ")))),
    "call last": changed(FOREIGN, turns=(USER, turn("assistant", call("a"))), tools=(Function(name="my.tool"),)),
    "empty user": changed(FOREIGN, turns=(turn("user"),)),
    "late system": changed(FOREIGN, turns=(USER, turn("assistant", Text(text="a")), turn("developer", Text(text="s")))),
    "drawn": changed(FOREIGN, turns=(USER, turn("assistant", PICTURE), USER)),
    "marks": changed(
        FOREIGN, system=(Text(text="s", cache=MARK),) * 3, cache=CacheHints(auto=True),
        turns=(turn("user", Text(text="a", cache=MARK), Text(text="b", cache=MARK)),),
    ),
    "every tool": changed(
        FOREIGN, tool_choice=ToolChoice(mode="any", parallel=False),
        tools=(
            Function(name="f" * 200), Function(name="g", schema={"anyOf": [SCHEMA]}, strict=True), Custom(name="patch"),
            Builtin(kind="local_shell", runs="client"), Builtin(kind="web_search", runs="server", config={"context_size": "high"}),
        ),
    ),
    "schema": changed(FOREIGN, output=OutputFormat(kind="json_schema", schema=SCHEMA)),
}  # fmt: skip


@pytest.fixture(scope="module")
def vendor() -> Iterator[ThreadedSimulator]:
    with in_thread.running() as simulator:
        yield simulator


def status_of(vendor: ThreadedSimulator, request: ChatRequest, **narrowed) -> tuple[int, dict]:
    upstream = call_to(request, BUDGET, prefill=False, mid_system=False, **narrowed)
    body = json.loads(upstream.body) | {"model": MODEL}
    connection = http.client.HTTPConnection("127.0.0.1", vendor.port, timeout=10)
    headers = {name.decode(): value.decode() for name, value in upstream.headers} | {"x-api-key": "sk-test"}
    connection.request("POST", upstream.path, json.dumps(body), headers)
    reply = connection.getresponse()
    answered = json.loads(reply.read())
    connection.close()
    return reply.status, answered


@pytest.mark.parametrize("name", REQUESTS)
def test_the_strict_vendor_takes_what_we_write(vendor, name):
    status, body = status_of(vendor, REQUESTS[name])
    assert (status, body.get("error")) == (200, None)


def test_the_vendor_is_strict(vendor):
    """Without the repairs it would refuse: here one that Caps switch off."""
    marked = REQUESTS["marks"]
    status, body = status_of(vendor, marked, cache_marks_max=9)
    assert (status, "cache_control" in body["error"]["message"]) == (400, True)
