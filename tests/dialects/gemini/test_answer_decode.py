"""Replies, whole and in chunks. Numbers are those of the list of peers' bugs."""

import json

import pytest

from allgate.core.errors import ErrorKind, WireError
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.events import Closed, Delta, Ended, Failed, Finished, Opened, Start, UsageSeen
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Hosted, Inline, Media, Opaque, Seal, Text, Thinking, ToolCall
from allgate.operations.chat.tools import Builtin, Custom, Function
from dialects.gemini.exchange import REQUEST, events_of, reply, sent, sse

SEAL = Seal(origin="gemini", scope="", form="thought", value="c2ln")
SIGNED = {"thoughtSignature": "c2ln"}
USAGE = {"promptTokenCount": 5, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 10}


def call(name: str = "f", **more) -> dict:
    return {"functionCall": {"name": name, "args": {"n": 1}, **more}}


def whole(*parts: dict, finish: str | None = "STOP", context=None, **more):
    return GEMINI.decode_response(
        json.dumps(reply(*parts, finish=finish, **more)).encode(), context or sent()
    )


def streamed(*chunks: dict, context=None):
    return fold(events_of([sse(*chunks)], context))


def test_a_stream_of_text_event_by_event():
    events = events_of(
        [
            sse(
                reply({"text": "Hel"}, usage={"promptTokenCount": 5}),
                reply({"text": "lo"}),
                reply({"text": ""}, finish="STOP", usage=USAGE),
            )
        ]
    )
    assert events == [
        Start(id="r-up", model="up"),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="Hel"),
        UsageSeen(usage=Usage(input_tokens=5)),
        Delta(index=0, channel="text", text="lo"),
        Closed(index=0, part=Text(text="Hello")),
        Finished(finish=events[-2].finish),
        Ended(usage=Usage(input_tokens=5, output_tokens=5, reasoning_tokens=2)),
    ]
    assert (events[-2].finish.reason, events[-2].finish.native) == ("stop", "STOP")


def test_thoughts_text_and_calls_are_parts_in_their_order():
    answer = streamed(
        reply({"text": "hm ", "thought": True}),
        reply({"text": "so", "thought": True}),
        reply({"text": "I call"}),
        reply({**call(), **SIGNED}),
        reply({"text": ""}, finish="STOP", usage=USAGE),
    )
    thought, text, tool = answer.choices[0].parts
    assert thought == Thinking(text="hm so", form="summary", segments=("hm so",))
    assert text == Text(text="I call")
    assert (tool.name, tool.input, tool.seals) == ("f", '{"n":1}', (SEAL,))
    assert answer.choices[0].finish.reason == "tool_calls"


def test_regression_18_a_call_in_an_earlier_chunk_turns_stop_into_tool_calls():
    events = events_of([sse(reply(call()), reply(finish="STOP"))])
    assert [event.finish.reason for event in events if isinstance(event, Finished)] == ["tool_calls"]


def test_regression_19_the_finish_is_told_once_and_last():
    events = events_of(
        [
            sse(
                reply({"text": "t", "thought": True}, finish="STOP"),
                reply(call(), finish="STOP"),
                reply(finish="STOP"),
            )
        ]
    )
    assert [type(event) for event in events[-2:]] == [Finished, Ended]
    assert sum(isinstance(event, Finished) for event in events) == 1


def test_regression_20_a_last_chunk_with_only_a_finish_counts():
    answer = streamed(reply({"text": "x"}), {"candidates": [{"finishReason": "MAX_TOKENS"}]})
    assert answer.choices[0].finish.reason == "length"


def test_regression_21_a_thinking_only_answer_without_a_finish_is_a_stop():
    chunks = sse(reply({"text": "hm", "thought": True}, usage=USAGE))
    assert events_of([chunks])[-2].finish.reason == "stop"
    assert isinstance(events_of([chunks], sent(finish_optional=False))[-1], Failed)


