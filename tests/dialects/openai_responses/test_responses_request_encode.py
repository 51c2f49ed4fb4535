"""A request of any dialect as a Responses request: what crosses, what is converted, what is noted or refused."""

import pytest

from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.parts import (
    CacheMark,
    FileRef,
    Hosted,
    Inline,
    Media,
    Opaque,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from allgate.operations.chat.request import (
    CacheHints,
    Identity,
    OutputFormat,
    Reasoning,
    Sampling,
    State,
    Turn,
)
from allgate.operations.chat.tools import Function
from dialects.openai_responses.exchange import (
    ADD,
    PLAIN,
    USER,
    call,
    decoded,
    encoded,
    foreign,
    note_paths,
    refused,
)

SEALED = Seal(origin="openai", scope="openai/org", form="encrypted", value="gAAA")
PNG = Inline(mime="image/png", base64="iVBO")


def assistant(*parts) -> Turn:
    return Turn(role="assistant", parts=parts)


def tool(*parts) -> Turn:
    return Turn(role="tool", parts=parts)


def test_a_plain_request():
    made = call(foreign(system=(Text(text="Be kind."), Text(text="Be short."))))
    assert made.path == "/responses"
    assert (b"accept", b"application/json") in made.headers
    assert encoded(foreign(system=(Text(text="Be kind."), Text(text="Be short.")))) == {
        "model": "up",
        "instructions": "Be kind.\n\nBe short.",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "stream": False,
    }


def test_the_provider_keeps_nothing_unless_the_client_said_so():
    assert encoded(foreign())["store"] is False
    assert encoded(foreign(state=State(store=True)))["store"] is True
    assert encoded(foreign(state=State(store=True)), store=False)["store"] is False
    assert "store" not in encoded(decoded()), "absent means true in this dialect, and the deployment keeps"
    assert encoded(decoded(), store=False)["include"] == ["reasoning.encrypted_content"], (
        "so that we can go on"
    )


def test_a_system_message_in_the_middle_stays_there_or_becomes_a_reminder():
    turns = (USER, Turn(role="developer", parts=(Text(text="Now French."),)))
    assert [item["role"] for item in encoded(foreign(*turns))["input"]] == ["user", "developer"]
    assert encoded(foreign(*turns), system_role="system")["input"][1]["role"] == "system"
    reminded = encoded(foreign(*turns), mid_system=False)["input"][1]
    assert reminded["role"] == "user"
    assert reminded["content"][0]["text"] == "<system-reminder>\nNow French.\n</system-reminder>"


def test_a_billing_line_of_another_vendor_is_left_out():
    request = foreign(system=(Text(text="x-anthropic-billing-header: cc_version=1;"), Text(text="Be kind.")))
    assert encoded(request)["instructions"] == "Be kind."


def test_a_tool_loop():
    turns = (
        USER,
        assistant(Text(text="Let me "), Text(text="see."), ToolCall(call_id="toolu_1", name="add", input='{"a":1}'),
                  ToolCall(call_id="x" * 70, name="add")),
        tool(ToolResult(call_id="toolu_1", parts=(Text(text="2"),)), ToolResult(call_id="x" * 70, parts=(Text(text="a"), Text(text="b")))),
    )  # fmt: skip
    _, said, one, other, first, second = encoded(foreign(*turns, tools=(ADD,)))["input"]
    assert said == {"type": "message", "role": "assistant", "content": "Let me see."}
    assert one == {"type": "function_call", "call_id": "toolu_1", "name": "add", "arguments": '{"a":1}'}
    assert other["arguments"] == "{}"
    assert first == {"type": "function_call_output", "call_id": "toolu_1", "output": "2"}
    assert second["output"] == [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    assert second["call_id"] == other["call_id"]
    assert len(other["call_id"]) <= 64, "regression 87"


def test_media_of_every_kind():
    parts = (
        Media(kind="image", source=PNG, detail="high"),
        Media(kind="image", source=Url(url="https://e.x/a.png")),
        Media(kind="image", source=FileRef(origin="openai", ref="file-1")),
        Media(kind="document", source=Inline(mime="application/pdf", base64="JVBE")),
        Media(kind="document", source=Url(url="https://e.x/a.pdf"), title="a.pdf"),
        Media(kind="document", source=Inline(mime="text/plain", base64="aGk="), title="a.txt"),
        Media(kind="audio", source=Inline(mime="audio/mpeg", base64="UklG")),
    )
    content = encoded(foreign(Turn(role="user", parts=parts)))["input"][0]["content"]
    assert content == [
        {"type": "input_image", "detail": "high", "image_url": "data:image/png;base64,iVBO"},
        {"type": "input_image", "detail": "auto", "image_url": "https://e.x/a.png"},
        {"type": "input_image", "detail": "auto", "file_id": "file-1"},
        {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        {"type": "input_file", "filename": "a.pdf", "file_url": "https://e.x/a.pdf"},
        {"type": "input_text", "text": "[a.txt]\nhi"},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "mp3"}},
    ]


@pytest.mark.parametrize(
    ("media", "narrowed", "param"),
    [
        (Media(kind="image", source=Inline(mime="image/tiff", base64="AAAA")), {}, "input_image"),
        (Media(kind="image", source=Url(url="https://e.x")), {"image_url": False}, "input_image"),
        (Media(kind="document", source=Url(url="https://e.x")), {"document_url": False}, "input_file"),
        (Media(kind="document", source=Inline(mime="application/zip", base64="AAAA")), {}, "input_file"),
        (
            Media(kind="audio", source=Inline(mime="audio/wav", base64="AAAA")),
            {"audio_mimes": ()},
            "input_audio",
        ),
        (Media(kind="video", source=Url(url="https://e.x")), {}, "video"),
        (Media(kind="image", source=FileRef(origin="gemini", ref="x")), {}, "input_image.file_id"),
    ],
)
def test_media_that_the_target_cannot_take_are_refused(media, narrowed, param):
    assert refused(foreign(Turn(role="user", parts=(media,))), **narrowed) == param


def test_media_in_results_stay_inside_or_follow_in_a_message():
    result = ToolResult(call_id="c", parts=(Text(text="shot"), Media(kind="image", source=PNG)))
    turns = (USER, assistant(ToolCall(call_id="c", name="add")), tool(result))
    inside = encoded(foreign(*turns))["input"][-1]["output"]
    assert [part["type"] for part in inside] == ["input_text", "input_image"]
    *_, output, beside = encoded(foreign(*turns), tool_images=False)["input"]
    assert output["output"] == "shot"
    assert [part["type"] for part in beside["content"]] == ["input_text", "input_image"]


def test_a_picture_of_the_assistant_stands_in_the_next_user_message():
    turns = (USER, assistant(Text(text="here"), Media(kind="image", source=PNG, id="x")), USER)
    *_, last = encoded(foreign(*turns))["input"]
    assert [part.get("text", part["type"]) for part in last["content"]] == [
        "[image produced by the assistant above]", "input_image", "hi",
    ]  # fmt: skip
    ended = encoded(foreign(*turns[:-1]))["input"]
    assert ended[-1]["role"] == "user"


def test_reasoning_is_replayed_to_whoever_sealed_it():
    thinking = Thinking(text="hm", form="summary", segments=("hm",), seals=(SEALED,), id="rs_1")
    request = foreign(
        USER, assistant(thinking, ToolCall(call_id="c", name="add")), tool(ToolResult(call_id="c"))
    )
    item = encoded(request)["input"][1]
    assert item == {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "gAAA",
    }
    for other in ({"seal_origin": "xai"}, {"seal_scope": "openai/another"}):
        assert [i["type"] for i in encoded(request, **other)["input"]] == [
            "message",
            "function_call",
            "function_call_output",
        ]
        assert "reasoning" in note_paths(request, **other)


def test_without_its_reasoning_an_item_loses_its_id():
    """OpenAI refuses an item that it knows without the reasoning item before it."""
    items = [
        {"role": "user", "content": "x"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    kept, lost = encoded(decoded(input=items)), encoded(decoded(input=items), seal_origin="xai", store=False)
    assert [item.get("id") for item in kept["input"][1:]] == ["rs_1", "fc_1"]
    assert [item.get("id") for item in lost["input"][1:]] == [None]


def test_ids_that_the_vendor_did_not_give_are_not_sent():
    items = [
        {
            "type": "message",
            "id": "msg_ag10",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "a"}],
        },
        {
            "type": "message",
            "id": "0b7c",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "b"}],
        },
        {
            "type": "message",
            "id": "msg_0b7c",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "c"}],
        },
    ]
    assert [item.get("id") for item in encoded(decoded(input=items))["input"]] == [None, None, "msg_0b7c"]


