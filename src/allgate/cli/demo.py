"""`allgate up`: everything in one process, so that a first request works a minute after the clone.

The simulator listens on a loopback socket of its own, with a loop and a thread of its own, and is an upstream like any
other: nothing is short-circuited. Three public models stand before it, with a price sheet that is visibly not real.
Its key is printed in the documentation, so the registry lets it in only where the listener is loopback.
"""

import os
from pathlib import Path

from allgate.admin.price_rows import SheetRow
from allgate.admin.rows import AccountRow, Declaration, DeploymentRow, KeyRow, ModelRow, UpstreamRow
from allgate.catalogue.profile import Ability
from allgate.core.secret import Secret
from allgate.simulator.in_thread import running
from allgate.telemetry.log import set_up
from allgate.wiring.build import run
from allgate.wiring.settings import Database, Log, Server, Settings

DEMO_KEY = "sk-allgate-demo-0000000000000000"
SHEET = "simulator-demo"
BALANCE_USD = "100"

# vendor, public name, family, what it is spoken to in
MODELS = (
    ("openai", "GPT-5.5", "gpt-5.5", ("openai_chat", "openai_responses")),
    ("anthropic", "Claude-Sonnet-4.6", "claude-sonnet-4-6", ("anthropic",)),
    ("google", "Gemini-3-Pro", "gemini-3-pro", ("gemini",)),
)

# The simulator answers by schema, as OpenAI does; the family follows a reseller's document, where GPT-5.5 does not.
ABILITIES: dict[str, tuple[Ability, ...]] = {
    "GPT-5.5": (
        "tools", "image_input", "document_input", "json_object", "json_schema", "web_search", "code_execution",
        "prompt_cache",
    )
}  # fmt: skip


def run_demo(state: Path | None, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises: ConfigError; OSError: the port is taken."""
    folder = (state or _state_folder()).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    set_up("warning", "text")
    with running() as simulator:
        settings = Settings(
            server=Server(listen=f"127.0.0.1:{port}", drain_s=3.0),
            database=Database(url=f"sqlite:///{folder / 'allgate.db'}"),
            log=Log(level="warning", format="text"),
            declared=demo_declaration(simulator.url),
            folder=folder,
        )
        run(settings, lambda url: print(_welcome(url, folder), flush=True))


def demo_declaration(simulator_url: str) -> Declaration:
    """Three vendors' models at the simulator, each in its vendor's dialects; one price sheet; one account with a key."""
    return Declaration(
        upstreams=tuple(
            UpstreamRow(
                name=f"simulator-{vendor}",
                provider="simulator",
                base_url=simulator_url,
                dialects=dialects,
                credentials=(Secret("sk-simulator"),),
            )
            for vendor, _, _, dialects in MODELS
        ),
        models=tuple(
            ModelRow(
                name=public,
                family=family,
                deployments=(DeploymentRow(upstream=f"simulator-{vendor}"),),
                price=SHEET,
                abilities=ABILITIES.get(public),
            )
            for vendor, public, family, _ in MODELS
        ),
        prices=(
            SheetRow(
                name=SHEET,
                input="1",
                output="2",
                cache_read="0.1",
                web_search="0.01",
                web_fetch="0",
                code_execution="0.001",
                file_search="0.0025",
                source="invented",
            ),
        ),
        accounts=(
            AccountRow(
                name="demo",
                balance_usd=BALANCE_USD,
                keys=(KeyRow(name="demo", secret=Secret(DEMO_KEY)),),
            ),
        ),
    )


def _state_folder() -> Path:
    """`var` in a checkout, else the user's own folder for state (XDG)."""
    if Path("pyproject.toml").is_file():
        return Path("var")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "allgate"


def _welcome(url: str, folder: Path) -> str:
    return f"""
Allgate is up, with a simulator behind it. Nothing leaves this machine.

  base URL   {url}/v1
  API key    {DEMO_KEY}
  models     {", ".join(public for _, public, _, _ in MODELS)}
  database   {folder / "allgate.db"}

  curl {url}/v1/chat/completions \\
    -H 'Authorization: Bearer {DEMO_KEY}' -H 'Content-Type: application/json' \\
    -d '{{"model": "GPT-5.5", "stream": true, "messages": [{{"role": "user", "content": "Hello!"}}]}}'

Stop it with Ctrl-C.
"""
