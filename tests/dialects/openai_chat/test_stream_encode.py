"""What chat clients are streamed, byte by byte where it matters."""

import json

from hypothesis import given
from hypothesis import strategies as st

from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.events import Closed, Delta, Ended, Finished, Opened, Start, UsageSeen
from allgate.operations.chat.fold import unfold
from allgate.operations.chat.parts import (
    Annotation,
    Hosted,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Part,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    Url,
)
from allgate.operations.chat.request import Reasoning
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from dialects.openai_chat.exchange import BOX, REQUEST, asked, assistant, decoded, told

STOP = Finish(reason="stop")


def answer_of(*parts: Part, finish: Finish = STOP, **members) -> ChatResponse:
    choice = Choice(index=0, parts=parts, finish=finish)
    return ChatResponse(id="up", model="up", choices=(choice,), **members)


def deltas_of(*parts: Part, request=REQUEST) -> list[dict]:
    """The deltas of a streamed answer, without the introduction and the finish."""
    chunks = chunks_of(told(unfold(answer_of(*parts)), request))
    return [chunk["choices"][0]["delta"] for chunk in chunks[1:-1]]


def message_of(*parts: Part, request=REQUEST) -> dict:
    """The message of the unary answer."""
    body, _ = OPENAI_CHAT.encode_response(answer_of(*parts), asked(request))
    return json.loads(body)["choices"][0]["message"]


def chunks_of(stream: bytes) -> list[dict]:
    return [json.loads(frame[6:]) for frame in stream.decode().split("\n\n") if frame.startswith("data: {")]


def test_a_plain_stream_byte_by_byte():
    head = (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"public",'
        b'"choices":[{"index":0,"delta":{'
    )
    tail = b'},"logprobs":null,"finish_reason":null}]}\n\n'
    assert told(unfold(answer_of(Text(text='h"i')))) == (
        head + b'"role":"assistant","content":""' + tail
        + head + rb'"content":"h\"i"' + tail
        + head + b'},"logprobs":null,"finish_reason":"stop"}]}\n\n'
        + b"data: [DONE]\n\n"
    )  # fmt: skip


def test_nothing_leaves_before_the_first_part():
    """So that another provider may still be tried after the first one has only said hello."""
    encoder = OPENAI_CHAT.stream_encoder(asked())
    assert encoder.emit(Start(id="r", model="m")) == b""
    assert encoder.emit(UsageSeen(usage=Usage(input_tokens=1))) == b""


def test_fingerprint_and_tier_are_repeated_as_the_vendor_does():
    answer = answer_of(
        Text(text="a"), service_tier="flex", extra={"openai_chat": {"system_fingerprint": "fp"}}
    )
    for chunk in chunks_of(told(unfold(answer))):
        assert (chunk["service_tier"], chunk["system_fingerprint"]) == ("flex", "fp")


def test_usage_is_the_last_chunk_for_who_asked_and_for_nobody_else():
    """Regression 88."""
    answer = answer_of(Text(text="a"), usage=Usage(input_tokens=1, output_tokens=2))
    wanted = chunks_of(told(unfold(answer), changed(REQUEST, stream_usage=True)))[-1]
    assert (wanted["choices"], wanted["usage"]["total_tokens"]) == ([], 3)
    assert all(chunk["choices"] for chunk in chunks_of(told(unfold(answer))))


