import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.dialects.openai_responses import stored
from allgate.dialects.openai_responses.wish import read_wish
from allgate.wire.message import WireRequest

RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "output": [{"id": "msg_1", "type": "message", "role": "assistant", "content": []}],
}


def wire(**body: object) -> WireRequest:
    return WireRequest(method="POST", path="/v1/responses", body=json.dumps(body).encode())


@given(
    st.binary()
    | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(
        lambda x: json.dumps({"input": x, "store": x}).encode()
    )
)
@example(b'{"input":' + b"[" * 5_000 + b"]" * 5_000 + b"}")
def test_nothing_but_a_wire_error_ever(body: bytes) -> None:
    with suppress(WireError):
        request = WireRequest(method="POST", path="/", body=body)
        stored.conversation(request, read_wish(request).items)


def test_a_conversation_stands_in_the_input_and_nothing_else_is_touched() -> None:
    request = wire(model="m", previous_response_id="resp_1", input="new", temperature=0.5)
    body = json.loads(stored.conversation(request, (b'{"a":1}', b'{"b":2}')).body)
    assert body == {"model": "m", "input": [{"a": 1}, {"b": 2}], "temperature": 0.5}


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_a_finished_answer_may_be_kept(status: str) -> None:
    body = json.dumps({**RESPONSE, "status": status}).encode()
    found = stored.answered(body)
    assert found == stored.Answered(id="resp_1", answer=body, items=("msg_1",))


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"no", json.dumps({**RESPONSE, "status": "failed"}).encode(), b'{"id":"resp_1"}']
)
def test_anything_else_is_not(body: bytes) -> None:
    assert stored.answered(body) is None


def test_an_answer_with_half_an_emoji_is_kept_with_a_replacement() -> None:
    body = json.dumps({**RESPONSE, "note": "X"}).replace('"X"', '"\\ud83c"').encode()
    found = stored.answered(body)
    assert found is not None
    assert "\ud83c" not in found.answer.decode()


def test_a_stream_is_kept_from_its_terminal_event() -> None:
    told = f"event: response.completed\ndata: {json.dumps({'type': 'response.completed', 'response': RESPONSE})}\n\n"
    found = stored.answered_by_stream(
        b'event: x\ndata: {"type":"x"}\n\n' + told.encode() + b"data: [DONE]\n\n"
    )
    assert found is not None
    assert (found.id, found.items, found.repeated) == ("resp_1", ("msg_1",), True)
    assert stored.answered_by_stream(told.replace("\n", "\r\n").encode()) == found
    assert stored.answered_by_stream(told.replace("response.completed", "response.failed").encode()) is None
    assert stored.answered_by_stream(b"") is None
    bare = told.replace(json.dumps(RESPONSE["output"]), "[]").encode()
    assert (unrepeated := stored.answered_by_stream(bare)) is not None
    assert not unrepeated.repeated


def test_listed_items_have_ids_and_parts() -> None:
    said = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    items = stored.listed((json.dumps(item).encode() for item in said), "resp_1")
    assert [item["content"][0]["type"] for item in items[:2]] == ["input_text", "output_text"]
    assert items[2]["id"] == "fc_1"
    assert len({item["id"] for item in items}) == 3


def test_pages_go_on_after_an_item_in_either_order() -> None:
    items = [{"id": str(number)} for number in range(5)]
    page = stored.page(items, after=None, limit=2, newest_first=True)
    assert ([item["id"] for item in page["data"]], page["has_more"]) == (["4", "3"], True)
    page = stored.page(items, after="3", limit=4, newest_first=False)
    assert ([item["id"] for item in page["data"]], page["has_more"], page["first_id"]) == (["4"], False, "4")
    assert stored.page([], after=None, limit=2, newest_first=True)["first_id"] is None
    with pytest.raises(WireError, match="no item 'x'"):
        stored.page(items, after="x", limit=1, newest_first=True)


def test_a_continued_response_names_its_parent_when_it_is_shown_again() -> None:
    shown = json.loads(stored.retrieved(json.dumps({**RESPONSE, "previous_response_id": None}), "resp_0"))
    assert shown["previous_response_id"] == "resp_0"
    assert stored.retrieved("{}", None) == b"{}"