def test_servers_that_want_the_words_back_get_them():
    turns = (
        USER,
        assistant(Thinking(text="old")),
        USER,
        assistant(Thinking(text="new"), ToolCall(call_id="c", name="f")),
    )
    words = [
        i["content"][0]["text"]
        for i in encoded(foreign(*turns), PLAIN, reasoning_replay="all")["input"]
        if i["type"] == "reasoning"
    ]
    assert words == ["old", "new"]
    last = encoded(foreign(*turns), PLAIN, reasoning_replay="last_turn")["input"]
    assert [i["content"][0]["text"] for i in last if i["type"] == "reasoning"] == ["new"]
    assert not [i for i in encoded(foreign(*turns), PLAIN)["input"] if i["type"] == "reasoning"]


def test_foreign_content_is_noted():
    turns = (
        USER,
        assistant(
            Hosted(call_id="s", tool="web_search"), Opaque(dialect="anthropic", raw={}),
            ToolCall(call_id="c", name="f", seals=(Seal(origin="gemini", scope="", form="thought", value="x"),)),
        ),
    )  # fmt: skip
    assert note_paths(foreign(*turns)) == {"web_search call", "opaque item", "signature"}


def test_sampling_that_this_dialect_lacks_is_noted():
    request = foreign(
        sampling=Sampling(
            temperature=3.0,
            top_p=0.5,
            top_k=4,
            seed=1,
            max_tokens=5,
            frequency_penalty=1.0,
            logit_bias={"1": 1},
        )
    )
    body = encoded(request)
    assert (body["temperature"], body["top_p"], body["max_output_tokens"]) == (2.0, 0.5, 16)
    assert note_paths(request) == {
        "temperature",
        "max_output_tokens",
        "top_k",
        "seed",
        "frequency_penalty",
        "logit_bias",
    }
    assert "temperature" not in encoded(request, sampling=False)


