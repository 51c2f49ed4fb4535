"""What `make test-full` installs is what the rest of the suite believes it is."""

import json
import os
import subprocess

import pytest

NODE_VERSIONS = """
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const version = (name) => {
  let folder = dirname(require.resolve(name));
  for (;; folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, "package.json")));
      if (found.version) return found.version;
    } catch {}
  }
};
console.log(JSON.stringify(process.argv.slice(1).map((name) => version(name).split(".")[0])));
"""


@pytest.mark.full
@pytest.mark.parametrize(("package", "major"), [("openai", "2"), ("anthropic", "0"), ("google-genai", "2")])
def test_the_older_sdk_is_of_its_major(old_sdk, package, major):
    program = f"from importlib.metadata import version; print(version({package!r}))"
    command = [old_sdk(f"{package}-{major}"), "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith(f"{major}.")


@pytest.mark.full
def test_node_finds_both_majors_of_each_sdk(node):
    packages = {
        "openai": "7", "openai-6": "6",
        "@anthropic-ai/sdk": "1", "anthropic-0": "0",
        "@google/genai": "3", "google-genai-2": "2",
    }  # fmt: skip
    command = [node.executable, "-e", NODE_VERSIONS, *packages]
    environment = os.environ | {"NODE_PATH": str(node.modules)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == list(packages.values())
