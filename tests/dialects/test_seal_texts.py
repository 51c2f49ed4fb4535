import json

from allgate.dialects.seal_texts import WINDOW_BYTES, may_hold_seals, newest_seals

FIRST, SECOND = "A" * 24, "B" * 24


def body(*parts: object) -> bytes:
    return json.dumps({"messages": list(parts)}).encode()


def test_a_seal_is_found_under_the_name_that_each_dialect_has_for_it() -> None:
    for name in ("signature", "thoughtSignature", "thought_signature", "encrypted_content"):
        found = body({"text": "hi", name: FIRST})
        assert may_hold_seals(found)
        assert newest_seals(found, 8) == [FIRST.encode()]


def test_data_is_a_seal_only_where_sealed_data_are_spoken_of() -> None:
    for kind in ("redacted_thinking", "reasoning.encrypted"):
        for part in ({"type": kind, "data": FIRST}, {"data": FIRST, "type": kind}):
            assert newest_seals(body(part), 8) == [FIRST.encode()]
    picture = body({"type": "base64", "data": FIRST})
    assert newest_seals(picture, 8) == []
    assert not may_hold_seals(picture)


def test_the_newest_come_first_and_no_more_than_are_asked_for() -> None:
    both = body({"signature": FIRST}, {"encrypted_content": SECOND})
    assert newest_seals(both, 8) == [SECOND.encode(), FIRST.encode()]
    assert newest_seals(both, 1) == [SECOND.encode()]


def test_the_letters_of_urls_are_those_of_the_standard() -> None:
    standard, urls = body({"signature": "++++////" * 3}), body({"signature": "----____" * 3})
    assert newest_seals(standard, 1) == newest_seals(urls, 1)


def test_what_is_no_seal_is_passed_over() -> None:
    for value in (
        "",
        "short",
        None,
        5,
        {"a": 1},
        "with \\ escapes and more than sixteen characters",
        "C" * 65_537,
    ):
        assert newest_seals(body({"signature": value}), 8) == []


def test_only_the_end_of_a_long_body_is_searched() -> None:
    old = body({"signature": FIRST}, "x" * WINDOW_BYTES)
    assert newest_seals(old, 8) == []
