"""OpenAI's own clients, three majors in two languages, against the command that a newcomer starts first."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODEL = "GPT-5.5"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """`allgate up` on a free port: its base URL and its key, as it prints them."""
    command = [
        Path(sys.executable).with_name("allgate"),
        "up",
        "--port",
        "0",
        "--state",
        tmp_path_factory.mktemp("up"),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        welcome = ""
        while "base URL" not in welcome or "API key" not in welcome:
            line = process.stdout.readline()
            assert line, f"allgate up ended: {welcome}"
            welcome += line
        yield re.search(r"base URL +(\S+)", welcome)[1], re.search(r"API key +(\S+)", welcome)[1]
        process.terminate()
        process.stdout.read()


def toured(command: list[object], **environment: str) -> dict[str, object]:
    direct = os.environ | {"NO_PROXY": "127.0.0.1"} | environment
    run = subprocess.run(command, env=direct, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def assert_whole(facts: dict[str, object]) -> None:
    assert {MODEL, "Claude-Sonnet-4.6", "Gemini-3-Pro"} <= set(facts["models"])
    assert facts["text"]
    assert facts["streamed"] == facts["text"]
    assert facts["finish"] == "stop"
    assert facts["tokens"][0] == facts["tokens"][1] > 0
    assert (facts["tool"], facts["tool_finish"]) == ("weather", "tool_calls")
    assert facts["wrong_key"] == ["AuthenticationError", 401]
    assert facts["wrong_model"] == ["NotFoundError", 404]
    assert facts["wrong_body"] == ["BadRequestError", 400]


def test_the_present_python_sdk_finds_its_way(demo):
    assert_whole(toured([sys.executable, HERE / "openai_tour.py", *demo, MODEL]))


@pytest.mark.full
def test_the_older_python_sdk_finds_its_way(demo, old_sdk):
    assert_whole(toured([old_sdk("openai-2"), HERE / "openai_tour.py", *demo, MODEL]))


@pytest.mark.full
@pytest.mark.parametrize("package", ["openai", "openai-6"])
def test_the_node_sdks_find_their_way(demo, node, package):
    script = HERE.parent / "node/openai_tour.cjs"
    assert_whole(toured([node.executable, script, package, *demo, MODEL], NODE_PATH=str(node.modules)))
