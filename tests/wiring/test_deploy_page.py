"""docs/deploy-postgres.md, followed to the letter by somebody who has only PostgreSQL."""

import re
import shlex
from pathlib import Path
from textwrap import dedent

import pytest

from cli.program import called, serving

PAGE = (Path(__file__).resolve().parents[2] / "docs/deploy-postgres.md").read_text()


def blocks(kind: str) -> list[str]:
    found = re.findall(rf"^( *)```{kind}\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    return [dedent(text) for _, text in found]


def test_every_command_of_the_page_works(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    environment = {
        "ALLGATE_DATABASE_URL": postgres_url,
        "ALLGATE_MASTER_KEY": "ab" * 32,
        "ALLGATE_LEDGER_OUTBOX": str(tmp_path / "outbox"),
        "OPENAI_API_KEY": "sk-upstream",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (config,) = blocks("toml")
    Path("allgate.toml").write_text(config.replace("0.0.0.0:8080", "127.0.0.1:0"))
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) == 9
    served = 0
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "allgate"
        if words[0] == "serve":
            with serving(*words, **environment) as node:
                assert node.stop() == 0
                served += 1
        else:
            run = called(*words)
            assert run.code == 0, (line, run.err)
    assert served == 1
