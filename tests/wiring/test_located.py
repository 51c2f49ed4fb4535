"""Errors of a configuration file begin with file and line, whichever row and check they are about."""

import re
from pathlib import Path

import pytest

from allgate.admin.rows import ConfigError
from allgate.wiring.declared import declared_document
from allgate.wiring.located import located
from allgate.wiring.settings_file import load
from wiring.served import served

FILE = """\
[server]
listen = "127.0.0.1:0"
[[upstreams]]
name = "a"
provider = "anthropic"
credentials = ["sk-up"]

[[models]]
name = "Claude-Opus-4.7"
family = "claude-opus-4-7"
deployments = [{ upstream = "a" }]
price = { input = "5", output = "25" }

[[models]]
name = "Claude-Opus-4.7-b"
family = "claude-opus-4-7"
price = { input = "5", output = "25" }
[[models.deployments]]
upstream = "a"
[[models.rules]]
clear = ["seed"]
why = "w"

[[accounts]]
name = "demo"
keys = [{ name = "k", secret = "sk-allgate-0123456789abcdef0123456789" }]
"""

SPOILT = (
    ('listen = "127.0.0.1:0"', "listen = 1", 2, "server.listen: Expected `str`"),
    ('provider = "anthropic"', 'provider = "anthropc"', 5, "upstreams.a: provider: unknown provider"),
    ('family = "claude-opus-4-7"\nprice', 'family = "opus"\nprice', 16, "models.Claude-Opus-4.7-b: family: there is no family"),
    ('family = "claude-opus-4-7"\ndeployments', 'famly = "opus"\ndeployments', 8, "models[0]: Object contains unknown field `famly`"),
    ('deployments = [{ upstream = "a" }]', 'deployments = [{ upstream = "b" }]', 11, "models.Claude-Opus-4.7.deployments[0]: upstream"),
    ('[[models.deployments]]\nupstream = "a"', '[[models.deployments]]\nupstream = "b"', 19, "models.Claude-Opus-4.7-b.deployments[0]: upstream"),
    ('clear = ["seed"]', 'clear = ["sed"]', 20, "rules[0]: there is no setting or condition 'sed'"),
    ('clear = ["seed"]', "clear = 1", 21, "models[1].rules[0].clear: Expected `array`"),
    ('name = "Claude-Opus-4.7-b"', 'name = "Claude-Opus-4.7"', 15, "is there twice"),
    ('price = { input = "5", output = "25" }\n\n', 'price = { input = "5", output = "0.0" }\n\n', 12, "price.output: is zero"),
    ('price = { input = "5", output = "25" }\n[[', 'price = { input = "5", output = "2,5" }\n[[', 17, "output: is no decimal number"),
    ("sk-allgate-0123456789abcdef0123456789", "short", 26, "is shorter than"),
    ('upstream = "a"\n[[models.rules]]', 'upstream = "a"\ncaps = { gemini = {} }\n[[models.rules]]', 20, "caps.gemini: a is not spoken to"),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "told"), SPOILT)
def test_an_error_names_file_line_and_reason(tmp_path: Path, old: str, new: str, line: int, told: str):
    assert FILE.count(old) == 1
    path = tmp_path / "allgate.toml"
    path.write_text(FILE.replace(old, new))
    with pytest.raises(ConfigError) as caught, located(path):
        build(path)
    assert str(caught.value).startswith(f"{path}:{line}: "), caught.value
    assert told in str(caught.value)


def test_the_file_as_it_is_can_be_served(tmp_path: Path):
    path = tmp_path / "allgate.toml"
    path.write_text(FILE)
    build(path)


def build(path: Path) -> None:
    """All that a file goes through before it is served."""
    declared = load(path, {}).declared
    assert declared is not None
    served(declared_document(declared, path.parent, {}))


def test_what_is_not_in_the_file_is_told_as_it_was(tmp_path: Path):
    (tmp_path / "f.toml").write_text(FILE)
    for error in (ConfigError("", "database.url", "no"), ConfigError("models.other", "x", "no")):
        with pytest.raises(ConfigError, match=re.escape(str(error))), located(tmp_path / "f.toml"):
            raise error
    with pytest.raises(ConfigError, match=r"^no$"), located(None):
        raise ConfigError("", "", "no")
