from allgate.admin.rows import ConfigError, KeyRow, UpstreamRow
from allgate.core.secret import Secret


def test_rows_do_not_show_their_secrets():
    upstream = UpstreamRow(name="u", provider="p", credentials=(Secret("sk-first"),))
    key = KeyRow(name="k", secret=Secret("sk-second"))
    assert "sk-" not in f"{upstream!r} {key!r}"


def test_an_error_leaves_out_what_it_does_not_know():
    assert str(ConfigError("a.toml", "server.listen", "is odd")) == "a.toml: server.listen: is odd"
    assert str(ConfigError("", "server.listen", "is odd")) == "server.listen: is odd"
    assert str(ConfigError("a.toml", "", "is odd")) == "a.toml: is odd"
