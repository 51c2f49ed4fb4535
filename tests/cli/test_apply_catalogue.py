"""The catalogue is edited with a file and `allgate apply`, while a server runs; a bad file changes nothing."""

import json
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError

from cli.program import called, serving

KEY = "sk-allgate-0123456789abcdef0123456789"
CONFIG = f"""\
[server]
listen = "127.0.0.1:0"
drain_s = 2
[[upstreams]]
name = "sim"
provider = "simulator"
base_url = "http://127.0.0.1:1"
credentials = ["sk-up"]
[[models]]
name = "Claude-Opus-4.7"
family = "claude-opus-4-7"
deployments = [{{ upstream = "sim" }}]
price = {{ input = "5", output = "25" }}
[[accounts]]
name = "demo"
balance_usd = "10"
keys = [{{ name = "k", secret = "{KEY}" }}]
"""
BAD = (
    ('output = "25"', 'output = "0"', 13, "price.output: is zero; if it is meant, say `free = true`"),
    ('family = "claude-opus-4-7"', 'family = "opus-4.7"', 11, "family: there is no family 'opus-4.7'"),
    ('family = "claude-opus-4-7"', "abilities = ['tool']", 11, "abilities[0]: Invalid enum value 'tool'"),
    ('family = "claude-opus-4-7"', "limits = { output_token = 5 }", 11, "unknown field `output_token`"),
    ("[[accounts]]", '[[models]]\nname = "Claude-Opus-4.7"\n[[accounts]]', 15, "is there twice"),
)


def test_a_bad_file_is_told_its_line_and_the_old_catalogue_stays(tmp_path: Path):
    path = tmp_path / "allgate.toml"
    path.write_text(CONFIG)
    with serving("serve", "--config", path) as server:
        for old, new, line, told in BAD:
            path.write_text(CONFIG.replace(old, new, 1))
            said = called("apply", "-f", path)
            assert (said.code, said.out) == (2, "")
            assert said.err.startswith(f"allgate: {path}:{line}: "), said.err
            assert told in said.err
        assert answers(server.url, "Claude-Opus-4.7-low")
        assert not answers(server.url, "best")

        path.write_text(CONFIG.replace("[[accounts]]", 'aliases = ["best"]\nsuffixes = []\n[[accounts]]'))
        said = called("apply", "-f", path)
        assert said.code == 0, said.err
        assert '["best"]' in said.out
        assert answers(server.url, "best")
        assert not answers(server.url, "Claude-Opus-4.7-low")
        assert server.stop() == 0


def answers(url: str, name: str) -> bool:
    """Is there a model of this name?"""
    request = urllib.request.Request(f"{url}/v1/models/{name}", headers={"authorization": f"Bearer {KEY}"})
    try:
        reply: HTTPResponse = urllib.request.urlopen(request, timeout=20)
    except HTTPError as error:
        with error:
            return error.code != 404
    with reply:
        assert json.load(reply)["id"] == "Claude-Opus-4.7"
    return True
