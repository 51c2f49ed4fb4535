"""The tables, as SQLAlchemy metadata: the one description from which migrations, statements and SQL text follow.

Rows are known by their natural names (see `admin.rows`). Times are milliseconds since 1970, UTC; amounts nano-USD in
64-bit integers; prices decimal text, as written. Lists and small objects are JSON text. `managed_by` is "file" or
"console". Nothing is deleted from the tables of the configuration: what vanished is disabled.

This module imports SQLAlchemy, which takes longer than the whole start of a server, so only migrations, the generator
of SQL text, reports and tests import it; a serving process runs the text (`*.sql`) that was made from it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.schema import SchemaItem

metadata = MetaData()


@compiles(Text, "postgresql")
def _text_in_order_of_bytes(*_: object, **__: object) -> str:
    """SQLite compares text by its bytes. So must PostgreSQL, whatever its locale: ids are read in ranges."""
    return 'TEXT COLLATE "C"'


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _switch(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _kept() -> tuple[SchemaItem, ...]:
    return (_text("managed_by"), _switch("disabled"), _number("changed_ms"))


def _table(name: str, *columns: SchemaItem) -> Table:
    """A table stored by its key: half the pages of a table with a row id and an index beside it."""
    return Table(name, metadata, *columns, sqlite_with_rowid=False)


revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _number("number"),
    _number("published_ms"),
    Column("document", Text, nullable=False),
)
"""One row (id 1): the number that serving nodes watch, and all configuration rows as one JSON document."""

upstreams = _table(
    "upstreams",
    _text("name", key=True),
    _text("provider"),
    _text("base_url", null=True),
    _text("dialects"),
    _text("proxy", null=True),
    _text("ca_file", null=True),
    *_kept(),
)

credentials = _table(
    "credentials",
    _text("upstream", key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("reference"),
)

models = _table(
    "models",
    _text("name", key=True),
    _text("sheet", null=True),
    _number("output_tokens_default", null=True),
    _text("owned_by"),
    _text("family", null=True),
    _text("aliases", null=True),
    _text("profile", null=True),
    _text("rules", null=True),
    Column("family_rules", Boolean, nullable=True),
    Column("free", Boolean, nullable=True),
    *_kept(),
)
"""`aliases`, `profile` and `rules` are JSON; null stands for what a row does not say."""

deployments = _table(
    "deployments",
    _text("public_model", key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("upstream"),
    _text("model"),
    Column("priority", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
    _text("caps"),
    _text("rules", null=True),
)

PRICE_COLUMNS = (
    "input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "input_audio", "input_image",
    "input_video", "output_audio", "output_image", "call", "second", "character", "web_search", "web_fetch",
    "code_execution", "file_search", "images", "variants",
)  # fmt: skip

prices = _table(
    "prices",
    _text("id", key=True),
    _text("name"),
    *(_text(name, null=name not in ("input", "output")) for name in PRICE_COLUMNS),
    _text("source"),
    _number("valid_from_ms"),
)
"""Dated sheets, never changed: a new price is a new row, so the sheet that a receipt names can always be read again."""

sheets = _table("sheets", _text("name", key=True), _text("price_id"), *_kept())
"""Which row of `prices` a sheet's name means now."""

groups = _table(
    "groups",
    _text("name", key=True),
    _text("ratio"),
    _text("model_ratios"),
    _text("budget", null=True),
    _text("hold", null=True),
    *_kept(),
)

accounts = _table(
    "accounts",
    _text("name", key=True),
    _number("opening_nano_usd"),
    _text("member_of", null=True),
    *_kept(),
)

keys = _table(
    "keys",
    _text("account", key=True),
    _text("name", key=True),
    _text("hash"),
    _text("hint"),
    _text("models", null=True),
    _text("dialects", null=True),
    _text("networks"),
    _text("expires", null=True),
    _switch("loopback_only"),
    _text("budget", null=True),
    _text("previous", null=True),
    *_kept(),
)

transfers = _table(
    "transfers",
    _text("id", key=True),
    _text("kind", key=True),
    _text("debit"),
    _text("credit"),
    _number("amount_nano_usd"),
    _number("at_ms"),
    _text("key"),
    _text("price"),
    _text("reason"),
    CheckConstraint("amount_nano_usd >= 0", name="no_transfer_runs_backwards"),
)
"""Every movement of money, never changed: one amount from one account to another. `id` and `kind` together are what
makes a repetition harmless: the request's id with charge, overage or uncollected; `opening:ACCOUNT` with opening; the
operator's id with topup or debit; `correction:REQUEST:ID` with correction. `key` and `price` are empty where none was used.

There is no index by account: it would make every group of charges write a page for each of its accounts (measured: 2 µs of
CPU per charge, 20 with 64 accounts). Ids of requests begin with their time, so a report reads the range of its dates."""

