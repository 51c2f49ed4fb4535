"""Heads as they leave, and what may not leave."""

import pytest

from allgate.core.secret import Secret
from allgate.upstream.message import FIELDS_SET_HERE, Proxy, Target, UpstreamRequest, fields_for, request_head

TARGET = Target(scheme="https", host="api.example.com", port=443)


def head(target=TARGET, body_bytes=0, **fields):
    return request_head(UpstreamRequest(**{"path": b"/v1/x"} | fields), fields_for(target), body_bytes)


def test_a_head_in_full():
    assert head(headers=((b"x-a", b"1"), (b"x-a", b"2")), body_bytes=7) == (
        b"POST /v1/x HTTP/1.1\r\nhost: api.example.com\r\naccept-encoding: identity\r\nx-a: 1\r\nx-a: 2\r\n"
        b"content-length: 7\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("method", "body_bytes", "has_length"),
    [("POST", 0, True), ("GET", 0, False), ("DELETE", 0, False), ("GET", 3, True)],
)
def test_a_length_is_named_where_a_body_is_or_is_expected(method, body_bytes, has_length):
    assert (b"content-length" in head(method=method, body_bytes=body_bytes)) is has_length


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (Target(scheme="https", host="a.example", port=443), b"a.example"),
        (Target(scheme="https", host="a.example", port=80), b"a.example:80"),
        (Target(scheme="http", host="a.example", port=80), b"a.example"),
        (Target(scheme="http", host="::1", port=80), b"[::1]"),
        (Target(scheme="http", host="::1", port=8080), b"[::1]:8080"),
    ],
)
def test_the_host_field_names_the_port_only_where_it_is_not_the_schemes(target, host):
    assert b"\r\nhost: " + host + b"\r\n" in head(target)


@pytest.mark.parametrize("name", sorted(FIELDS_SET_HERE))
def test_a_field_that_frames_the_message_is_refused(name):
    with pytest.raises(ValueError, match="is set by the HTTP client"):
        head(headers=((name, b"5"),))


@pytest.mark.parametrize("bad", [b"a\r\nx: y", b"a\n", b"\ra", b"a\0"])
def test_a_value_that_would_start_another_line_is_refused_without_showing_it(bad):
    with pytest.raises(ValueError, match="x-key") as caught:
        head(headers=((b"x-key", b"secret" + bad),))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("bad", [b"a\r\nb", b"a: b\r\nc"])
def test_a_name_that_would_start_another_line_is_refused(bad):
    with pytest.raises(ValueError, match="line end"):
        head(headers=((bad, b"v"),))


@pytest.mark.parametrize("bad", [b"/a b", b"/a\r\nb", b"v1/x", b"", b"/a\0", b"/ HTTP/1.1\r\nx: y\r\n\r\n"])
def test_a_path_that_would_break_the_line_is_refused(bad):
    with pytest.raises(ValueError, match="not a path"):
        head(path=bad)


def test_balanced_line_ends_do_not_slip_through():
    """One line end too many in one place and one too few in another is not possible: fields cannot remove any."""
    with pytest.raises(ValueError, match="x-b"):
        head(headers=((b"x-a", b"1"), (b"x-b", b"2\r\nx-c: 3")))


def test_equal_targets_are_one_key_and_show_no_secret():
    proxy = Proxy(host="p", port=3128, authorization=Secret("Basic c2VjcmV0"))
    first, second = (Target(scheme="http", host="h", port=1, proxy=proxy) for _ in range(2))
    assert {first: 1}[second] == 1
    assert first != Target(scheme="http", host="h", port=1)
    assert "c2VjcmV0" not in repr(first) + first.origin
