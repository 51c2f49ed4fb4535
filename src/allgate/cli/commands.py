"""The commands and their options, as typer reads them. What they do stands in the modules they import."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from allgate.admin.rows import ConfigError

app = typer.Typer(
    name="allgate",
    help="A self-hosted gateway to every AI model.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="Apply FILE, then serve. Default: what the database holds."
    ),
]
Port = Annotated[
    int | None, typer.Option("--port", "-p", min=0, max=65_535, help="Listen on this port instead; 0: any.")
]


def run() -> None:
    """Run what the arguments ask for, then exit. A configuration that cannot be used is one line, not a trace."""
    try:
        app()
    except ConfigError as error:
        print(f"allgate: {error}", file=sys.stderr)
        sys.exit(2)


@app.command()
def up(
    port: Port = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="DIR", help="Where its database lives.")
    ] = None,
) -> None:
    """Try it: gateway, SQLite and simulator in one process, with a key that works from this machine."""
    from allgate.cli.demo import run_demo

    run_demo(state, 8080 if port is None else port)


@app.command()
def serve(config: Config = None, port: Port = None) -> None:
    """Serve until SIGTERM."""
    from allgate.telemetry.log import set_up
    from allgate.wiring import build
    from allgate.wiring.settings_file import load

    settings = load(config, os.environ, port=port)
    set_up(settings.log.level, settings.log.format)
    build.run(settings, lambda url: print(f"allgate: listening on {url}", flush=True))


@app.command()
def simulate(port: Port = None) -> None:
    """Serve the built-in stand-in upstream on loopback."""
    from allgate.simulator.server import run as run_simulator

    run_simulator(9001 if port is None else port)


@app.command()
def version() -> None:
    """Say which version this is."""
    raise AssertionError("main() answers before typer is asked")
