import json

from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.gemini import GEMINI
from allgate.operations.chat.parts import (
    Hosted,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
)
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from dialects.gemini.exchange import BOX, REQUEST, SHOWING, asked, model_parts, reply, sent

FOREIGN = Seal(origin="anthropic", scope="anthropic/main", form="signature", value="EqQB")
NATIVE = Seal(origin="gemini", scope="", form="thought", value="c2ln")
CALL = ToolCall(call_id="call_1", name="f", input='{"a": 9007199254740993}')


def answer(*parts, reason="stop", **more) -> ChatResponse:
    return ChatResponse(
        id="up", model="up", choices=(Choice(index=0, parts=parts, finish=Finish(reason=reason, **more)),)
    )


def written(response: ChatResponse, request=SHOWING) -> dict:
    return json.loads(GEMINI.encode_response(response, asked(request))[0])


def parts_of(*parts, request=SHOWING) -> list[dict]:
    return written(answer(*parts), request)["candidates"][0]["content"].get("parts", [])


def test_an_answer_has_our_id_our_model_name_and_one_candidate():
    body = written(
        changed(answer(Text(text="hi")), usage=Usage(input_tokens=3, output_tokens=4, reasoning_tokens=1))
    )
    assert body == {
        "candidates": [
            {"content": {"parts": [{"text": "hi"}], "role": "model"}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": 3,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 1,
            "totalTokenCount": 7,
        },
        "modelVersion": "public",
        "responseId": "resp-1",
    }


def test_a_call_has_its_id_and_its_arguments_as_the_model_wrote_them():
    body, notes = GEMINI.encode_response(answer(CALL, reason="tool_calls"), asked())
    assert b'"functionCall":{"id":"call_1","name":"f","args":{"a": 9007199254740993}}' in body
    assert json.loads(body)["candidates"][0]["finishReason"] == "STOP"
    assert notes == ()


def test_a_call_that_cannot_be_read_is_left_out_and_gemini_cli_tries_again():
    broken = answer(Text(text="x"), changed(CALL, input='{"a": '), reason="tool_calls")
    body, notes = GEMINI.encode_response(broken, asked())
    (candidate,) = json.loads(body)["candidates"]
    assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert candidate["content"]["parts"] == [{"text": "x"}]
    assert [note.path for note in notes] == ["tool call"]
    assert (
        written(changed(broken, choices=answer(changed(CALL, input="{"), reason="length").choices))[
            "candidates"
        ][0]["finishReason"]
        == "MAX_TOKENS"
    )


def test_thoughts_are_shown_only_to_who_asked():
    thinking = Thinking(text="hm", form="summary")
    assert parts_of(thinking, Text(text="x")) == [{"text": "hm", "thought": True}, {"text": "x"}]
    assert parts_of(thinking, Text(text="x"), request=REQUEST) == [{"text": "x"}]


def test_native_signatures_are_bare_on_their_part():
    parts = parts_of(
        Thinking(text="hm", seals=(NATIVE,)), Text(text="x", seals=(NATIVE,)), changed(CALL, seals=(NATIVE,))
    )
    assert [part["thoughtSignature"] for part in parts] == ["c2ln"] * 3


def test_regression_15_a_foreign_thought_and_its_seal_survive_a_client_that_drops_thoughts():
    shown = parts_of(Thinking(text="hm", seals=(FOREIGN,)), CALL)
    assert shown[0] == {"text": "hm", "thought": True}
    assert shown[1]["thoughtSignature"].startswith("QUdTTDE6")
    assert model_parts(*shown)[0] == Thinking(text="hm", form="summary", segments=("hm",), seals=(FOREIGN,))
    assert model_parts(*shown[1:]) == (Thinking(form="hidden", seals=(FOREIGN,)), model_parts(*shown)[1])


def test_a_hidden_seal_travels_also_to_a_client_that_sees_no_thoughts():
    hidden = parts_of(Thinking(form="hidden", seals=(FOREIGN,)), Text(text="x"), request=REQUEST)
    assert [part["text"] for part in hidden] == ["x"]
    assert model_parts(*hidden) == (Thinking(form="hidden", seals=(FOREIGN,)), Text(text="x"))


def test_seals_that_find_no_part_leave_in_an_empty_thought():
    two = (
        Thinking(form="hidden", seals=(FOREIGN,)),
        Thinking(form="hidden", seals=(changed(FOREIGN, form="redacted"),)),
    )
    for parts in (parts_of(*two), parts_of(*two, CALL)):
        back = [part for part in model_parts(*parts) if isinstance(part, Thinking)]
        assert [part.seals[0].form for part in back] == ["signature", "redacted"]


def test_media_code_and_refusals():
    code = Hosted(
        call_id="h", tool="code_execution", input='{"code": "print(1)"}', result=HostedResult(stdout="1")
    )
    parts = parts_of(
        Media(kind="image", source=Inline(mime="image/png", base64="iVBORw==")), code, Refusal(text="no")
    )
    assert parts == [
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"text": "no"},
    ]


