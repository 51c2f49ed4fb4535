"""The commands and their options, as typer reads them. What they do stands in the modules they import."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

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

keys = typer.Typer(help="Keys: create, list, rotate, disable.", no_args_is_help=True)
app.add_typer(keys, name="keys")

accounts = typer.Typer(help="Accounts: list, top up, debit.", no_args_is_help=True)
app.add_typer(accounts, name="accounts")

prices = typer.Typer(help="Prices: import, list, show.", no_args_is_help=True)
app.add_typer(prices, name="prices")

ledger = typer.Typer(help="The books: verify, export, correct.", no_args_is_help=True)
app.add_typer(ledger, name="ledger")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="Apply FILE, then serve. Default: what the database holds."
    ),
]
Port = Annotated[
    int | None, typer.Option("--port", "-p", min=0, max=65_535, help="Listen on this port instead; 0: any.")
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="PATH", help="The database, where the configuration does not name it."
    ),
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
    from allgate.wiring.located import located
    from allgate.wiring.settings_file import load

    settings = load(config, os.environ, port=port)
    set_up(settings.log.level, settings.log.format)
    with located(config):
        build.run(settings, lambda url: print(f"allgate: listening on {url}", flush=True))


@app.command()
def apply(
    file: Annotated[Path, typer.Option("--file", "-f", metavar="FILE", help="What to declare.")],
    adopt: Annotated[bool, typer.Option("--adopt", help="Take over rows that the console manages.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes and make none.")] = False,
    database: Database = None,
) -> None:
    """Make the configuration what FILE declares, and show what changes. Twice is as good as once."""
    from allgate.admin.commands import Apply
    from allgate.cli.operate import carry_out, settings_of, show
    from allgate.wiring.declared import declared_document
    from allgate.wiring.located import located

    settings = settings_of(file, database)
    assert settings.declared is not None  # a file was given
    with located(file):
        declared = declared_document(settings.declared, settings.folder, os.environ)
        show(carry_out(Apply(declared=declared, adopt=adopt, dry_run=dry_run), settings), dry_run=dry_run)


@keys.command("create")
def create_key(
    account: Annotated[str, typer.Argument(help="The account that pays.")],
    name: Annotated[str, typer.Argument(help="What the key is called; once per account.")],
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Only this model; may be repeated.")
    ] = None,
    dialect: Annotated[
        list[str] | None,
        typer.Option(
            "--dialect", help="Only at this door, such as openai_chat or anthropic; may be repeated."
        ),
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option("--network", help="Only from here (CIDR); may be repeated.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="ISO date or time, UTC unless it says otherwise.")
    ] = None,
    budget_total: Annotated[
        str | None, typer.Option("--budget-total", help="The most in USD that may be spent with it.")
    ] = None,
    budget_daily: Annotated[str | None, typer.Option("--budget-daily", help="In a day (UTC).")] = None,
    budget_monthly: Annotated[str | None, typer.Option("--budget-monthly", help="In a month (UTC).")] = None,
    config: Config = None,
    database: Database = None,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    from allgate.admin.keys import new_secret
    from allgate.admin.rows import KeyRow
    from allgate.cli.keys import budget, create
    from allgate.cli.operate import existing, settings_of

    row = KeyRow(
        name=name,
        secret=new_secret(),
        models=None if model is None else tuple(model),
        dialects=None if dialect is None else tuple(dialect),
        networks=tuple(network or ()),
        expires=expires,
        budget=budget(budget_total, budget_daily, budget_monthly),
    )
    create(existing(settings_of(config, database)), account, row)


@keys.command("list")
def list_keys(
    prefix: Annotated[
        str, typer.Option("--prefix", help="Only keys that begin like this, or the one that it is.")
    ] = "",
    config: Config = None,
    database: Database = None,
) -> None:
    """List keys by their beginnings."""
    from datetime import UTC, datetime

    from allgate.cli.keys import show
    from allgate.cli.operate import settings_of

    show(settings_of(config, database), prefix, datetime.now(UTC))


@keys.command("rotate")
def rotate_key(
    account: Annotated[str, typer.Argument()],
    name: Annotated[str, typer.Argument()],
    overlap: Annotated[
        str,
        typer.Option(
            "--overlap", help="How long the old secret still opens: 90s, 30m, 24h, 7d; 0: ends now."
        ),
    ] = "24h",
    config: Config = None,
    database: Database = None,
) -> None:
    """Give a key a new secret and print it, once. Its name, limits and spending stay."""
    from datetime import UTC, datetime

    from allgate.cli.keys import rotate
    from allgate.cli.operate import existing, settings_of

    rotate(existing(settings_of(config, database)), account, name, overlap, datetime.now(UTC))


@keys.command("disable")
def disable_key(
    account: Annotated[str, typer.Argument()],
    name: Annotated[str, typer.Argument()],
    config: Config = None,
    database: Database = None,
) -> None:
    """Switch a key off, at once."""
    from allgate.admin.commands import DisableKey
    from allgate.cli.operate import carry_out, existing, settings_of, show

    show(carry_out(DisableKey(account=account, name=name), existing(settings_of(config, database))))


@accounts.command("list")
def list_accounts(
    house: Annotated[bool, typer.Option("--house", help="The gateway's own accounts, too.")] = False,
    config: Config = None,
    database: Database = None,
) -> None:
    """List accounts and their balances."""
    from allgate.cli.money import show_accounts
    from allgate.cli.operate import existing, settings_of

    show_accounts(existing(settings_of(config, database)), house=house)


@accounts.command("topup")
def top_up_account(
    account: Annotated[str, typer.Argument()],
    amount: Annotated[str, typer.Argument(metavar="USD", help="Such as 10 or 0.50.")],
    top_up_id: Annotated[
        str | None, typer.Option("--id", help="Your own id of the payment: the same id adds once.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Kept with the transfer.")] = "",
    config: Config = None,
    database: Database = None,
) -> None:
    """Add to a balance, at once."""
    from allgate.cli.money import top_up
    from allgate.cli.operate import existing, settings_of

    top_up(existing(settings_of(config, database)), account, amount, top_up_id, reason)


@accounts.command("debit")
def debit_account(
    account: Annotated[str, typer.Argument()],
    amount: Annotated[str, typer.Argument(metavar="USD", help="Such as 10 or 0.50.")],
    debit_id: Annotated[str | None, typer.Option("--id", help="Your own id: the same id takes once.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Kept with the transfer.")] = "",
    config: Config = None,
    database: Database = None,
) -> None:
    """Take from a balance, at once; never more than is available."""
    from allgate.cli.money import debit
    from allgate.cli.operate import existing, settings_of

    debit(existing(settings_of(config, database)), account, amount, debit_id, reason)


@prices.command("import")
def import_prices(
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--models",
            metavar="PROVIDER/MODEL",
            help="Such as openai/gpt-5.5; may be repeated, or with commas. Default: those of every deployment.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also what changes by more than a factor of two.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes and make none.")] = False,
    config: Config = None,
    database: Database = None,
) -> None:
    """Take over what vendors ask, from the price list in the package genai-prices, and show what changes."""
    from allgate.cli.operate import existing, settings_of
    from allgate.cli.prices import take_over

    wanted = [name for names in models or () for name in names.split(",")]
    take_over(existing(settings_of(config, database)), wanted, sure=yes, dry_run=dry_run)


@prices.command("list")
def list_prices(config: Config = None, database: Database = None) -> None:
    """List price sheets: input and output, who manages them, how many models have them."""
    from allgate.cli.operate import existing, settings_of
    from allgate.cli.prices import show_sheets

    show_sheets(existing(settings_of(config, database)))


@prices.command("show")
def show_price(
    name: Annotated[str, typer.Argument(help="The name of a sheet; a model's own has the model's.")],
    config: Config = None,
    database: Database = None,
) -> None:
    """Show a sheet whole, and since when each version of it was in force."""
    from allgate.cli.operate import existing, settings_of
    from allgate.cli.prices import show_sheet

    show_sheet(existing(settings_of(config, database)), name)


@ledger.command("correct")
def correct_charge(
    request: Annotated[str, typer.Argument(help="The id of the request: x-request-id of its answer.")],
    amount: Annotated[str, typer.Option("--amount", metavar="USD", help="What is given back.")],
    reason: Annotated[str, typer.Option("--reason", help="Kept with the transfer.")],
    correction_id: Annotated[
        str, typer.Option("--id", help="Of this correction, where a request gets several: each acts once.")
    ] = "1",
    config: Config = None,
    database: Database = None,
) -> None:
    """Give back a part of what a request was charged, as a transfer of its own that names it."""
    from allgate.cli.money import correct
    from allgate.cli.operate import existing, settings_of

    correct(existing(settings_of(config, database)), request, amount, correction_id, reason)


@ledger.command("verify")
def verify_ledger(config: Config = None, database: Database = None) -> None:
    """Recompute every balance and every charge. Exit code 1: something is not as it must be."""
    from allgate.cli.money import verify
    from allgate.cli.operate import existing, settings_of

    if not verify(existing(settings_of(config, database))):
        raise typer.Exit(1)


@ledger.command("export")
def export_ledger(
    what: Annotated[
        Literal["transfers", "requests"], typer.Argument(help="Movements of money, or the request log.")
    ] = "transfers",
    form: Annotated[Literal["csv", "jsonl"], typer.Option("--format", help="csv or jsonl.")] = "csv",
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="ISO date or time, UTC. Default: the beginning."),
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="TIME", help="Likewise, not included. Default: now.")
    ] = None,
    config: Config = None,
    database: Database = None,
) -> None:
    """Print every transfer or request of a time, with exact amounts. Prices and balances can be recomputed from both."""
    from allgate.cli.export import export
    from allgate.cli.operate import existing, settings_of

    export(existing(settings_of(config, database)), what, form, first, before)


@app.command()
def simulate(port: Port = None) -> None:
    """Serve the built-in stand-in upstream on loopback."""
    from allgate.simulator.server import run as run_simulator

    run_simulator(9001 if port is None else port)


@app.command()
def version() -> None:
    """Say which version this is."""
    raise AssertionError("main() answers before typer is asked")
