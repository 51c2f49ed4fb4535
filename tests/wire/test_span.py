import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.wire.span import (
    member_spans,
    renamed_member,
    set_member,
    set_scalar,
    without_member,
    without_scalar,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.just("model"), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(
    st.text(max_size=6) | st.sampled_from(["model", "mod\\el", "messages"]), JSON, max_size=5
)


def written(value: object, style: int) -> bytes:
    """The same object in a few of the ways clients write JSON."""
    styles = (
        {},
        {"indent": 2},
        {"ensure_ascii": False, "separators": (",", ":")},
        {"separators": (" , ", " : ")},
    )
    return json.dumps(value, **styles[style]).encode("utf-8", "surrogatepass")


@given(OBJECTS, st.integers(0, 3))
def test_only_the_value_of_the_member_changes(value: dict[str, object], style: int) -> None:
    body = written(value, style)
    spans = member_spans(body, "model")
    edited = set_member(body, "model", b'"new-name"')
    assert json.loads(edited.decode("utf-8", "surrogatepass")) == {**value, "model": "new-name"}
    if spans:
        (start, end) = spans[0]
        assert edited == body[:start] + b'"new-name"' + body[end:]
    else:
        head = body.index(b"{") + 1
        assert edited.startswith(body[:head])
        assert edited.endswith(body[head:])


@given(OBJECTS, st.text(max_size=5), st.integers(0, 3))
def test_the_quick_edit_equals_the_careful_one(value: dict[str, object], model: str, style: int) -> None:
    body = written({**value, "model": model}, style)
    assert set_scalar(body, "model", b'"x"') == set_member(body, "model", b'"x"')


@given(OBJECTS, st.integers(0, 3))
def test_removing_a_member_leaves_the_others(value: dict[str, object], style: int) -> None:
    rest = {key: item for key, item in value.items() if key != "model"}
    assert json.loads(without_member(written(value, style), "model").decode("utf-8", "surrogatepass")) == rest


def test_a_nested_member_of_the_same_name_is_left_alone() -> None:
    body = b'{"messages":[{"model":"inner","content":"say \\"model\\": \\"x\\""}],"model":"outer"}'
    assert set_scalar(body, "model", b'"new"') == body.replace(b'"outer"', b'"new"')


def test_an_escaped_key_is_found() -> None:
    assert set_member(b'{"mod\\u0065l":"a"}', "model", b'"b"') == b'{"mod\\u0065l":"b"}'


def test_every_repeat_of_a_key_is_replaced_because_the_last_wins() -> None:
    assert set_scalar(b'{"model":"a","model":"b"}', "model", b'"c"') == b'{"model":"c","model":"c"}'


def test_a_member_whose_value_looks_like_the_key_is_not_taken_for_it() -> None:
    assert set_scalar(b'{"a":"model","model":"m"}', "model", b'"n"') == b'{"a":"model","model":"n"}'
    assert set_scalar(b'{"a":"model"}', "model", b'"n"') == b'{"model":"n","a":"model"}'


@pytest.mark.parametrize("body", [b"", b"[]", b'"model"', b"{", b'{"model":', b'{"model":"a"', b"null"])
def test_what_is_not_a_whole_object_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        set_member(body, "model", b'"x"')


SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=4)


@given(st.builds(lambda rest, model: {**rest, "model": model}, OBJECTS, SCALAR), st.integers(0, 3))
def test_only_the_name_of_the_member_changes(value: dict[str, object], style: int) -> None:
    body = written(value, style)
    renamed = renamed_member(body, "model", "a name")
    assert json.loads(renamed.decode("utf-8", "surrogatepass")) == {
        "a name" if key == "model" else key: inner for key, inner in value.items()
    }
    assert len(renamed) - len(body) == 1
    assert renamed_member(renamed, "a name", "model") == body


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("words", [0, 10_000])
def test_a_member_is_renamed_wherever_it_stands_and_no_other(place: int, words: int) -> None:
    """Near the front, in the middle of much text, near the end; others of its name stand deeper, before and behind."""
    decoy = '{"limit": 7, "text": "\\"limit\\": ' + "word " * words + '"}'
    members = [f'"a": {decoy}', f'"b": [{decoy}, "limit"]']
    members.insert(place, '"limit" : 5')
    body = ("{" + ", ".join(members) + "}").encode()
    renamed = renamed_member(body, "limit", "bound")
    assert renamed == ("{" + ", ".join(members).replace('"limit" : 5', '"bound" : 5') + "}").encode()


def test_a_key_with_escapes_and_colons_is_renamed_whole() -> None:
    body = b'{"a":":\\"","\\u006dodel" : ":","b":1}'
    assert renamed_member(body, "model", "m") == b'{"a":":\\"","m" : ":","b":1}'


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'{"a": 1, "limit": 2, "b": 3}', b'{"a": 1, "b": 3}'),
        (b'{"limit": 2}', b"{}"),
        (b'{"b": 3, "limit": "x" }', b'{"b": 3}'),
        (b'{"b": {"limit": 1}, "limit": 2}', b'{"b": {"limit": 1}}'),  # twice: the careful way
        (b'{"limit": [1, {"limit": 2}], "b": 3}', b'{ "b": 3}'),  # no scalar: the careful way
        (b'{"limit": 1, "limit": 2}', b"{}"),
        (b'{"b": "\\"limit\\": 9", "limit": 2}', b'{"b": "\\"limit\\": 9"}'),
    ],
)
def test_a_scalar_is_taken_out_quickly_or_carefully_with_the_same_result(body: bytes, left: bytes) -> None:
    assert without_scalar(body, "limit") == without_member(body, "limit") == left
