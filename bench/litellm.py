"""LiteLLM's proxy on the same core, where it is installed: `LITELLM=/its/venv/bin/litellm python -m bench`.

It gets the configuration of its own documentation: a master key, one worker, no database, the list of models. It keeps no
money and writes no log then, so it is measured doing less than the gateway. It is asked what it passes to the provider in
the client's own format: unary chat, from as many connections as it answers before the load client gives up.
"""

import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager

from bench import programs
from bench.programs import GATEWAY_CORE, Program, free_port
from bench.scenarios import KB, Scenario
from bench.targets import KEY, Origins, Target, is_ready

READY_S_MAX = 120  # it imports for ten to twenty seconds
CONNECTIONS_MAX = 64
PROMPT_BYTES_MAX = 100 * KB


def binary() -> str | None:
    """The `litellm` of this machine; None, with a line that says so, where there is none."""
    found = shutil.which(os.environ.get("LITELLM", "litellm"))
    if not found:
        print("bench: litellm is not installed (LITELLM names it), so nothing is said of it")
    return found


def answers_to(row: Scenario) -> bool:
    """Whether this row is asked of it."""
    return (
        row.client == row.upstream == "openai_chat"
        and (row.answer, row.way) == ("unary", "plain")
        and row.connections <= CONNECTIONS_MAX
        and row.prompt_bytes <= PROMPT_BYTES_MAX
    )


@contextmanager
def proxy(litellm: str, origins: Origins) -> Generator[Target]:
    """It stands before every route's mock; its models have the gateway's names."""
    models = [
        {
            "model_name": route.model,
            "litellm_params": {
                "model": "openai/mock",
                "api_base": f"{origin}/v1",
                "api_key": "sk-upstream-bench",
            },
        }
        for route, origin in origins.items()
    ]
    config = programs.OUT / "litellm.yaml"
    settings = {"model_list": models, "general_settings": {"master_key": KEY}}
    config.write_text(json.dumps(settings))  # JSON is YAML
    port = free_port()
    command = [litellm, "--config", config, "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}  # it would fetch its prices
    with Program(command, GATEWAY_CORE, quiet) as program:
        ready_s = program.wait_until(lambda: is_ready(port, "/health/liveliness"), READY_S_MAX)
        yield Target("litellm", dict.fromkeys(origins, port), program, ready_s)