def test_a_stream_that_ends_without_finish_and_usage_is_no_success():
    for chunks in ([], [reply({"text": "x"})], [reply({"text": "x"}, usage=USAGE), reply({"text": "y"})]):
        last = events_of([sse(*chunks)])[-1]
        assert isinstance(last, Failed)
        assert last.failure.kind is ErrorKind.UPSTREAM


def test_regression_85_two_calls_of_one_function_are_two_parts():
    answer = streamed(reply(call()), reply(call()), reply(call(), call(), finish="STOP"))
    calls = answer.choices[0].parts
    assert [part.name for part in calls] == ["f"] * 4
    assert len({part.call_id for part in calls}) == 4


def test_a_call_without_id_gets_the_same_id_on_every_retry_and_another_one_later_in_the_history():
    first = whole(call()).choices[0].parts[0].call_id
    assert whole(call()).choices[0].parts[0].call_id == first
    longer = sent(changed(REQUEST, turns=REQUEST.turns * 3))
    assert whole(call(), context=longer).choices[0].parts[0].call_id != first
    assert whole(call(id="theirs")).choices[0].parts[0].call_id == "theirs"


def test_regressions_12_and_13_a_seal_stays_on_the_part_it_came_with():
    answer = whole({"text": "a"}, {**call(), **SIGNED}, call(), {"text": "b", "thoughtSignature": "dHdv"})
    assert [[seal.value for seal in part.seals] for part in answer.choices[0].parts] == [
        [],
        ["c2ln"],
        [],
        ["dHdv"],
    ]


def test_a_sealed_text_is_not_merged_with_its_neighbours():
    answer = streamed(
        reply({"text": "a"}), reply({"text": "b", **SIGNED}), reply({"text": "c"}, finish="STOP")
    )
    assert [(part.text, bool(part.seals)) for part in answer.choices[0].parts] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]


def test_a_signature_alone_at_the_end_belongs_to_the_part_before_it():
    answer = streamed(reply({"text": "a"}), reply({"text": "", **SIGNED}, finish="STOP"))
    assert answer.choices[0].parts == (Text(text="a", seals=(SEAL,)),)
    alone = whole(call(), {"text": "", **SIGNED})
    assert alone.choices[0].parts[1] == Text(text="", seals=(SEAL,))


@pytest.mark.parametrize(
    "parts",
    [
        [{"text": "a"}, call(), {"text": "b"}],
        [{"text": "t", "thought": True}, {"text": "a", **SIGNED}, call(id="x")],
        [{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}, {"text": "see"}],
        [
            {"executableCode": {"code": "1", "language": "PYTHON"}},
            {"codeExecutionResult": {"outcome": 1, "output": "1"}},
            {"text": "b"},
        ],
        [{"brandNew": {"x": 1}}, {"text": "a"}],
    ],
)
def test_a_folded_stream_equals_the_whole_answer(parts):
    """However the parts are spread over chunks."""
    expected = whole(*parts, usage=USAGE)
    assert streamed(*(reply(part) for part in parts), reply(finish="STOP", usage=USAGE)) == expected
    assert streamed(reply(*parts, finish="STOP", usage=USAGE)) == expected
    array = json.dumps([reply(part) for part in parts] + [reply(finish="STOP", usage=USAGE)]).encode()
    assert GEMINI.decode_response(array, sent()) == expected
    assert fold(events_of([array])) == expected


def test_several_candidates_are_kept_apart():
    answer = streamed(
        reply({"text": "a"}, index=0),
        reply({"text": "b"}, index=1),
        reply(index=1, finish="STOP"),
        reply(index=0, finish="MAX_TOKENS"),
    )
    assert [(choice.parts[0].text, choice.finish.reason) for choice in answer.choices] == [
        ("a", "length"),
        ("b", "stop"),
    ]


def test_more_candidates_than_anyone_gives_are_refused():
    with pytest.raises(WireError, match="candidate number 64"):
        events_of([sse(reply({"text": "x"}, index=64))])