def test_a_client_of_this_dialect_hears_from_the_provider_that_its_number_is_wrong():
    assert encoded(decoded(temperature=-1, max_output_tokens=1))["max_output_tokens"] == 1


def test_more_than_one_choice_is_refused():
    assert refused(foreign(sampling=Sampling(n=2))) == "n"
    assert encoded(foreign(sampling=Sampling(n=1)))["input"]


def test_reasoning_words():
    assert encoded(foreign(reasoning=Reasoning(effort="low", show="summary")))["reasoning"] == {
        "effort": "low",
        "summary": "auto",
    }
    assert encoded(foreign(reasoning=Reasoning(budget_tokens=2048)))["reasoning"] == {"effort": "medium"}
    assert encoded(foreign(reasoning=Reasoning(effort="xhigh")), efforts=("low", "high"))["reasoning"] == {
        "effort": "high"
    }
    assert "reasoning" not in encoded(foreign(reasoning=Reasoning(effort="low")), thinking="none")
    assert "include" not in encoded(foreign(), thinking="none"), (
        "a model that does not think refuses the wish"
    )


def test_who_switches_thinking_on_reads_its_summary():
    """An effort alone is no wish to read: OpenAI gives summaries to verified organisations only."""
    on = Reasoning(mode="on", budget_tokens=4096)
    assert encoded(foreign(reasoning=on))["reasoning"] == {"effort": "high", "summary": "auto"}
    hidden = Reasoning(mode="on", budget_tokens=4096, show="none")
    assert encoded(foreign(reasoning=hidden))["reasoning"] == {"effort": "high"}
    assert encoded(foreign(reasoning=Reasoning(effort="high")))["reasoning"] == {"effort": "high"}


