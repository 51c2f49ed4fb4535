import pytest

from allgate.core.value import changed
from allgate.operations.chat.parts import (
    Annotation,
    CacheMark,
    Hosted,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Refusal,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from dialects.anthropic.exchange import (
    FOREIGN,
    USER,
    answered,
    assistant,
    decoded,
    encoded,
    foreign,
    native,
    note_paths,
    other_seal,
    result,
    use,
    user,
)

PICTURE = Media(kind="image", source=Inline(mime="image/png", base64="iVBO"))


def blocks(*parts, role="assistant", **narrowed) -> list[dict]:
    return encoded(foreign(*parts, role=role), **narrowed)["messages"][1]["content"]


def test_thinking_with_a_seal_of_this_deployment_is_replayed_verbatim():
    parts = (
        Thinking(text="hm", seals=(native(),)),
        Thinking(form="hidden", seals=(native("ZA==", "redacted"),)),
        Text(text="a"),
    )
    assert blocks(*parts)[:2] == [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "redacted_thinking", "data": "ZA=="},
    ]  # fmt: skip


def test_a_seal_that_the_client_declares_is_trusted_for_any_scope_of_the_vendor():
    seal = native(scope="client-declared")
    assert (
        blocks(Thinking(text="hm", seals=(seal,)), Text(text="a"), seal_scope="x")[0]["signature"] == "c2ln"
    )


@pytest.mark.parametrize("seals", [(), (other_seal(),), (native(scope="another account"),)])
def test_regression_37_thinking_of_another_scope_is_left_out_and_noted(seals):
    thought = Thinking(text="hm", seals=seals)
    assert blocks(thought, Text(text="a")) == [{"type": "text", "text": "a"}]
    assert "thinking" in note_paths(foreign(thought, Text(text="a")))


def test_vendors_that_take_unsigned_thinking_get_it():
    assert blocks(Thinking(text="hm"), Text(text="a"), unsigned_thinking=True, seal_origin="")[0] == {
        "type": "thinking", "thinking": "hm",
    }  # fmt: skip


def test_arguments_are_an_object_whatever_the_model_wrote():
    texts = ['{"b":1,"a":2}', "", "[1]", "{broken", '"x"']
    parts = tuple(ToolCall(call_id=f"c{place}", name="f", input=text) for place, text in enumerate(texts))
    request = changed(FOREIGN, turns=(USER, USER, *_answering(parts)))
    written = encoded(request)["messages"][1]["content"]
    assert [block["input"] for block in written] == [
        {"b": 1, "a": 2}, {}, {"value": [1]}, {"_raw": "{broken"}, {"value": "x"},
    ]  # fmt: skip
    assert "tool_use.input" in note_paths(request)


def _answering(calls):
    from allgate.operations.chat.request import Turn

    return Turn(role="assistant", parts=calls), USER


def test_raw_text_of_a_custom_tool_is_wrapped():
    part = ToolCall(call_id="c", name="patch", input="*** Begin", input_kind="text")
    assert blocks(part)[0]["input"] == {"input": "*** Begin"}


def test_ids_and_names_fit_the_vendor_s_alphabet_in_calls_and_results_alike():
    turns = (USER, foreign(ToolCall(call_id="a b/c", name="my.tool")).turns[1], answered("a b/c"))
    body = encoded(changed(FOREIGN, turns=turns))
    call, answer = body["messages"][1]["content"][0], body["messages"][2]["content"][0]
    assert call["name"] == "my_tool"
    assert call["id"] == answer["tool_use_id"]
    assert call["id"].startswith("call_")


def test_results_are_text_pictures_or_errors():
    turns = (USER, foreign(*(ToolCall(call_id=c, name="f") for c in "ab")).turns[1])
    results = (
        *answered("a", Text(text="42"), is_error=True).parts,
        *answered("b", Text(text="see"), PICTURE).parts,
    )
    body = encoded(changed(FOREIGN, turns=(*turns, changed(answered("a"), parts=results))))
    assert body["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": "42", "is_error": True},
        {"type": "tool_result", "tool_use_id": "b", "content": [
            {"type": "text", "text": "see"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
        ]},
    ]  # fmt: skip


def test_a_structured_result_is_told_as_json():
    turns = (USER, foreign(ToolCall(call_id="a", name="f")).turns[1], answered("a", structured={"n": 1}))
    empty = changed(turns[2].parts[0], parts=())
    body = encoded(changed(FOREIGN, turns=(*turns[:2], changed(turns[2], parts=(empty,)))))
    assert body["messages"][2]["content"][0]["content"] == '{"n":1}'


def test_own_documents_cite_again_and_foreign_pages_do_not():
    page = {"type": "page_location", "cited_text": "x", "document_index": 0, "start_page_number": 1}
    own = Annotation(kind="document", cited_text="x", extra={"anthropic": page})
    web = Annotation(kind="url", url="https://e.x", seal=native("aWR4", "encrypted"))
    other = Annotation(kind="url", url="https://o.x")
    part = Text(text="a", annotations=(own, web, other))
    cited = blocks(part)[0]["citations"]
    assert [citation["type"] for citation in cited] == ["page_location", "web_search_result_location"]
    assert cited[1]["encrypted_index"] == "aWR4"
    assert "citations" in note_paths(foreign(part))


def test_a_call_that_another_provider_ran_is_left_out_with_a_note():
    search = Hosted(call_id="ws_1", tool="web_search", result=HostedResult(hits=(SearchHit(url="u"),)))
    assert blocks(search, Text(text="found")) == [{"type": "text", "text": "found"}]
    assert "web_search" in note_paths(foreign(search, Text(text="found")))


def test_own_calls_of_the_provider_are_split_again_around_what_they_enclose():
    blocks_in = [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "x"}},
        {"type": "server_tool_use", "id": "srvtoolu_2", "name": "web_fetch", "input": {"url": "u"}, "caller": {"type": "c"}},
        {"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_2", "content": {"type": "web_fetch_result", "url": "u"}},
        {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"stdout": "1"},
         "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "done"},
    ]  # fmt: skip
    request = decoded(messages=[user("go"), assistant(*blocks_in), user("on")])
    assert encoded(request)["messages"][1]["content"] == blocks_in


def test_refusals_and_opaque_blocks():
    own = Opaque(dialect="anthropic", raw={"type": "novel"})
    stranger = Opaque(dialect="gemini", raw={})
    assert blocks(Refusal(text="no"), own, stranger) == [{"type": "text", "text": "no"}, {"type": "novel"}]
    assert "gemini item" in note_paths(foreign(stranger, Text(text="a")))


def test_every_kind_of_block_keeps_its_breakpoint():
    mark = CacheMark(ttl="1h")
    parts = (Text(text="a", cache=mark), ToolCall(call_id="c", name="f", cache=mark))
    assert [block["cache_control"] for block in blocks(*parts)] == [{"type": "ephemeral", "ttl": "1h"}] * 2


def test_a_reference_to_a_tool_is_a_sentence_where_tools_cannot_be_deferred():
    reference = {"type": "tool_reference", "tool_name": "Grep"}
    request = decoded(messages=[user("go"), assistant(use()), user(result(content=[reference]))])
    content = encoded(request)["messages"][2]["content"][0]["content"]
    assert content == [reference]
    assert (
        encoded(request, hosted=())["messages"][2]["content"][0]["content"] == "Tool Grep is now available."
    )