def test_a_blocked_prompt_is_an_empty_filtered_answer():
    body = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"},
        "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
    }
    for answer in (GEMINI.decode_response(json.dumps(body).encode(), sent()), fold(events_of([sse(body)]))):
        (choice,) = answer.choices
        assert (choice.parts, choice.finish.reason, choice.finish.native, choice.finish.detail) == (
            (),
            "content_filter",
            "PROHIBITED_CONTENT",
            "no",
        )
        assert answer.usage == Usage(input_tokens=5, output_tokens=0)
        assert answer.extra["gemini"]["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"


def test_hosted_code_is_one_part_with_its_result():
    parts = [
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}, **SIGNED},
        {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "trace"}},
    ]
    (code,) = (
        streamed(reply(parts[0]), reply({"text": ""}), reply(parts[1]), reply(finish="STOP")).choices[0].parts
    )
    assert isinstance(code, Hosted)
    assert (code.tool, code.input, code.status, code.result.stderr, code.seals) == (
        "code_execution",
        "print(1)",
        "failed",
        "trace",
        (SEAL,),
    )


def test_a_hosted_call_without_a_result_does_not_hold_back_the_text():
    events = events_of(
        [
            sse(
                reply({"toolCall": {"id": "t", "toolType": "FILE_SEARCH"}}),
                reply({"text": "a"}),
                reply(finish="STOP"),
            )
        ]
    )
    opened = [event.part for event in events if isinstance(event, Opened)]
    assert [type(part) for part in opened] == [Hosted, Text]


def test_regression_81_pictures_come_out_whole():
    (part,) = whole({"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}).choices[0].parts
    assert part == Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))