def test_a_call_is_opened_once_and_then_only_adds_arguments():
    """Call indexes count calls, not parts."""
    found = deltas_of(
        Text(text="a"), ToolCall(call_id="c", name="f", input="{}"), ToolCall(call_id="d", name="g")
    )
    assert found[1:] == [
        {
            "tool_calls": [
                {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {
            "tool_calls": [
                {"index": 1, "id": "d", "type": "function", "function": {"name": "g", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
    ]


def test_a_custom_call_streams_its_raw_input():
    found = deltas_of(ToolCall(call_id="c", name="patch", input="***", input_kind="text"))
    assert found == [
        {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "***"}}]},
    ]


def test_clients_of_the_legacy_functions_get_function_call():
    request = decoded(functions=[{"name": "f", "parameters": {"type": "object"}}])
    call = ToolCall(call_id="c", name="f", input="{}")
    assert deltas_of(call, request=request) == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
    ]
    assert message_of(call, request=request)["function_call"] == {"name": "f", "arguments": "{}"}
    two = (call, ToolCall(call_id="d", name="f", input="{}"))
    assert deltas_of(*two, request=request)[2]["tool_calls"][0]["index"] == 0
    assert [one["id"] for one in message_of(*two, request=request)["tool_calls"]] == ["d"]
    sealed = changed(call, seals=(SEAL,))  # the legacy shape has no place for a seal, whole or streamed
    assert deltas_of(sealed, request=request) == deltas_of(call, request=request)


def test_thinking_is_one_string_with_a_blank_line_between_its_parts():
    parts = (
        Thinking(text="one"),
        Thinking(text="a\n\nb", form="summary", segments=("a", "b")),
        Thinking(form="hidden"),
        Thinking(text="two"),
        Text(text="Yes"),
    )
    shown = "".join(delta.get("reasoning_content", "") for delta in deltas_of(*parts))
    assert shown == message_of(*parts)["reasoning_content"] == "one\n\na\n\nb\n\ntwo"


def test_thinking_is_not_shown_to_who_does_not_want_it():
    request = changed(REQUEST, reasoning=Reasoning(show="none"))
    parts = (Thinking(text="hm"), Text(text="Yes"))
    assert deltas_of(*parts, request=request) == [{"content": "Yes"}]
    assert "reasoning_content" not in message_of(*parts, request=request)


def test_citations_count_from_the_start_of_the_message():
    mark = Annotation(kind="url", url="https://e.x", title="E", start=1, end=2)
    whole = Annotation(kind="url", url="https://w.x")
    parts = (Text(text="😀a"), Text(text="bcd", annotations=(mark, whole)))
    cited = [delta["annotations"] for delta in deltas_of(*parts) if "annotations" in delta]
    assert cited == [message_of(*parts)["annotations"]]
    assert [entry["url_citation"] for entry in cited[0]] == [
        {"start_index": 3, "end_index": 4, "url": "https://e.x", "title": "E"},
        {"start_index": 2, "end_index": 5, "url": "https://w.x", "title": "https://w.x"},
    ]


def test_pictures_are_sent_whole():
    """[81]: unary and streamed alike."""
    inline = Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))
    linked = Media(kind="image", source=Url(url="https://e.x/a.png"))
    images = [delta["images"][0] for delta in deltas_of(inline, linked)]
    assert images == message_of(inline, linked)["images"]
    assert [(image["index"], image["image_url"]["url"]) for image in images] == [
        (0, "data:image/png;base64,iVBORw=="),
        (1, "https://e.x/a.png"),
    ]


def test_sound_streams_its_data_and_transcript():
    sound = Media(kind="audio", id="au", source=Inline(mime="audio/wav", base64="YWJj"), transcript="la")
    assert deltas_of(sound) == [
        {"audio": {"id": "au"}},
        {"audio": {"data": "YWJj"}},
        {"audio": {"transcript": "la"}},
        {"audio": {"expires_at": 1_700_000_000}},
    ]
    assert message_of(sound)["audio"]["data"] == "YWJj"


def test_code_that_the_provider_ran_is_not_written_into_the_text():
    code = Hosted(call_id="h", tool="code_execution", input="print(1)", result=HostedResult(stdout="1\n"))
    assert deltas_of(code, Text(text="So"))[0] == {"content": "So"}
    assert message_of(code, Text(text="So"))["content"] == "So"


def test_what_chat_cannot_say_is_noted():
    search = Hosted(call_id="h", tool="web_search", queries=("q",))
    film = Media(kind="document", source=Url(url="https://e.x"))
    _, notes = OPENAI_CHAT.encode_response(answer_of(search, film, Opaque(dialect="gemini", raw={})), asked())
    assert [note.path for note in notes] == ["hosted.web_search", "content", "content"]


def test_log_probabilities_are_a_list_beside_the_text():
    answer = answer_of(Text(text="a", logprobs=[{"token": "a"}]))
    body, _ = OPENAI_CHAT.encode_response(answer, asked())
    assert json.loads(body)["choices"][0]["logprobs"] == {"content": [{"token": "a"}]}
    streamed = [chunk["choices"][0]["logprobs"] for chunk in chunks_of(told(unfold(answer)))]
    assert [entry for entry in streamed if entry] == [{"content": [{"token": "a"}]}]


SEAL = Seal(origin="anthropic", scope="anthropic/a/claude", form="signature", value="sig")


def replayed(*parts: Part) -> tuple[Part, ...]:
    """The parts that come back when a client sends our message again."""
    message = {"role": "assistant", **message_of(*parts)}
    history = [{"role": "user", "content": "hi"}, message, {"role": "user", "content": "go on"}]
    return decoded(messages=history).turns[1].parts


def test_seals_travel_to_the_client_and_back():
    parts = (
        Thinking(text="first", seals=(SEAL,)),
        Thinking(form="hidden", seals=(changed(SEAL, form="redacted"),)),
        Thinking(
            text="digest",
            form="summary",
            segments=("digest",),
            seals=(changed(SEAL, origin="openai", form="encrypted"),),
        ),
        Text(text="Yes", seals=(changed(SEAL, origin="gemini", form="thought"),)),
    )
    assert replayed(*parts) == parts


def test_the_seal_of_a_call_travels_beside_it():
    sealed = ToolCall(
        call_id="c", name="f", input="{}", seals=(changed(SEAL, origin="gemini", form="thought"),)
    )
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", **message_of(sealed)}]
    assert decoded(messages=history).turns[1] == assistant(sealed)
    (fragment,) = deltas_of(sealed)[-1]["tool_calls"]
    assert fragment.keys() == {"index", "function", "extra_content"}
    assert fragment["function"] == {"arguments": ""}  # without it the vendor's stream helper stops
    opened = BOX.unwrap(fragment["extra_content"]["google"]["thought_signature"])
    assert opened is not None
    assert opened.seal == sealed.seals[0]


def test_streamed_details_are_those_of_the_whole_answer():
    parts = (Thinking(text="first", seals=(SEAL,)), Text(text="Yes", seals=(SEAL,)))
    streamed = [entry for delta in deltas_of(*parts) for entry in delta.get("reasoning_details", ())]
    assert streamed == message_of(*parts)["reasoning_details"]
    assert [entry["index"] for entry in streamed] == [0, 1]


def test_an_answer_of_nothing_but_a_finish_is_still_an_answer():
    stream = told((Start(id="r", model="m"), Finished(finish=Finish(reason="content_filter")), Ended()))
    first, last = chunks_of(stream)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert last["choices"][0]["finish_reason"] == "content_filter"


def test_content_is_null_only_where_something_else_is_said():
    """[32]: an empty string beside calls becomes an empty text block downstream."""
    assert message_of(ToolCall(call_id="c", name="f"))["content"] is None
    assert message_of(Refusal(text="no"))["content"] is None
    assert message_of()["content"] == ""


def test_half_an_emoji_does_not_break_the_stream():
    events = (
        Start(id="r", model="m"),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="x\ud83d"),
        Closed(index=0, part=Text(text="x\ud83d")),
    )
    assert chunks_of(told(events))[-1]["choices"][0]["delta"] == {"content": "x\ufffd"}