balances = _table(
    "balances",
    _text("account", key=True),
    _number("balance_nano_usd"),
    Column("pending_nano_usd", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint(
        "balance_nano_usd BETWEEN -9223372036854775807 AND 9223372036854775807", name="no_balance_overflows"
    ),
    CheckConstraint(
        "pending_nano_usd >= 0 AND (account LIKE 'house:%' OR balance_nano_usd >= pending_nano_usd)",
        name="nothing_available_is_negative",
    ).ddl_if(dialect="postgresql"),
)
"""What the transfers add up to, kept in the same transactions; `pending_nano_usd` is what leases and durable holds have set
aside of it. The first check is for SQLite, where a sum beyond 64 bits would quietly become a float; the second for
PostgreSQL, where many nodes write (SQLite's one process holds in memory, so nothing is ever pending there)."""

nodes = _table(
    "nodes",
    Column("epoch", BigInteger, Identity(always=True), primary_key=True),
    _text("name"),
    _number("expires_ms"),
)
"""Serving processes on PostgreSQL. An epoch is one life of one process: never used again, renewed while it lives, swept
with all its leases when it has expired. `name` is for people."""

leases = _table(
    "leases",
    _text("account", key=True),
    Column(
        "epoch",
        BigInteger,
        ForeignKey("nodes.epoch", name="a_lease_has_a_living_node"),
        primary_key=True,
        autoincrement=False,
    ),
    _number("amount_nano_usd"),
    _switch("recalled"),
    CheckConstraint("amount_nano_usd >= 0", name="no_lease_is_overspent"),
)
"""What a node may still spend of an account: already pending there. `recalled`: another node needs the money."""
Index("leases_epoch", leases.c.epoch)

holds = _table(
    "holds",
    _text("request_id", key=True),
    _text("account"),
    Column("epoch", BigInteger, ForeignKey("nodes.epoch", name="a_hold_has_a_living_node"), nullable=False),
    _number("amount_nano_usd"),
    Column("key", Text, nullable=False, server_default=text("''")),
    CheckConstraint("amount_nano_usd >= 0", name="no_hold_runs_backwards"),
)
"""Durable holds: of requests that have a budget (`key` says whose), or for which no lease was large enough."""
Index("holds_epoch", holds.c.epoch)
Index("holds_account", holds.c.account)

budget_windows = _table(
    "budget_windows",
    _text("scope", key=True),
    _text("kind", key=True),
    _number("start_ms", key=True),
    _number("spent_nano_usd"),
)
"""What budgets have spent, on PostgreSQL: `scope` is `key:ACCOUNT/KEY` or `group:NAME`, `kind` total, daily or monthly. What is
held is the sum of their `holds`, so a hold that goes, however it goes, is given back. SQLite's one process counts in memory."""

USAGE_OF_REQUEST = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
    "cache_write_tokens", "reasoning_tokens", "usage_rest", "estimated",
)  # fmt: skip

requests = _table(
    "requests",
    _text("request_id", key=True),
    _number("started_ms"),
    _text("account"),
    _text("key"),
    _text("dialect"),
    _text("operation"),
    _text("model"),
    _text("upstream"),
    _text("upstream_model"),
    _text("upstream_dialect"),
    _switch("passthrough"),
    _switch("stream"),
    Column("status", Integer, nullable=False),
    _text("outcome"),
    Column("attempts", Integer, nullable=False),
    _number("duration_ms"),
    _number("first_byte_ms", null=True),
    _number("charged_nano_usd"),
    _number("hold_nano_usd"),
    _text("price"),
    _text("error"),
    _text("notes"),
    _text("user_agent"),
    _number("input_tokens", null=True),
    _number("output_tokens", null=True),
    _number("cache_read_tokens", null=True),
    _number("cache_write_5m_tokens", null=True),
    _number("cache_write_1h_tokens", null=True),
    _number("cache_write_tokens", null=True),
    _number("reasoning_tokens", null=True),
    _text("usage_rest", null=True),
    _switch("estimated"),
)
"""The request log. `usage_rest` is JSON of the units without a column of their own; null means none was reported.

There is no index by account, for the reason that `transfers` has none: with 64 accounts a charge and its line took the writer
32 µs, without it 13. Ids begin with their time, so a range of them is a range of time."""

responses = Table(
    "responses",
    metadata,
    _text("account", key=True),
    _text("id", key=True),
    _text("parent", null=True),
    _text("root"),
    _text("model"),
    _number("created_ms"),
    _text("input", null=True),
    _text("answer", null=True),
    _text("lost"),
)
"""Answers of the Responses dialect that are kept for their account (`gateway.responses_store`): `input` is the JSON of what
this request added to the conversation, `answer` of the response object, both null where `lost` says why they were not
kept. `parent` is the response that it continues, `root` the first of its conversation. Rows are large, so this table has
a row id."""
Index("responses_root", responses.c.account, responses.c.root, responses.c.created_ms)
Index("responses_created", responses.c.created_ms)

response_items = _table(
    "response_items", _text("account", key=True), _text("item", key=True), _text("response")
)
"""In which kept response an output item stands: clients name items without repeating them."""
Index("response_items_response", response_items.c.account, response_items.c.response)