def test_a_thought_picture_is_opaque():
    (part,) = (
        whole({"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}, "thought": True}).choices[0].parts
    )
    assert isinstance(part, Opaque)


def test_names_and_kinds_of_tools_come_back_in_the_clients_words():
    tools = (
        Function(name="my tool"),
        Function(name="sleep", namespace="clock"),
        Custom(name="apply_patch"),
        Builtin(kind="bash", runs="client", name="bash"),
    )
    context = sent(changed(REQUEST, tools=tools))
    parts = whole(
        call("my_tool"),
        call("clock__sleep"),
        {"functionCall": {"name": "apply_patch", "args": {"input": "*** Begin"}}},
        call("bash"),
        context=context,
    )
    first, second, third, fourth = parts.choices[0].parts
    assert first.name == "my tool"
    assert (second.name, second.namespace) == ("sleep", "clock")
    assert (third.input, third.input_kind) == ("*** Begin", "text")
    assert fourth.builtin == "bash"


def test_an_error_in_a_stream_ends_it():
    error = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
    events = events_of([sse(reply({"text": "x"}, usage=USAGE), error, reply({"text": "y"}))])
    assert isinstance(events[-1], Failed)
    assert (events[-1].failure.kind, events[-1].failure.message) == (ErrorKind.OVERLOADED, "busy")
    assert isinstance(events[-2], UsageSeen)
    with pytest.raises(WireError, match="busy"):
        GEMINI.decode_response(json.dumps(error).encode(), sent())


def test_usage_is_the_newest_of_every_field():
    answer = streamed(
        reply(
            {"text": "x"}, usage={"promptTokenCount": 5, "cachedContentTokenCount": 4, "totalTokenCount": 5}
        ),
        reply({"text": "y"}, usage={"promptTokenCount": 5, "candidatesTokenCount": 1, "totalTokenCount": 6}),
        reply(finish="STOP", usage={"promptTokenCount": 5, "candidatesTokenCount": 9, "totalTokenCount": 14}),
    )
    assert answer.usage == Usage(input_tokens=5, output_tokens=9, cache_read_tokens=4)


def test_snake_case_replies_and_numbered_reasons_are_read():
    body = {
        "candidates": [
            {
                "content": {
                    "parts": [{"function_call": {"name": "f", "args": {}}, "thought_signature": "c2ln"}]
                },
                "finish_reason": 1,
            }
        ],
        "usage_metadata": {"prompt_token_count": 3, "candidates_token_count": "2"},
        "model_version": "v",
    }
    answer = GEMINI.decode_response(json.dumps(body).encode(), sent())
    assert answer.model == "v"
    assert answer.choices[0].parts[0].seals == (SEAL,)
    assert answer.choices[0].finish.reason == "tool_calls"
    assert answer.usage == Usage(input_tokens=3, output_tokens=2)


def test_one_odd_member_does_not_cost_the_answer():
    body = reply({"text": "ok"}, finish="STOP", usage={"promptTokenCount": "many"})
    body["candidates"][0]["content"]["parts"] += [
        {"inlineData": 3},
        None,
        {"functionCall": {"name": "f", "args": 3}},
    ]
    answer = GEMINI.decode_response(json.dumps(body).encode(), sent())
    assert [type(part) for part in answer.choices[0].parts] == [Text, Opaque, Opaque]
    assert answer.usage is None


def test_what_is_no_reply_is_an_error():
    for body in (b"", b"<html>", b"[]", b"{}", b'{"foo": 1}', b"3"):
        with pytest.raises(WireError):
            GEMINI.decode_response(body, sent())


def test_comments_blank_lines_and_done_are_skipped():
    stream = b"\n: hello\n\n" + sse(reply({"text": "x"}, finish="STOP")) + b"data: [DONE]\n\n"
    assert fold(events_of([stream])).choices[0].parts == (Text(text="x"),)


def test_arguments_in_pieces_become_whole_arguments():
    pieces = [
        {"functionCall": {"name": "cook", "id": "c", "willContinue": True}, **SIGNED},
        {
            "functionCall": {
                "partialArgs": [{"jsonPath": "$.steps[0].text", "stringValue": "bo", "willContinue": True}],
                "willContinue": True,
            }
        },
        {
            "functionCall": {
                "partialArgs": [
                    {"jsonPath": "$.steps[0].text", "stringValue": "il"},
                    {"jsonPath": "$.n", "numberValue": 2},
                ],
                "willContinue": True,
            }
        },
        {"functionCall": {}},
        call("other"),
    ]
    first, second = streamed(*(reply(piece) for piece in pieces), reply(finish="STOP")).choices[0].parts
    assert isinstance(first, ToolCall)
    assert (first.call_id, first.name, json.loads(first.input), first.seals) == (
        "c",
        "cook",
        {"steps": [{"text": "boil"}], "n": 2},
        (SEAL,),
    )
    assert second.name == "other"


def test_log_probabilities_are_the_texts():
    result = {
        "chosenCandidates": [{"token": "Hi", "tokenId": 1, "logProbability": -0.1}],
        "topCandidates": [
            {"candidates": [{"token": "Hi", "logProbability": -0.1}, {"token": "Yo", "logProbability": -2}]}
        ],
    }
    (text,) = whole({"text": "Hi"}, logprobsResult=result).choices[0].parts
    assert text.logprobs[0]["token"] == "Hi"
    assert [entry["token"] for entry in text.logprobs[0]["top_logprobs"]] == ["Hi", "Yo"]
    assert text.logprobs[0]["bytes"] == [72, 105]


def test_what_gemini_alone_says_is_kept():
    answer = whole({"text": "x"}, safetyRatings=[{"category": "C"}], avgLogprobs=-1.5)
    assert answer.extra["gemini"]["candidates"]["0"] == {
        "safetyRatings": [{"category": "C"}],
        "avgLogprobs": -1.5,
    }


def test_the_time_of_a_reply_is_seconds():
    body = {**reply({"text": "x"}, finish="STOP"), "createTime": "2026-02-17T04:28:18.088960Z"}
    assert GEMINI.decode_response(json.dumps(body).encode(), sent()).created_s == 1771302498
    assert (
        GEMINI.decode_response(json.dumps({**body, "createTime": "soon"}).encode(), sent()).created_s is None
    )


def test_the_first_usage_that_can_be_read_is_told_at_once():
    odd = {**reply({"text": "a"}), "usageMetadata": 3}
    last = reply({"text": "b"}, finish="STOP", usage={"promptTokenCount": 7})
    seen = [event for event in events_of([sse(odd, odd, last)]) if isinstance(event, UsageSeen)]
    assert seen == [UsageSeen(usage=Usage(input_tokens=7))]
