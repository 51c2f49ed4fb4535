import json

import pytest

from allgate.core.errors import ErrorKind, WireError
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.operations.chat.parts import Hosted, Opaque, Text, Thinking, ToolCall
from allgate.operations.chat.request import OutputFormat
from allgate.operations.chat.response import Finish
from allgate.operations.chat.tools import Custom, Function
from dialects.anthropic.exchange import FOREIGN, message, native, sent, use


def read(*blocks, context=None, **members):
    return ANTHROPIC.decode_response(message(*blocks, **members), context or sent())


def test_a_plain_answer():
    answer = read("hello", usage={"input_tokens": 3, "output_tokens": 2, "service_tier": "standard"})
    assert (answer.id, answer.model, answer.service_tier) == ("msg_up", "up", "standard")
    assert answer.choices[0].parts == (Text(text="hello"),)
    assert answer.choices[0].finish == Finish(reason="stop", native="end_turn")
    assert answer.usage == Usage(input_tokens=3, output_tokens=2)


def test_thinking_has_the_deployment_s_seals():
    thinking = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    blocks = (thinking, {"type": "redacted_thinking", "data": "ZA=="}, {**thinking, "thinking": ""}, "a")
    parts = read(*blocks, context=sent(seal_scope="acct")).choices[0].parts
    assert parts[:3] == (
        Thinking(text="hm", seals=(native(scope="acct"),)),
        Thinking(form="hidden", seals=(native("ZA==", "redacted", "acct"),)),
        Thinking(form="hidden", seals=(native(scope="acct"),)),
    )


def test_calls_come_back_in_the_client_s_words():
    request = changed(
        FOREIGN, tools=(Function(name="my.f"), Function(name="sleep", namespace="clock"), Custom(name="p"))
    )
    blocks = (
        use("a", "my_f", n=2**63),
        use("b", "clock__sleep"),
        use("c", "p", input="raw\n"),
        use("d", "unknown"),
    )
    choice = read(*blocks, context=sent(request), reason="tool_use").choices[0]
    assert choice.finish.reason == "tool_calls"
    assert choice.parts == (
        ToolCall(call_id="a", name="my.f", input='{"n":9223372036854775808}'),
        ToolCall(call_id="b", name="sleep", namespace="clock", input="{}"),
        ToolCall(call_id="c", name="p", input="raw\n", input_kind="text"),
        ToolCall(call_id="d", name="unknown", input="{}"),
    )


def test_structured_output_through_a_tool_is_the_answer_s_text():
    output = OutputFormat(kind="json_schema", schema={"type": "object"})
    context = sent(changed(FOREIGN, output=output), json_schema="none")
    choice = read(use(name="json_output", a=1), context=context, reason="tool_use").choices[0]
    assert choice.parts == (Text(text='{"a":1}'),)
    assert choice.finish.reason == "stop"


def test_a_hosted_call_is_one_part_with_its_result():
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
    hits = [
        {
            "type": "web_search_result",
            "url": "https://e.x",
            "title": "E",
            "encrypted_content": "ZQ==",
            "page_age": None,
        }
    ]
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": hits}
    choice = read(search, found, "done", reason="end_turn").choices[0]
    hosted = choice.parts[0]
    assert isinstance(hosted, Hosted)
    assert (hosted.tool, hosted.queries, hosted.status) == ("web_search", ("q",), "completed")
    assert hosted.result.hits[0].seal == native("ZQ==", "encrypted")
    assert choice.finish.reason == "stop"


def test_unknown_blocks_and_members_are_kept():
    answer = read(
        {"type": "novel", "x": 1},
        container={"id": "c"},
        usage={"input_tokens": 1, "output_tokens": 1, "iterations": []},
    )
    assert answer.choices[0].parts == (Opaque(dialect="anthropic", raw={"type": "novel", "x": 1}),)
    assert answer.extra == {"anthropic": {"container": {"id": "c"}, "usage": {"iterations": []}}}


def test_an_empty_text_is_no_part():
    assert read("", "a").choices[0].parts == (Text(text="a"),)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"content": "text"}', b'{"type": "message", "content": null}']
)
def test_what_is_no_reply_is_an_error(body):
    with pytest.raises(WireError):
        ANTHROPIC.decode_response(body, sent())


def test_an_error_in_the_place_of_a_reply_is_that_error():
    body = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}).encode()
    with pytest.raises(WireError) as caught:
        ANTHROPIC.decode_response(body, sent())
    assert caught.value.failure.kind is ErrorKind.OVERLOADED


def test_odd_members_of_a_compatible_server_do_not_cost_the_answer():
    answer = read(
        {"type": "text", "text": "a", "citations": None},
        {"type": "text", "text": None},
        usage=None,
        stop_reason=None,
    )
    assert answer.choices[0].parts == (Text(text="a"),)
    assert answer.usage is None
    assert answer.choices[0].finish.reason == "stop"