def test_spoken_words_stand_before_the_sound():
    sound = Media(kind="audio", source=Inline(mime="audio/wav", base64="UklG"), transcript="hello")
    assert parts_of(sound)[0] == {"text": "hello"}


def test_what_gemini_has_no_word_for_is_noted():
    odd = answer(Hosted(call_id="h", tool="mcp"), Opaque(dialect="anthropic", raw={}), Text(text="x"))
    body, notes = GEMINI.encode_response(odd, asked())
    assert json.loads(body)["candidates"][0]["content"]["parts"] == [{"text": "x"}]
    assert {note.path for note in notes} == {"mcp", "content"}


def test_an_answer_without_parts_has_a_truthful_finish():
    candidate = written(answer(reason="content_filter", detail="blocked"))["candidates"][0]
    assert candidate == {
        "content": {"role": "model"},
        "finishReason": "SAFETY",
        "finishMessage": "blocked",
        "index": 0,
    }


def test_everything_a_gemini_provider_said_reaches_a_gemini_client():
    own = reply(
        {"text": "t", "thought": True},
        {"text": "x", "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
        {"executableCode": {"language": "PYTHON", "code": "1", "id": "e"}, "thoughtSignature": "c2ln"},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1", "id": "e"}},
        {"toolCall": {"id": "t", "toolType": "FILE_SEARCH"}},
        {"toolResponse": {"id": "t", "toolType": "FILE_SEARCH", "response": {}}, "thoughtSignature": "c2ln"},
        {"brandNew": {"x": 1}},
        finish="STOP",
        safetyRatings=[{"category": "C"}],
        groundingMetadata={"webSearchQueries": ["q"]},
        finishMessage="done",
    )
    response = GEMINI.decode_response(json.dumps(own).encode(), sent())
    kept = [part for part in response.choices[0].parts if not (isinstance(part, Hosted) and part.queries)]
    body = written(changed(response, choices=(changed(response.choices[0], parts=tuple(kept)),)))
    assert body["candidates"] == own["candidates"]
    assert written(response)["candidates"] == own["candidates"]


def test_a_blocked_prompt_stays_one():
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3},
    }
    body = written(GEMINI.decode_response(json.dumps(blocked).encode(), sent()))
    assert body["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in body


def test_log_probabilities_come_back():
    entry = {
        "token": "Hi",
        "logprob": -0.5,
        "bytes": [72, 105],
        "top_logprobs": [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}],
    }
    candidate = written(answer(Text(text="Hi", logprobs=[entry])))["candidates"][0]
    assert candidate["logprobsResult"]["chosenCandidates"] == [{"token": "Hi", "logProbability": -0.5}]
    again = GEMINI.decode_response(json.dumps({"candidates": [candidate]}).encode(), sent())
    assert again.choices[0].parts[0].logprobs == [entry]


def test_the_codec_box_is_that_of_the_account():
    assert BOX is asked().seals
