"""`allgate up`, from its first line to a second start, with the line of curl that it prints."""

import json
import re
import shlex
import signal
import subprocess
from pathlib import Path

from openai import OpenAI

from cli.program import DEADLINE_S, serving

MODELS = {"GPT-5.5", "Claude-Sonnet-4.6", "Gemini-3-Pro"}
KEY = "sk-allgate-demo-0000000000000000"


def test_a_first_start_answers_the_vendors_sdk_and_a_second_one_reuses_its_state(tmp_path: Path):
    for _ in range(2):
        with serving("up", "--port", 0, "--state", tmp_path / "state") as demo:
            client = OpenAI(base_url=f"{demo.url}/v1", api_key=KEY, max_retries=0)
            with client:
                assert {model.id for model in client.models.list()} == MODELS
                for model in MODELS:
                    chunks = client.chat.completions.create(
                        model=model, messages=[{"role": "user", "content": "Hello!"}], stream=True
                    )
                    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
                    assert "Hello!" in text
            assert demo.stop(signal.SIGINT) == 0
    assert {file.name for file in (tmp_path / "state").iterdir()} >= {"allgate.db", "allgate-master.key"}


def test_the_printed_line_works_as_it_stands(tmp_path: Path):
    with serving("up", "--port", 0, "--state", tmp_path) as demo:
        assert demo.process.stdout is not None
        said = demo.said
        while "Stop it with" not in said:
            said += demo.process.stdout.readline()
        command = re.search(r"curl .*?'\n", said.replace("\\\n", " "), re.DOTALL)
        assert command is not None
        run = subprocess.run(
            [*shlex.split(command[0]), "-sS"], capture_output=True, text=True, timeout=DEADLINE_S, check=True
        )
    frames = [line.removeprefix("data: ") for line in run.stdout.splitlines() if line.startswith("data: ")]
    assert frames[-1] == "[DONE]"
    assert "Hello!" in "".join(
        choice["delta"].get("content") or ""
        for frame in frames[:-1]
        for choice in json.loads(frame)["choices"]
    )
