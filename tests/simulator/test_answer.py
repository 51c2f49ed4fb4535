"""Answers: what an honest vendor says, and what a scene makes it say."""

import json
from typing import Any

from allgate.core.value import changed
from allgate.simulator import tokens
from allgate.simulator.answer import Answer, Ask, Tool, compose, visible_tokens
from allgate.simulator.scenes import scene_of

WEATHER = Tool(name="get_weather", schema={"type": "object", "properties": {"city": {"type": "string"}}})
TIME = Tool(name="getTime")
HELLO = Ask(model="m", prompt="Hello there", input_tokens=9, body={})


def answered(ask: Ask = HELLO, line: str = "echo", **fields: Any) -> Answer:
    return compose(changed(ask, **fields), scene_of(line), 1)[0]


def names(answer: Answer) -> list[str]:
    return [call.name for call in answer.calls]


def test_the_same_ask_gets_the_same_answer():
    assert answered(tools=(WEATHER,), forced="*") == answered(tools=(WEATHER,), forced="*")


def test_calls_of_different_requests_have_different_ids():
    ask = changed(HELLO, tools=(WEATHER,), forced="*")
    ids = {
        compose(ask, scene_of("parallel"), serial)[0].calls[place].call_id
        for serial in (1, 2)
        for place in (0, 1)
    }
    assert len(ids) == 4


def test_a_long_prompt_is_not_said_back_whole():
    assert len(answered(prompt="x" * 10_000).text) < 500


def test_tools_are_called_by_name_by_force_or_by_scene():
    assert names(answered(tools=(WEATHER, TIME))) == []
    assert names(answered(tools=(WEATHER, TIME), prompt="What Time is it?")) == ["getTime"]
    assert names(answered(tools=(WEATHER, TIME), forced="getTime")) == ["getTime"]
    assert names(answered(tools=(WEATHER, TIME), forced="*")) == ["get_weather"]
    assert names(answered(line="tools calls=3", tools=(WEATHER, TIME))) == [
        "get_weather",
        "getTime",
        "get_weather",
    ]


def test_tools_are_left_alone_when_forbidden_or_already_answered():
    assert names(answered(line="tools", tools=(WEATHER,), may_call=False)) == []
    assert names(answered(line="tools", tools=(WEATHER,), results=("sunny",))) == []
    assert names(answered(line="tools again=true", tools=(WEATHER,), results=("sunny",))) == ["get_weather"]
    assert names(answered(line="parallel", tools=(WEATHER,), parallel=False)) == ["get_weather"]


def test_calls_of_the_same_tool_differ_in_their_arguments():
    first, second = answered(line="parallel", tools=(WEATHER,)).calls
    assert json.loads(first.arguments) == {"city": "Hello there"}
    assert json.loads(second.arguments) == {"city": "Hello there 1"}


def test_an_answer_ends_at_the_first_stop_sequence_and_at_its_limit():
    stopped = answered(stop=("there", "Hello"))
    assert (stopped.text, stopped.finish, stopped.stop) == ("You said: ", "stop_sequence", "Hello")
    cut = answered(max_tokens=2)
    assert (cut.text, cut.finish) == ("You said", "length")
    assert answered(max_tokens=tokens.count("You said: Hello there")).finish == "stop"


def test_counts_are_of_all_choices_and_of_thinking():
    ask = changed(HELLO, choices=2, think=True)
    answers = compose(ask, scene_of(None), 1)
    thought = sum(tokens.count(answer.thinking or "") for answer in answers)
    assert answers[0].counts == answers[1].counts
    assert answers[0].counts.reasoning == thought
    assert answers[0].counts.output == sum(map(visible_tokens, answers)) + thought


def test_a_refusal_says_nothing_else():
    answer = answered(line="refuse", tools=(WEATHER,), forced="*")
    assert (answer.text, answer.calls, answer.finish) == ("", (), "refusal")
    assert answer.refusal


def test_citations_cover_the_text_where_a_search_is_offered_or_the_scene_says_so():
    assert [citation.end for citation in answered(search=True).citations] == [len("You said: Hello there")]
    assert len(answered(line="annotations=3").citations) == 3
    assert answered(line="empty annotations=3").citations == ()
