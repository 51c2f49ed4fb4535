"""Every statement that both databases run, with its name and a sentence, in SQLAlchemy Core.

Serving processes run the text that `sql_page` makes of them (`statements.sql`), so that SQLAlchemy, whose import takes
longer than a whole start, stays out of them. A test makes the text anew and compares.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement, ColumnElement

from allgate.storage import tables

STORES: Mapping[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgres": postgresql.dialect(paramstyle="named"),
}  # pyright: ignore[reportAssignmentType] -- untyped
"""Each folder that has a `schema.sql`, and what that is written in."""


class Statement(NamedTuple):
    """`name` is how code asks for it; `sentence` says what it does; every parameter has the name of its column."""

    name: str
    sentence: str
    build: Callable[[], ClauseElement]


STATEMENTS = (
    Statement(
        "read_revision",
        "The published revision: its number and all configuration as one document.",
        lambda: select(tables.revision.c.number, tables.revision.c.document).where(
            tables.revision.c.id == literal_column("1")
        ),
    ),
    Statement(
        "read_revision_number",
        "Only the number: what a serving node asks for again and again.",
        lambda: select(tables.revision.c.number).where(tables.revision.c.id == literal_column("1")),
    ),
    Statement(
        "write_revision",
        "Publish the revision that follows the present one; no row is written if somebody else did so before.",
        lambda: _upsert(tables.revision, follows=tables.revision.c.number),
    ),
    Statement("write_upstream", "Create or change an upstream.", lambda: _upsert(tables.upstreams)),
    Statement(
        "delete_credentials",
        "Forget the credentials of an upstream, before its present ones are written.",
        lambda: delete(tables.credentials).where(tables.credentials.c.upstream == bindparam("upstream")),
    ),
    Statement(
        "write_credential", "One credential of an upstream, in its place.", lambda: insert(tables.credentials)
    ),
    Statement("write_model", "Create or change a public model.", lambda: _upsert(tables.models)),
    Statement(
        "delete_deployments",
        "Forget the deployments of a model, before its present ones are written.",
        lambda: delete(tables.deployments).where(
            tables.deployments.c.public_model == bindparam("public_model")
        ),
    ),
    Statement(
        "write_deployment", "One deployment of a model, in its place.", lambda: insert(tables.deployments)
    ),
    Statement(
        "write_price",
        "A dated price sheet; the same prices under the same name are there already.",
        lambda: upsert(tables.prices).on_conflict_do_nothing(),
    ),
    Statement("write_sheet", "Which prices a sheet's name means now.", lambda: _upsert(tables.sheets)),
    Statement("write_group", "Create or change a group.", lambda: _upsert(tables.groups)),
    Statement("write_account", "Create or change an account.", lambda: _upsert(tables.accounts)),
    Statement("write_key", "Create or change a key.", lambda: _upsert(tables.keys)),
    Statement(
        "write_transfer",
        "One movement of money; a repeated one is there already.",
        lambda: upsert(tables.transfers).on_conflict_do_nothing(),
    ),
    Statement(
        "add_to_balance",
        "Add to an account's balance, if it has one.",
        lambda: (
            update(tables.balances)
            .where(tables.balances.c.account == bindparam("account"))
            .values(
                {tables.balances.c.balance_nano_usd: tables.balances.c.balance_nano_usd + bindparam("change")}
            )
        ),
    ),
    Statement("open_balance", "Add to an account's balance; a new account starts at zero.", lambda: _added()),
    Statement(
        "read_available",
        "The balance of one account less what is set aside of it.",
        lambda: select(tables.balances.c.balance_nano_usd - tables.balances.c.pending_nano_usd).where(
            tables.balances.c.account == bindparam("account")
        ),
    ),
    Statement(
        "read_balances",
        "Every account with its balance.",
        lambda: select(tables.balances.c.account, tables.balances.c.balance_nano_usd),
    ),
    Statement(
        "read_balance",
        "The balance of one account.",
        lambda: select(tables.balances.c.balance_nano_usd).where(
            tables.balances.c.account == bindparam("account")
        ),
    ),
    Statement(
        "read_movements",
        "What all transfers of each pair of accounts add up to, and how many they are.",
        lambda: select(
            tables.transfers.c.debit,
            tables.transfers.c.credit,
            _sum(tables.transfers.c.amount_nano_usd),
            func.count(),
        ).group_by(tables.transfers.c.debit, tables.transfers.c.credit),
    ),
    Statement(
        "read_openings",
        "Every account with the balance that it was promised, and the one that it was opened with (null: never).",
        lambda: select(
            tables.accounts.c.name,
            tables.accounts.c.opening_nano_usd,
            select(tables.transfers.c.amount_nano_usd)
            .where(
                tables.transfers.c.id == literal_column("'opening:'") + tables.accounts.c.name,
                tables.transfers.c.kind == literal_column("'opening'"),
            )
            .scalar_subquery(),
        ),
    ),
    Statement(
        "read_charged_lines",
        "Every line of the request log with its usage, what it says was charged, and what was transferred (null: nothing).",
        lambda: select(
            tables.requests.c.request_id,
            tables.requests.c.price,
            tables.requests.c.charged_nano_usd,
            select(_sum(tables.transfers.c.amount_nano_usd))
            .where(tables.transfers.c.id == tables.requests.c.request_id)
            .scalar_subquery(),
            *(tables.requests.c[name] for name in tables.USAGE_OF_REQUEST),
        ),
    ),
    Statement(
        "count_charges_without_line",
        "Charges whose line of the request log was lost in a crash, or deleted by its age.",
        lambda: select(func.count()).where(
            tables.transfers.c.kind == literal_column("'charge'"),
            ~exists().where(tables.requests.c.request_id == tables.transfers.c.id),
        ),
    ),
    Statement(
        "read_granted",
        "All that was ever added to an account: its opening balance, its top-ups and corrections, which lie together.",
        lambda: select(func.coalesce(_sum(tables.transfers.c.amount_nano_usd), literal_column("0"))).where(
            tables.transfers.c.credit == bindparam("account"),
            or_(
                tables.transfers.c.id == literal_column("'opening:'", Text) + bindparam("account"),
                and_(
                    tables.transfers.c.id >= literal_column("'topup:'"),
                    tables.transfers.c.id < literal_column("'topup;'"),
                ),
                and_(
                    tables.transfers.c.id >= literal_column("'correction:'"),
                    tables.transfers.c.id < literal_column("'correction;'"),
                ),
            ),
        ),
    ),
    Statement(
        "read_debited",
        "All that operators took from an account again.",
        lambda: select(func.coalesce(_sum(tables.transfers.c.amount_nano_usd), literal_column("0"))).where(
            tables.transfers.c.debit == bindparam("account"),
            tables.transfers.c.id >= literal_column("'debit:'"),
            tables.transfers.c.id < literal_column("'debit;'"),
        ),
    ),
    Statement(
        "read_corrected",
        "What was given back of a request's charge: the transfers whose ids begin with it.",
        lambda: select(func.coalesce(_sum(tables.transfers.c.amount_nano_usd), literal_column("0"))).where(
            tables.transfers.c.id >= bindparam("from_id"), tables.transfers.c.id < bindparam("before_id")
        ),
    ),
    Statement(
        "read_spent",
        "What an account paid for requests whose ids lie in a range, which is a range of time.",
        lambda: select(func.coalesce(_sum(tables.transfers.c.amount_nano_usd), literal_column("0"))).where(
            tables.transfers.c.id >= bindparam("from_id"),
            tables.transfers.c.id < bindparam("before_id"),
            tables.transfers.c.debit == bindparam("account"),
        ),
    ),
    Statement(
        "read_spent_by_key",
        "What each account paid with each of its keys, for requests from an id on.",
        lambda: (
            select(
                tables.transfers.c.debit,
                tables.transfers.c.key,
                _sum(tables.transfers.c.amount_nano_usd),
            )
            .where(
                tables.transfers.c.id >= bindparam("from_id"),
                tables.transfers.c.id < literal_column("'req`'"),
            )
            .group_by(tables.transfers.c.debit, tables.transfers.c.key)
        ),
    ),
    Statement(
        "lock_budget_window",
        "Make a window of a budget, or lock the one that is there.",
        lambda: _locked_window(),
    ),
    Statement(
        "write_budget_window",
        "What a window has spent, as the transfers say.",
        lambda: _upsert(tables.budget_windows),
    ),
    Statement(
        "expire_budget_windows",
        "Forget the windows of earlier months.",
        lambda: delete(tables.budget_windows).where(
            tables.budget_windows.c.kind != literal_column("'total'"),
            tables.budget_windows.c.start_ms < bindparam("before_ms"),
        ),
    ),
    Statement(
        "read_request",
        "A line of the request log, if it is this account's.",
        lambda: select(*tables.requests.columns).where(
            tables.requests.c.request_id == bindparam("request_id"),
            tables.requests.c.account == bindparam("account"),
        ),
    ),
    Statement(
        "read_price",
        "A dated price sheet.",
        lambda: select(*tables.prices.columns).where(tables.prices.c.id == bindparam("id")),
    ),
    Statement(
        "read_price_dates",
        "Every version of a sheet, and since when it was in force; the newest first.",
        lambda: (
            select(tables.prices.c.id, tables.prices.c.valid_from_ms)
            .where(tables.prices.c.name == bindparam("name"))
            .order_by(tables.prices.c.valid_from_ms.desc(), tables.prices.c.id)
        ),
    ),
    Statement(
        "read_transfers",
        "What was posted under one id, in the order of its kinds: charge, overage, uncollected.",
        lambda: (
            select(*tables.transfers.columns)
            .where(tables.transfers.c.id == bindparam("id"))
            .order_by(tables.transfers.c.kind)
        ),
    ),
    Statement(
        "export_transfers",
        "Transfers of a range of time behind the last one that was read, in the order of their ids.",
        lambda: (
            select(*tables.transfers.columns)
            .where(
                tuple_(tables.transfers.c.id, tables.transfers.c.kind)
                > tuple_(bindparam("after_id", type_=Text), bindparam("after_kind", type_=Text)),
                tables.transfers.c.at_ms >= bindparam("from_ms"),
                tables.transfers.c.at_ms < bindparam("before_ms"),
            )
            .order_by(tables.transfers.c.id, tables.transfers.c.kind)
            .limit(bindparam("rows_max"))
            .offset(literal_column("0"))
        ),
    ),
    Statement(
        "export_requests",
        "Lines of the request log of a range of time behind the last one that was read, in the order of their ids.",
        lambda: (
            select(*tables.requests.columns)
            .where(
                tables.requests.c.request_id > bindparam("after_id"),
                tables.requests.c.started_ms >= bindparam("from_ms"),
                tables.requests.c.started_ms < bindparam("before_ms"),
            )
            .order_by(tables.requests.c.request_id)
            .limit(bindparam("rows_max"))
            .offset(literal_column("0"))
        ),
    ),
    Statement(
        "read_output_sizes",
        "How long the newest answers were, and of which models; the newest first.",
        lambda: (
            select(tables.requests.c.model, tables.requests.c.outcome, tables.requests.c.output_tokens)
            .order_by(tables.requests.c.request_id.desc())
            .limit(bindparam("rows_max"))
            .offset(literal_column("0"))
        ),
    ),
    Statement(
        "expire_requests",
        "Forget a bounded number of log rows whose ids lie in a range, which is a range of time.",
        lambda: delete(tables.requests).where(
            tables.requests.c.request_id.in_(
                select(tables.requests.c.request_id)
                .where(
                    tables.requests.c.request_id >= bindparam("from_id"),
                    tables.requests.c.request_id < bindparam("before_id"),
                )
                .limit(bindparam("rows_max"))
                .offset(
                    literal_column("0")
                )  # SQLite's LIMIT is written with an OFFSET, else a nameless parameter
            )
        ),
    ),
    Statement(
        "write_response",
        "Keep a response; a provider that uses an id twice means the newer one.",
        lambda: _upsert(tables.responses),
    ),
    Statement(
        "write_response_item",
        "Where an output item stands; the newest response that has it counts.",
        lambda: _upsert(tables.response_items),
    ),
    Statement(
        "read_response",
        "A kept response of one account.",
        lambda: select(*tables.responses.columns).where(*_one_response()),
    ),
    Statement(
        "read_response_of_item",
        "The kept response of one account in which an output item stands.",
        lambda: (
            select(*tables.responses.columns)
            .join(
                tables.response_items,
                and_(
                    tables.response_items.c.account == tables.responses.c.account,
                    tables.response_items.c.response == tables.responses.c.id,
                ),
            )
            .where(
                tables.response_items.c.account == bindparam("account"),
                tables.response_items.c.item == bindparam("item"),
            )
        ),
    ),
    Statement(
        "delete_response", "Forget a response.", lambda: delete(tables.responses).where(*_one_response())
    ),
    Statement(
        "delete_response_items",
        "Forget where the items of a response stand.",
        lambda: delete(tables.response_items).where(
            tables.response_items.c.account == bindparam("account"),
            tables.response_items.c.response == bindparam("id"),
        ),
    ),
    Statement(
        "read_expired_responses",
        "Responses that are too old, of conversations in which nothing is newer, a bounded number of them.",
        lambda: (
            select(tables.responses.c.account, tables.responses.c.id)
            .where(tables.responses.c.created_ms < bindparam("before_ms"), ~_conversation_goes_on())
            .limit(bindparam("rows_max"))
            .offset(literal_column("0"))
        ),
    ),
)


def _sum(amounts: ColumnElement[int]) -> ColumnElement[int]:
    """A sum of 64-bit integers that is one, too: PostgreSQL would make it a decimal."""
    return cast(func.sum(amounts), BigInteger)


def _one_response() -> tuple[ColumnElement[bool], ...]:
    return tables.responses.c.account == bindparam("account"), tables.responses.c.id == bindparam("id")


def _conversation_goes_on() -> ColumnElement[bool]:
    newer = tables.responses.alias("newer")
    return exists().where(
        newer.c.account == tables.responses.c.account,
        newer.c.root == tables.responses.c.root,
        newer.c.created_ms >= bindparam("before_ms"),
    )


def _upsert(table: Table, *, follows: Column[int] | None = None) -> ClauseElement:
    """Insert a row, or replace every member of the one that has its key; `follows`: only if this member grows by one."""
    statement = upsert(table)
    changed = {
        column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key
    }
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_=changed,
        where=None if follows is None else follows == statement.excluded[follows.name] - literal_column("1"),
    )


def _locked_window() -> ClauseElement:
    table = tables.budget_windows
    return upsert(table).on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_={table.c.spent_nano_usd: table.c.spent_nano_usd}
    )


def _added() -> ClauseElement:
    """Insert a balance, or add it to the one that is there."""
    statement = upsert(tables.balances).values(
        account=bindparam("account"), balance_nano_usd=bindparam("balance_nano_usd")
    )
    column = tables.balances.c.balance_nano_usd
    return statement.on_conflict_do_update(
        index_elements=[tables.balances.c.account],
        set_={column: column + statement.excluded.balance_nano_usd},
    )


def sql_page() -> str:
    """`statements.sql`: every statement as text, named parameters, one block each."""
    dialect: Dialect = sqlite.dialect(paramstyle="named")  # pyright: ignore[reportAssignmentType] -- its __init__ is untyped
    return "-- Made by `python -m allgate.storage.statements` from storage/statements.py.\n" + "".join(
        f"\n-- name: {one.name}\n-- {one.sentence}\n{_text(one.build(), dialect)};\n" for one in STATEMENTS
    )


def schema_page(dialect: Dialect) -> str:
    """`sqlite/schema.sql` and its sister: the tables as they are today, for an empty database."""
    return (
        "-- Made by `python -m allgate.storage.statements` from storage/tables.py.\n\n"
        + "\n\n".join(f"{_text(element, dialect)};" for element in _schema())
        + "\n"
    )


def _schema() -> Iterator[ClauseElement]:
    for table in tables.metadata.sorted_tables:
        yield CreateTable(table)
        yield from (CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name)))


def _text(element: ClauseElement, dialect: Dialect) -> str:
    lines = str(element.compile(dialect=dialect)).strip().splitlines()
    return "\n".join(line.rstrip().replace("\t", "    ") for line in lines if line.strip())


def main() -> None:
    """Write the pages into the package."""
    from pathlib import Path

    folder = Path(__file__).parent
    (folder / "statements.sql").write_text(sql_page())
    for store, dialect in STORES.items():
        (folder / store / "schema.sql").write_text(schema_page(dialect))


if __name__ == "__main__":
    main()
