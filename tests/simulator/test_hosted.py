"""What a vendor runs itself, as the three SDKs read it: code and what it printed, and citations on words of an answer."""

from typing import Any

import pytest
from anthropic import Anthropic
from google import genai
from google.genai import types
from openai import OpenAI

from allgate.simulator.answer import CODE, PRINTED
from allgate.simulator.in_thread import ThreadedSimulator

SCENE = "text='Über 花火: ja.' cited='花火' annotations=1"
SEARCHES: Any = [{"type": "web_search_20250305", "name": "web_search"}]


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_runs_code_in_two_blocks(sim: ThreadedSimulator, stream: bool) -> None:
    tools: Any = [{"type": "code_execution_20250825", "name": "code_execution"}]
    call, result, text = _message(sim, stream, tools=tools).content
    assert (call.type, call.name, CODE in call.input["command"]) == (
        "server_tool_use",
        "bash_code_execution",
        True,
    )
    assert (result.type, result.tool_use_id) == ("bash_code_execution_tool_result", call.id)
    assert (result.content.stdout, result.content.return_code) == (PRINTED, 0)
    assert text.text == "You said: hi"


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_puts_cited_words_into_a_block_of_their_own(sim: ThreadedSimulator, stream: bool) -> None:
    sim.script(SCENE)
    blocks = [one for one in _message(sim, stream, tools=SEARCHES).content if one.type == "text"]
    assert [(one.text, bool(one.citations)) for one in blocks] == [
        ("Über ", False),
        ("花火", True),
        (": ja.", False),
    ]


def _message(sim: ThreadedSimulator, stream: bool, **fields: Any) -> Any:
    asked: Any = {"model": "claude-sonnet-4-6", "max_tokens": 99, **fields}
    asked["messages"] = [{"role": "user", "content": "hi"}]
    with Anthropic(base_url=sim.url, api_key="sk-test", max_retries=0) as client:
        if not stream:
            return client.messages.create(**asked)
        with client.messages.stream(**asked) as events:
            return events.get_final_message()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("include", [[], ["code_interpreter_call.outputs"]])
def test_openai_runs_code_and_tells_what_it_printed_to_those_who_ask(
    sim: ThreadedSimulator, stream: bool, include: list[str]
) -> None:
    tools: Any = [{"type": "code_interpreter", "container": {"type": "auto"}}]
    response = _response(sim, stream, tools=tools, include=include)
    (call,) = (item for item in response.output if item.type == "code_interpreter_call")
    assert (call.code, call.status) == (CODE, "completed")
    assert [output.logs for output in call.outputs or ()] == ([PRINTED] if include else [])


@pytest.mark.parametrize("stream", [False, True])
def test_openai_counts_cited_words_in_characters(sim: ThreadedSimulator, stream: bool) -> None:
    sim.script(SCENE)
    response = _response(sim, stream, tools=[{"type": "web_search"}])
    (note,) = response.output[-1].content[0].annotations
    assert response.output_text[note.start_index : note.end_index] == "花火"


def _response(sim: ThreadedSimulator, stream: bool, **fields: Any) -> Any:
    asked: Any = {"model": "gpt-5.5", "input": "hi", **fields}
    with OpenAI(base_url=f"{sim.url}/v1", api_key="sk-test", max_retries=0) as client:
        if not stream:
            return client.responses.create(**asked)
        with client.responses.stream(**asked) as events:
            return events.get_final_response()


@pytest.mark.parametrize("stream", [False, True])
def test_gemini_runs_code_in_two_parts(sim: ThreadedSimulator, stream: bool) -> None:
    (chunks, _) = _chunks(sim, stream, types.Tool(code_execution=types.ToolCodeExecution()))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert [part.executable_code.code for part in parts if part.executable_code] == [CODE]
    assert [part.code_execution_result.output for part in parts if part.code_execution_result] == [PRINTED]


@pytest.mark.parametrize("stream", [False, True])
def test_gemini_counts_cited_words_in_bytes(sim: ThreadedSimulator, stream: bool) -> None:
    sim.script(SCENE)
    chunks, text = _chunks(sim, stream, types.Tool(google_search=types.GoogleSearch()))
    (support,) = chunks[-1].candidates[0].grounding_metadata.grounding_supports
    segment = support.segment
    assert text.encode()[segment.start_index : segment.end_index].decode() == segment.text == "花火"


def _chunks(sim: ThreadedSimulator, stream: bool, tool: types.Tool) -> tuple[list[Any], str]:
    options = types.HttpOptions(base_url=sim.url)
    config = types.GenerateContentConfig(tools=[tool])
    with genai.Client(api_key="test", http_options=options) as client:
        ask = client.models.generate_content_stream if stream else client.models.generate_content
        answer = ask(model="gemini-3-pro-preview", contents="hi", config=config)
        chunks = list(answer) if stream else [answer]
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    return chunks, "".join(part.text or "" for part in parts)
