"""The SDK examples of seed 000 §6, as written there, at the models' own vendors and at every other one.

The documents give `https://host/v1` as base URL to Anthropic's SDK as well, which then asks for `/v1/v1/messages`.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from anthropic import Anthropic
from openai import OpenAI

from stand import KEY
from standing import House

EXAMPLES = {
    "000 6 OpenAI Python": "test_000_6_openai_python",
    "000 6 OpenAI Node": "test_000_6_node",
    "000 6 Anthropic Python": "test_000_6_anthropic_python",
    "000 6 Anthropic Node": "test_000_6_node",
    "000 6 Responses Python": "test_000_6_responses_python",
}


def test_every_sdk_example_is_counted() -> None:
    assert len(EXAMPLES) == 5
    assert set(EXAMPLES.values()) <= set(globals())


def test_000_6_openai_python(house: tuple[str, House]) -> None:
    with OpenAI(api_key=KEY, base_url=f"{house[1].url}/v1") as client:
        response = client.chat.completions.create(
            model="Gemini-3.5-Flash", messages=[{"role": "user", "content": "Hello!"}]
        )
    assert response.choices[0].message.content == "You said: Hello!"


def test_000_6_anthropic_python(house: tuple[str, House]) -> None:
    with Anthropic(api_key=KEY, base_url=f"{house[1].url}/v1") as client:
        message = client.messages.create(
            model="Claude-Sonnet-4.6",
            max_tokens=1024,
            system="You are a helpful assistant.",
            messages=[{"role": "user", "content": "Hello!"}],
        )
    assert message.content[0].text == "You said: Hello!"


def test_000_6_responses_python(house: tuple[str, House]) -> None:
    with OpenAI(api_key=KEY, base_url=f"{house[1].url}/v1") as client:
        response = client.responses.create(model="GPT-5.5", input="用一句话介绍量子计算")
    if house[0] == "openai_responses":
        assert response.output_text == "You said: 用一句话介绍量子计算"  # its own reasoning comes first
    else:
        assert response.output[0].content[0].text == "You said: 用一句话介绍量子计算"


@pytest.mark.full
@pytest.mark.parametrize("package", ["openai", "openai-6", "@anthropic-ai/sdk", "anthropic-0"])
def test_000_6_node(house: tuple[str, House], node, package: str) -> None:
    script = Path(__file__).parent.with_name("node") / "seed_examples.cjs"
    run = subprocess.run(
        [node.executable, script, package, f"{house[1].url}/v1", KEY],
        env=os.environ | {"NODE_PATH": str(node.modules), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == "You said: Hello!"
