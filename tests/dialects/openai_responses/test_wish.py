import json

import pytest

from allgate.core.errors import WireError
from allgate.dialects.openai_responses.wish import read_wish
from allgate.wire.message import WireRequest


def wire(**body: object) -> WireRequest:
    return WireRequest(method="POST", path="/v1/responses", body=json.dumps(body).encode())


def test_a_request_is_kept_unless_it_says_otherwise() -> None:
    assert read_wish(wire(input="x")).store
    assert read_wish(wire(input="x", store=None)).store
    assert not read_wish(wire(input="x", store=False)).store


def test_a_string_is_a_message_and_items_keep_their_bytes() -> None:
    assert json.loads(read_wish(wire(input='é "x"')).items[0]) == {
        "type": "message",
        "role": "user",
        "content": 'é "x"',
    }
    body = b'{"input":[ {"role" : "user", "content":"\\u00e9", "n":1.0} , {"type":"reasoning"}]}'
    items = read_wish(WireRequest(method="POST", path="/", body=body)).items
    assert items == (b'{"role" : "user", "content":"\\u00e9", "n":1.0}', b'{"type":"reasoning"}')


def test_items_that_are_only_named_are_found_with_and_without_their_type() -> None:
    items = [
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_2"},
        {"id": "msg_3", "type": "message", "role": "user", "content": "item_reference"},
        {"id": "msg_4", "role": "user", "content": "x"},
    ]
    assert read_wish(wire(input=items)).references == ("msg_1", "msg_2")


def test_a_wrong_type_is_named() -> None:
    with pytest.raises(WireError, match="'input'"):
        read_wish(wire(input={"role": "user"}, previous_response_id="resp_1"))
    with pytest.raises(WireError, match="previous_response_id"):
        read_wish(wire(input="x", previous_response_id=7))
    with pytest.raises(WireError, match="Conversations are not kept here"):
        read_wish(wire(input="x", conversation="conv_1"))
    with pytest.raises(WireError, match="store"):
        read_wish(wire(input="x", store="yes"))


def test_items_are_read_only_where_somebody_wants_them() -> None:
    named = [{"type": "item_reference", "id": "msg_1"}]
    assert read_wish(wire(input="x", store=False)).items == ()
    assert read_wish(wire(input="x"), keeping=False).items == ()
    assert len(read_wish(wire(input="x", store=False, previous_response_id="resp_1")).items) == 1
    assert read_wish(wire(input=named, store=False)).references == ("msg_1",)
    assert read_wish(wire(input=[{"id": "msg_2"}]), keeping=False).references == ("msg_2",)


def test_where_nothing_is_kept_no_answer_is() -> None:
    assert not read_wish(wire(input="x", store=True), keeping=False).store


def test_half_an_emoji_in_a_name_is_read_as_everywhere() -> None:
    body = b'{"model":"\\ud83d","input":"x"}'
    assert read_wish(WireRequest(method="POST", path="/", body=body)).model == "\ufffd"
