import re

import pytest

from allgate.core.ids import call_id_from, make_id


def test_ids_sort_by_time_and_keep_their_shape() -> None:
    ids = [make_id("req", time_ms, b"\xff" * 10) for time_ms in (0, 1, 1_790_000_000_000, 2**48 - 1)]
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"req_[0-9a-f]{32}", one) for one in ids)


def test_dice_make_ids_of_one_millisecond_differ() -> None:
    assert make_id("req", 5, bytes(10)) != make_id("req", 5, bytes(9) + b"\x01")


def test_the_wrong_amount_of_dice_is_refused() -> None:
    with pytest.raises(ValueError):
        make_id("req", 0, b"short")


def test_a_call_id_depends_on_content_alone_and_not_on_how_it_is_joined() -> None:
    assert call_id_from("a", "b") == call_id_from("a", "b")
    assert call_id_from("a", "b") != call_id_from("ab", "")
    assert re.fullmatch(r"call_[a-z2-7]{24}", call_id_from("x", "\ud83d"))