PARTS = st.lists(
    st.one_of(
        st.builds(Text, text=st.text(max_size=20)),
        st.builds(Thinking, text=st.text(max_size=20)),
        st.builds(Refusal, text=st.text(min_size=1, max_size=9)),
        st.builds(
            ToolCall,
            call_id=st.sampled_from("abc"),
            name=st.just("f"),
            input=st.sampled_from(("", "{}", '{"a":1}')),
        ),
    ),
    max_size=6,
)


@given(PARTS)
def test_the_stream_says_what_the_whole_answer_says(parts):
    message = message_of(*parts)
    content = reasoning = refusal = ""
    calls: dict[int, list[str]] = {}
    for delta in deltas_of(*parts):
        content += delta.get("content", "")
        reasoning += delta.get("reasoning_content", "")
        refusal += delta.get("refusal", "")
        for piece in delta.get("tool_calls", ()):
            call = calls.setdefault(piece["index"], [piece.get("id"), ""])
            call[1] += piece["function"]["arguments"]
    assert content == (message["content"] or "")
    assert reasoning == message.get("reasoning_content", "")
    assert refusal == (message["refusal"] or "")
    assert list(calls.values()) == [
        [c["id"], c["function"]["arguments"]] for c in message.get("tool_calls", ())
    ]
    assert list(calls) == list(range(len(calls)))
