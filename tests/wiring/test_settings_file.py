"""The contract of the configuration: what a file and the environment may say, and how they are told that they may not."""

import re
from pathlib import Path

import pytest

from allgate.admin.rows import ConfigError, DeploymentRow, PriceRow
from allgate.core.secret import Secret
from allgate.wiring.settings import Settings
from allgate.wiring.settings_file import load

EXAMPLE = """
[server]
listen = "127.0.0.1:8080"

[database]
url = "sqlite:///allgate.db"

[[upstreams]]
name = "anthropic-main"
provider = "anthropic"
base_url = "http://127.0.0.1:9001"
dialects = ["anthropic"]
credentials = ["env:ANTHROPIC_API_KEY"]

[[models]]
name = "Claude-Sonnet-4.6"
deployments = [{ upstream = "anthropic-main", model = "claude-sonnet-4-6", priority = 0, weight = 1 }]
price = { input = "3", output = "15", cache_read = "0.3", cache_write_5m = "3.75" }

[[accounts]]
name = "demo"
balance_usd = "10"
keys = [{ name = "demo", secret = "sk-allgate-demo-0000000000000000" }]
"""


def loaded(tmp_path: Path, text: str, **environment: str) -> Settings:
    path = tmp_path / "allgate.toml"
    path.write_text(text)
    return load(path, environment)


def test_the_example_of_the_contract_is_read_whole(tmp_path: Path):
    settings = loaded(tmp_path, EXAMPLE)
    assert settings.server.listen == "127.0.0.1:8080"
    assert settings.folder == tmp_path
    declared = settings.declared
    assert declared is not None
    assert declared.upstreams[0].credentials == (Secret("env:ANTHROPIC_API_KEY"),)
    assert declared.models[0].deployments == (
        DeploymentRow(upstream="anthropic-main", model="claude-sonnet-4-6"),
    )
    assert declared.models[0].price == PriceRow(
        input="3", output="15", cache_read="0.3", cache_write_5m="3.75"
    )
    assert declared.accounts[0].keys[0].secret == Secret("sk-allgate-demo-0000000000000000")


def test_an_empty_file_declares_nothing_and_no_file_declares_not_even_that(tmp_path: Path):
    assert loaded(tmp_path, "").declared is not None
    assert load(None, {}) == Settings()


WRONG = [
    ("[server]\nlisten = 8080", "server.listen: Expected `str`, got `int`"),
    ("[server]\nlissten = 'x'", "server: Object contains unknown field `lissten`"),
    ("[sever]\nlisten = 'x'", "sever: there is no such table"),
    ("[declared]", "declared: there is no such table"),
    ("folder = '/'", "folder: there is no such table"),
    ("[server]\ndrain_s = -1", "server.drain_s: Expected `float` >= 0.0"),
    ("[server]\nbody_bytes_max = 0", "server.body_bytes_max: Expected `int` >= 1"),
    ("[ledger]\ndurability = 'maybe'", "ledger.durability: Invalid enum value 'maybe'"),
    ("server = 5", "server: Expected `object`, got `int`"),
    ("[[models]]\nname = 'M'\nprice = { input = 3.5, output = '15' }", "models[0].price.input: Expected `str`, got `float`"),
    ("[[models]]\nname = 'M'\nprice = { input = 3, output = '15' }", "models[0].price.input: Expected `str`, got `int`"),
    ("[[models]]\nname = 'M'\nprice = { input = '3' }", "models[0].price: Object missing required field `output`"),
    ("[[models]]\nname = ''", "models[0].name: Expected `str` of length >= 1"),
    ("[[models]]\nname = 'M'\ndeployments = [{ upstream = 'u', modle = 'm' }]", "models[0].deployments[0]: Object contains unknown field `modle`"),
    ("[[upstreams]]\nname = 'u'", "upstreams[0]: Object missing required field `provider`"),
    ("[[upstreams]]\nname = 'u'\nprovider = 'p'\ncredentials = ['']", "upstreams[0].credentials[0]: Expected a non-empty `str`"),
    ("[[upstreams]]\nname = 'u'\nprovider = 'p'\ncredentials = 'env:A'", "upstreams[0].credentials: Expected `array`, got `str`"),
    ("[[models]]\nname = 'M'\noutput_tokens_default = 0", "models[0].output_tokens_default: Expected `int` >= 1"),
    ("[[accounts]]\nname = 'a'\nbalance_usd = 10", "accounts[0].balance_usd: Expected `str`, got `int`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "complaint"), WRONG)
def test_a_wrong_file_is_told_file_place_and_reason(tmp_path: Path, text: str, complaint: str):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    path = tmp_path / "allgate.toml"
    assert re.sub(rf"^{re.escape(str(path))}:\d+:", f"{path}:", str(caught.value)) == f"{path}: {complaint}"


def test_what_is_no_toml_is_told_its_line(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"is not TOML: .*line 2"):
        loaded(tmp_path, "[server]\nlisten = ?\n")


def test_what_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "allgate.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path / "allgate.toml", {})


def test_a_file_that_is_not_there_is_told_its_name(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path / "none.toml", {})


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("allgate.wiring.settings_file.FILE_BYTES_MAX", 10)
    with pytest.raises(ConfigError, match="is larger than 10 bytes"):
        loaded(tmp_path, "# eleven...")


def test_a_wrong_secret_is_not_shown(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, "[[accounts]]\nname = 'a'\nkeys = [{ name = 'k', secret = 'sk-secret', scret = 1 }]")
    assert "sk-secret" not in str(caught.value)


def test_the_environment_wins_over_the_file(tmp_path: Path):
    settings = loaded(tmp_path, EXAMPLE, ALLGATE_SERVER_LISTEN="0.0.0.0:1", ALLGATE_SERVER_DRAIN_S="1.5")
    assert (settings.server.listen, settings.server.drain_s) == ("0.0.0.0:1", 1.5)
    assert settings.declared is not None


def test_a_section_of_two_words_is_addressed_in_the_environment():
    assert load(None, {"ALLGATE_REQUEST_LOG_ENABLED": "false"}).request_log.enabled is False
    assert load(None, {"ALLGATE_LOG_LEVEL": "debug"}).log.level == "debug"


def test_a_list_is_written_with_commas_in_the_environment():
    settings = load(None, {"ALLGATE_SECRETS_PREVIOUS_MASTER_KEYS": "file:a,file:b"})
    assert settings.secrets.previous_master_keys == ("file:a", "file:b")


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("ALLGATE_SERVER_LISSTEN", "x", r"environment: ALLGATE_SERVER_LISSTEN: \[server\] has no `lissten`"),
        ("ALLGATE_SERVER_DRAIN_S", "soon", "environment: ALLGATE_SERVER_DRAIN_S: drain_s: Expected `float`"),
        (
            "ALLGATE_SERVER_DRAIN_S",
            "-1",
            "environment: ALLGATE_SERVER_DRAIN_S: drain_s: Expected `float` >= 0",
        ),
    ],
)
def test_a_wrong_variable_is_told_its_name(variable: str, value: str, complaint: str):
    with pytest.raises(ConfigError, match=complaint):
        load(None, {variable: value})


def test_variables_of_others_are_left_alone():
    assert load(None, {"ALLGATE_SHARED": "/x", "ALLGATES_SERVER_LISTEN": "x", "PATH": "/"}) == Settings()


def test_a_port_of_the_command_line_wins_over_everything():
    settings = load(None, {"ALLGATE_SERVER_LISTEN": "[::1]:1"}, port=9)
    assert settings.server.listen == "[::1]:9"
