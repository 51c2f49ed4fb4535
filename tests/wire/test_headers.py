from allgate.wire.headers import CREDENTIAL_FIELDS, first, safe_value, text, without

HEADERS = ((b"user-agent", b"one"), (b"authorization", b"Bearer x"), (b"user-agent", b"two"))


def test_the_first_of_duplicates_is_read_and_all_are_kept() -> None:
    assert first(HEADERS, b"user-agent") == b"one"
    assert text(HEADERS, "user-agent") == "one"
    assert first(HEADERS, b"accept") is None
    assert without(HEADERS, CREDENTIAL_FIELDS) == (HEADERS[0], HEADERS[2])


def test_a_value_cannot_break_out_of_its_line() -> None:
    assert safe_value("a\r\nset-cookie: x\x00é") == b"a  set-cookie: x \\xe9"
