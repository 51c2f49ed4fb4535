import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.wire.json import (
    DEPTH_MAX,
    decode,
    decode_lenient,
    decode_object,
    encode,
    object_at,
    optional_int,
    optional_text,
)


@pytest.mark.parametrize("body", [b"", b"{", b"nul", b'{"a":1}x', b"\xff", b'{"a":NaN}', b'"\xed\xa0\x80"'])
def test_what_is_not_json_is_a_wire_error(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(body)


@pytest.mark.parametrize("depth", [DEPTH_MAX + 1, 900, 100_000])
def test_nesting_is_bounded(depth: int) -> None:
    half = depth // 2 + 1
    for deep in (b"[" * depth + b"]" * depth, b'{"a":[' * half + b"1" + b"]}" * half):
        for read in (decode, decode_lenient):
            with pytest.raises(WireError):
                read(deep)


def test_the_deepest_allowed_nesting_is_read_whatever_brackets_its_texts_hold() -> None:
    deepest = b"[" * (DEPTH_MAX - 1) + b'"' + b"[{" * DEPTH_MAX + b'"' + b"]" * (DEPTH_MAX - 1)
    assert decode(deepest) == decode_lenient(deepest)


def test_half_an_emoji_becomes_a_replacement_character() -> None:
    assert decode(b'{"a":"x\\ud83d"}') == {"a": "x\ufffd"}
    assert decode_lenient(b'{"a":"\\ud83d\\ude00 \\ude00"}') == {"a": "\U0001f600 \ufffd"}
    assert encode({"a\ud83d": ["\ude00"]}) == '{"a\ufffd":["\ufffd"]}'.encode()


def test_big_integers_survive() -> None:
    assert encode(decode(b'{"n":123456789012345678901234567890}')) == b'{"n":123456789012345678901234567890}'


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=9,
    )
)
def test_encode_and_the_standard_library_agree(value: object) -> None:
    assert json.loads(encode(value)) == value
    assert decode(encode(value)) == value


@given(st.binary(max_size=60))
def test_only_wire_errors_for_any_bytes(body: bytes) -> None:
    for read in (decode, decode_object, decode_lenient):
        try:
            read(body)
        except WireError:
            continue


def test_a_wrong_type_names_its_path() -> None:
    with pytest.raises(WireError) as caught:
        object_at([], "messages[0]")
    assert caught.value.failure.param == "messages[0]"
    assert "expected an object, got an array" in caught.value.failure.message


def test_an_integer_may_be_written_as_a_whole_float_but_not_as_a_boolean() -> None:
    assert optional_int({"n": 5.0}, "n") == 5
    assert optional_int({}, "n") is None
    for wrong in (True, 1.5, "1"):
        with pytest.raises(WireError):
            optional_int({"n": wrong}, "n")


def test_null_and_absent_read_alike() -> None:
    assert optional_text({"a": None}, "a") is None
    assert optional_text({}, "a") is None
