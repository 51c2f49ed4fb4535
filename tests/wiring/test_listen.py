import pytest

from allgate.admin.rows import ConfigError
from allgate.wiring.listen import Listen


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback", "shown"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True, "127.0.0.1:8080"),
        ("127.8.8.8:0", "127.8.8.8", 0, True, "127.8.8.8:0"),
        ("localhost:1", "localhost", 1, True, "localhost:1"),
        ("[::1]:65535", "::1", 65535, True, "[::1]:65535"),
        ("0.0.0.0:80", "0.0.0.0", 80, False, "0.0.0.0:80"),
        (":80", "0.0.0.0", 80, False, "0.0.0.0:80"),
        ("[::]:80", "::", 80, False, "[::]:80"),
        ("10.1.2.3:80", "10.1.2.3", 80, False, "10.1.2.3:80"),
        ("gate.example:80", "gate.example", 80, False, "gate.example:80"),
    ],
)
def test_an_address_is_read_and_shown(text: str, host: str, port: int, loopback: bool, shown: str):
    listen = Listen.parse(text)
    assert (listen.host, listen.port, listen.loopback, str(listen)) == (host, port, loopback, shown)


@pytest.mark.parametrize(
    "text", ["", "8080", "localhost", "localhost:", "localhost:http", "localhost:65536", "a:-1"]
)
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(ConfigError, match=r"server\.listen: must be HOST:PORT"):
        Listen.parse(text)
