import json

from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.dialects.gemini.partial_args import PartialArguments


def put(*pieces: dict) -> dict:
    arguments = PartialArguments()
    arguments.take(pieces)
    return arguments.value


def test_every_kind_of_value_at_every_kind_of_place():
    assert put(
        {"jsonPath": "$.a.b", "numberValue": 0},
        {"jsonPath": "$['with space']", "boolValue": False},
        {"json_path": '$.list[1]["x"]', "null_value": "NULL_VALUE"},
        {"jsonPath": "$.list[0].t", "stringValue": "one"},
    ) == {"a": {"b": 0}, "with space": False, "list": [{"t": "one"}, {"x": None}]}  # fmt: skip


def test_strings_of_one_place_are_put_together():
    assert put({"jsonPath": "$.t", "stringValue": "a"}, {"jsonPath": "$.t", "stringValue": "b"}) == {
        "t": "ab"
    }


def test_paths_that_make_no_sense_are_left_out():
    bad = ["", "t", "$", "$.", "$[x]", "$.a[99999999]", "$" + ".a" * 65, "$..a"]
    assert put(*({"jsonPath": path, "stringValue": "x"} for path in bad)) == {}
    assert put(
        {"jsonPath": "$.a", "stringValue": "x"},
        {"jsonPath": "$.a.b", "stringValue": "y"},
        {"jsonPath": "$.a[0]", "boolValue": True},
    ) == {"a": "x"}


PATHS = st.text(alphabet="$.[]'ab01", max_size=12)
PIECES = st.fixed_dictionaries(
    {"jsonPath": PATHS},
    optional={"stringValue": st.text(max_size=3), "numberValue": st.integers(), "nullValue": st.none()},
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=8))
def test_any_pieces_give_an_object(pieces):
    json.dumps(put(*pieces))