def test_output_formats():
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    request = foreign(output=OutputFormat(kind="json_schema", schema=schema, strict=True, verbosity="low"))
    assert encoded(request)["text"] == {
        "verbosity": "low", "format": {"type": "json_schema", "name": "response", "schema": schema, "strict": True},
    }  # fmt: skip
    assert "verbosity" in note_paths(request, verbosity=False)
    body = encoded(foreign(output=OutputFormat(kind="json_object")))
    assert body["input"][0]["content"][0]["text"] == "Respond in JSON."
    assert refused(foreign(output=OutputFormat(kind="grammar"))) == "text.format"


def test_logprobs():
    request = foreign(sampling=Sampling(logprobs=True, top_logprobs=3))
    assert "message.output_text.logprobs" in encoded(request)["include"]
    assert encoded(request)["top_logprobs"] == 3
    assert note_paths(request, logprobs=False) == {"logprobs", "top_logprobs"}


def test_identity_cache_and_tier_go_by_the_caps():
    request = foreign(
        identity=Identity(user="u", safety_id="s", metadata={"k": "v"}), cache=CacheHints(key="k", retention="24h"),
        service_tier="flex",
    )  # fmt: skip
    body = encoded(request)
    assert (body["user"], body["safety_identifier"], body["metadata"]) == ("u", "s", {"k": "v"})
    assert (body["prompt_cache_key"], body["prompt_cache_retention"], body["service_tier"]) == (
        "k",
        "24h",
        "flex",
    )
    assert note_paths(request, CAPS_DEFAULT, user=False, metadata=False) == {
        "user", "safety_identifier", "metadata", "prompt_cache_key", "prompt_cache_retention", "service_tier",
    }  # fmt: skip


def test_cache_marks_stand_where_the_vendor_knows_them():
    marked = Text(text="long", cache=CacheMark(ttl="1h"))
    request = foreign(Turn(role="user", parts=(marked,)), system=(Text(text="sys", cache=CacheMark()),))
    body = encoded(request)
    assert "instructions" not in body
    assert [item["content"][0].get("prompt_cache_breakpoint") for item in body["input"]] == [
        {"mode": "explicit"}
    ] * 2
    assert body["input"][0]["role"] == "developer"
    assert "cache_control" in note_paths(request, cache="key")


def test_a_prefill_becomes_a_request_to_continue():
    body = encoded(foreign(USER, assistant(Text(text="Once"))))
    assert body["input"][-1]["role"] == "user"
    own = decoded(input=[{"role": "user", "content": "x"}, {"role": "assistant", "content": "Once"}])
    assert encoded(own)["input"][-1]["role"] == "assistant"


@pytest.mark.parametrize("member", ["previous_response_id", "conversation", "background", "prompt"])
def test_state_that_nobody_keeps_is_refused(member):
    request = decoded(**{member: True if member == "background" else "resp_0"})
    assert refused(request, PLAIN) == member
    assert encoded(request)[member]


def test_items_that_only_the_vendor_knows():
    reference = decoded(input=[{"role": "user", "content": "x"}, {"type": "item_reference", "id": "msg_1"}])
    assert refused(reference, PLAIN) == "input"
    assert encoded(reference)["input"][1] == {"type": "item_reference", "id": "msg_1"}
    compaction = decoded(
        input=[{"type": "compaction", "encrypted_content": "gAAA"}, {"role": "user", "content": "x"}]
    )
    assert len(encoded(compaction)["input"]) == 2
    assert len(encoded(compaction, PLAIN)["input"]) == 1, (
        "regression 70: a foreign compaction item is tolerated"
    )
    assert note_paths(compaction, PLAIN) == {"compaction item"}


def test_the_same_request_gives_the_same_bytes_and_a_longer_one_the_same_beginning():
    turns = [
        USER,
        assistant(Text(text="a"), ToolCall(call_id="c", name="a.b")),
        tool(ToolResult(call_id="c")),
        USER,
    ]
    tools = (Function(name="a.b"), Function(name="a:b"))
    one, again = (call(foreign(*turns[:3], tools=tools)).body for _ in range(2))
    assert one == again
    longer = encoded(foreign(*turns, tools=tools))
    shorter = encoded(foreign(*turns[:3], tools=tools))
    assert longer["input"][: len(shorter["input"])] == shorter["input"]
    assert longer["tools"] == shorter["tools"]
