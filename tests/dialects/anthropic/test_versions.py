from allgate.dialects.anthropic.versions import call_headers, said_in, takes_sampling


def test_betas_are_read_from_every_line_and_each_once():
    fields = ((b"anthropic-beta", b"a, b"), (b"x", b"y"), (b"anthropic-beta", b"b,,c "))
    assert said_in(fields) == (None, ("a", "b", "c"))
    assert said_in(()) == (None, ())


def test_the_version_is_a_header():
    assert said_in(((b"anthropic-version", b"2023-06-01"),)) == ("2023-06-01", ())


def test_of_two_versions_the_first_counts():
    assert said_in(((b"anthropic-version", b""), (b"anthropic-version", b"2023-06-01"))) == ("", ())


def test_versions_compare_as_dates():
    assert takes_sampling("2023-06-01")
    assert not takes_sampling("2026-10-21")
    assert not takes_sampling("2027-01-01")


def test_without_betas_there_is_no_beta_header():
    assert call_headers("2023-06-01", ()) == (
        (b"content-type", b"application/json"),
        (b"anthropic-version", b"2023-06-01"),
    )
