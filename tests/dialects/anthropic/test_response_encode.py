import json

import pytest

from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.operations.chat.parts import Inline, Media, Opaque, Text, Thinking, ToolCall
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from dialects.anthropic.exchange import (
    BOX,
    REQUEST,
    THINKING,
    asked,
    decoded,
    message,
    native,
    other_seal,
    sent,
)


def written(*parts, finish=None, request=THINKING, **members):
    response = ChatResponse(
        id="up",
        model="up",
        choices=(Choice(index=0, parts=parts, finish=finish or Finish(reason="stop")),),
        **members,
    )
    body, notes = ANTHROPIC.encode_response(response, asked(request))
    return json.loads(body), {note.path for note in notes}


def test_the_whole_of_a_small_answer():
    body, notes = written(Text(text="a"), usage=Usage(input_tokens=9, output_tokens=2))
    assert body == {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "public",
        "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {
            "input_tokens": 9, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 2,
        },
    }  # fmt: skip
    assert notes == set()


@pytest.mark.parametrize("text", ["a", "", " ", "\ud83d"])
@pytest.mark.parametrize(
    "members",
    [{}, {"service_tier": "priority"}, {"extra": {"anthropic": {"container": {"id": "c"}}}}],
    ids=str,
)
def test_one_text_is_written_as_it_is_beside_others(text, members):
    """Alone it is written without a search for what an answer may hold; an empty text beside it leaves no trace."""
    assert written(Text(text=text), **members) == written(Text(text=text), Text(text=""), **members)


BLOCKS = [
    {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
    {"type": "redacted_thinking", "data": "ZA=="},
    {"type": "text", "text": "a", "citations": [
        {"type": "web_search_result_location", "cited_text": "c", "url": "u", "title": "t", "encrypted_index": "aWR4"},
        {"type": "page_location", "cited_text": "c", "document_index": 0, "document_title": "d"},
    ]},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "x"}},
    {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "ask", "server_name": "wiki", "input": {}},
    {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": []},
    {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"stdout": "1", "return_code": 0}},
    {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
    {"type": "novel", "x": 1},
]  # fmt: skip


def test_what_the_vendor_says_comes_out_as_it_went_in():
    members = {"container": {"id": "c"}, "context_management": {"applied_edits": []}}
    usage = {
        "input_tokens": 1, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 1}, "service_tier": "standard",
        "inference_geo": "us", "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
    }  # fmt: skip
    raw = message(*BLOCKS, reason="tool_use", usage=usage, **members)
    body, notes = ANTHROPIC.encode_response(ANTHROPIC.decode_response(raw, sent()), asked())
    assert json.loads(body) == json.loads(raw) | {"id": "msg_1", "model": "public"}
    assert notes == ()


def test_a_call_that_broke_off_is_left_out_of_a_whole_answer():
    cut, whole = ToolCall(call_id="a", name="f", input='{"x": '), ToolCall(call_id="b", name="f", input="{}")
    body, notes = written(whole, cut, finish=Finish(reason="length"))
    assert [block["id"] for block in body["content"]] == ["b"]
    assert body["stop_reason"] == "max_tokens"
    assert notes == {"content.tool_use"}


def test_other_malformed_arguments_are_shown_raw():
    body, _ = written(ToolCall(call_id="a", name="f", input="{x"), finish=Finish(reason="tool_calls"))
    assert body["content"][0]["input"] == {"_raw": "{x"}


def test_seals_of_others_travel_in_envelopes_before_their_part():
    body, _ = written(
        Thinking(text="t", seals=(other_seal(),)),
        ToolCall(call_id="a", name="f", input="{}", seals=(other_seal("QQ=="),)),
        Text(text="x", seals=(native("c2ln"),)),
    )
    kinds = [block["type"] for block in body["content"]]
    assert kinds == ["thinking", "redacted_thinking", "tool_use", "redacted_thinking", "text"]
    assert BOX.unwrap(body["content"][1]["data"]).seal == other_seal("QQ==")


def test_a_plain_question_is_answered_by_the_first_block():
    parts = (
        Thinking(form="hidden", seals=(other_seal(form="encrypted", origin="openai"),)),
        Text(text="x", seals=(other_seal(),)),
    )
    body, _ = written(*parts, request=REQUEST)
    assert body["content"] == [{"type": "text", "text": "x"}]


def test_every_seal_survives_the_way_through_a_client():
    parts = (
        Thinking(text="t", seals=(other_seal(),)),
        Thinking(form="hidden", seals=(other_seal(form="encrypted", origin="openai"),)),
        ToolCall(call_id="a", name="f", input="{}", seals=(other_seal("QQ=="),)),
        Text(text="x", seals=(other_seal("Qg=="),)),
        Text(text="", seals=(other_seal("Qw=="),)),
    )
    body, _ = written(*parts)
    back = decoded(
        messages=[{"role": "user", "content": "hi"}, {"role": "assistant", "content": body["content"]}]
    )
    assert back.turns[1].parts == parts


def test_pictures_strangers_and_further_answers_are_noted():
    picture = Media(kind="image", source=Inline(mime="image/png", base64="iVBO"))
    body, notes = written(picture, Opaque(dialect="gemini", raw={}))
    assert [block["text"] for block in body["content"]] == ["[image]"]
    assert notes == {"content.image", "content.gemini"}
    choice = Choice(index=0, parts=(Text(text="a"),), finish=Finish(reason="stop"))
    response = ChatResponse(id="up", model="up", choices=(choice, changed(choice, index=1)))
    assert {note.path for note in ANTHROPIC.encode_response(response, asked())[1]} == {"choices"}


@pytest.mark.parametrize(("tier", "shown"), [("priority", "priority"), ("default", None), (None, None)])
def test_a_service_tier_is_shown_where_it_is_the_vendor_s_word(tier, shown):
    body, _ = written(Text(text="a"), service_tier=tier)
    assert body["usage"].get("service_tier") == shown
