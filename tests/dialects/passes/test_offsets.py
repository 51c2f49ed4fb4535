from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.dialects.passes.offsets import Utf8Offsets


def test_ascii_counts_the_same_both_ways():
    offsets = Utf8Offsets("plain text")
    assert [offsets.code_points(n) for n in range(11)] == list(range(11))


def test_bytes_of_wide_characters_become_code_points():
    offsets = Utf8Offsets("Zürich 東京 🗼!")
    assert offsets.code_points(8) == 7
    assert offsets.utf8_bytes(7) == 8
    assert offsets.code_points(len("Zürich 東京 🗼".encode())) == 11


def test_an_offset_inside_a_character_rounds_down_to_its_start():
    assert Utf8Offsets("a🗼b").code_points(3) == 1


def test_an_offset_outside_the_text_becomes_its_end_or_start():
    for text in ("abc", "äöü"):
        assert Utf8Offsets(text).code_points(99) == 3
        assert Utf8Offsets(text).code_points(-1) == 0
        assert Utf8Offsets(text).utf8_bytes(99) == len(text.encode())
        assert Utf8Offsets(text).utf8_bytes(-1) == 0


@settings(deadline=None)
@given(st.text(), st.data())
def test_there_and_back_is_the_same_place(text: str, data: st.DataObject):
    place = data.draw(st.integers(0, len(text)))
    offsets = Utf8Offsets(text)
    assert offsets.code_points(offsets.utf8_bytes(place)) == place
