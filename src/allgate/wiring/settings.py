"""The settings of a process: how it listens, waits and keeps. What it serves are rows (`admin.rows`).

Each setting is declared once, here, with its default, its bounds and the sentence of `docs/settings.md`, which is
written from this file by `settings_page` and compared by a test. A unit is the last word of a name: `_s` seconds,
`_bytes`, `_max` a bound.
"""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from allgate.admin.rows import Declaration

MIB = 1024 * 1024

Seconds: TypeAlias = float


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file. An unknown key is an error."""


class Server(Section, frozen=True, kw_only=True):
    """The door that clients come through."""

    listen: Annotated[str, Meta(description="Address and port to listen on. Port 0: any free one.")] = (
        "127.0.0.1:8080"
    )
    drain_s: Annotated[
        Seconds,
        Meta(ge=0, description="On SIGTERM, how long requests under way may go on before they are cut."),
    ] = 30.0
    body_bytes_max: Annotated[
        int,
        Meta(
            gt=0,
            description="Largest request body. 32 MiB is what Anthropic takes; Gemini with films wants 100 MiB.",
        ),
    ] = 32 * MIB


class Database(Section, frozen=True, kw_only=True):
    """Where rows, the request log and charges are kept."""

    url: Annotated[
        str,
        Meta(
            description="`sqlite:///PATH`, of one process; a relative path counts from the folder of the configuration file. Or `postgresql://USER:PASSWORD@HOST/NAME`, which any number of nodes share (`docs/deploy-postgres.md`)."
        ),
    ] = "sqlite:///allgate.db"


class Stream(Section, frozen=True, kw_only=True):
    """Streamed answers."""

    commit_after_s: Annotated[
        Seconds,
        Meta(
            ge=0,
            description="Send headers at the first content, or after this long. Until content, a fallback stays possible.",
        ),
    ] = 10.0
    keepalive_s: Annotated[
        Seconds,
        Meta(
            gt=0,
            description="Silence after which a client gets a keep-alive. Proxies commonly cut at 30 to 60 s.",
        ),
    ] = 15.0
    client_gone: Annotated[
        Literal["cancel", "drain", "none"],
        Meta(
            description="What a client that leaves means. `cancel`: the upstream is closed, what was relayed is charged. `drain`: an answer that has begun is read on, for 30 s at most, and charged by what is reported. `none`: as `cancel`, and nothing is charged.",
        ),
    ] = "cancel"


class Timeouts(Section, frozen=True, kw_only=True):
    """How long an upstream may take."""

    connect_s: Annotated[Seconds, Meta(gt=0, description="To a connection, TLS included.")] = 5.0
    first_byte_s: Annotated[
        Seconds,
        Meta(
            gt=0,
            description="From the request to the first byte of the answer; thinking models take minutes.",
        ),
    ] = 300.0
    idle_s: Annotated[Seconds, Meta(gt=0, description="Between two pieces of an answer.")] = 120.0
    total_s: Annotated[
        Seconds,
        Meta(
            gt=0,
            description="For a whole attempt; the vendors' SDKs wait 600 s for an answer, streams may be longer.",
        ),
    ] = 1800.0


class Pool(Section, frozen=True, kw_only=True):
    """Connections to upstreams."""

    connections_max: Annotated[
        int, Meta(gt=0, description="Open connections per upstream. One stream takes one connection.")
    ] = 2048


class Egress(Section, frozen=True, kw_only=True):
    """Fetching what clients' URLs point to."""

    allowed_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks that may be fetched from although they are not public, such as `10.1.0.0/16`. Every client can then reach them through the gateway."
        ),
    ] = ()


class Ledger(Section, frozen=True, kw_only=True):
    """Money."""

    durability: Annotated[
        Literal["strict", "relaxed"],
        Meta(
            description="`strict`: an answer's last bytes wait until its charge would survive a power cut. `relaxed` does not wait."
        ),
    ] = "strict"
    commit_wait_s: Annotated[
        Seconds,
        Meta(
            gt=0,
            description="How long the database may take to write a charge. After that charges go to the outbox and new requests get 503, until the database is back.",
        ),
    ] = 5.0
    outbox: Annotated[
        str,
        Meta(
            description="The file that keeps charges while the database is gone; 16 MiB are reserved for it. Empty: beside a SQLite database, with `.outbox` behind its name; on PostgreSQL `allgate-LISTEN.outbox` in the folder of the configuration file."
        ),
    ] = ""
    lease_s: Annotated[
        Seconds,
        Meta(
            ge=1,
            description="On PostgreSQL, how long a node is believed in that is not heard of. Money that one which died had leased comes back after this long.",
        ),
    ] = 10.0
    audit_s: Annotated[
        Seconds,
        Meta(
            ge=0,
            description="How often every balance is compared with its transfers, for `allgate_ledger_drift` in `/metrics`. 0: never.",
        ),
    ] = 300.0


class Secrets(Section, frozen=True, kw_only=True):
    """Keys of our own."""

    master_key: Annotated[
        str,
        Meta(
            description="Signs sealed reasoning and encrypts credentials: `file:PATH`, `env:NAME` or 64 hex digits. Empty: generated beside a SQLite database, readable by its owner only; nodes of a PostgreSQL must all be given the same."
        ),
    ] = ""
    previous_master_keys: Annotated[
        tuple[str, ...], Meta(description="Older master keys that are still accepted, for rotation.")
    ] = ()


class RequestLog(Section, frozen=True, kw_only=True):
    """One row per request; never content, never keys."""

    enabled: Annotated[bool, Meta(description="Write it at all. Metrics are counted either way.")] = True
    flush_s: Annotated[
        Seconds,
        Meta(
            ge=0,
            description="How often rows of requests that cost nothing are written; a crash loses at most this long of them. The row of a charged request is written with its charge.",
        ),
    ] = 0.25
    queue_rows_max: Annotated[
        int,
        Meta(
            gt=0,
            description="Rows that may wait for the database. Beyond it a row is not written, which is counted in `allgate_request_log_lost_total`.",
        ),
    ] = 100_000
    retain_days: Annotated[
        int, Meta(ge=0, description="Older rows are deleted at start. 0: kept for ever.")
    ] = 90


class Responses(Section, frozen=True, kw_only=True):
    """Responses that are kept for `previous_response_id` and `GET /v1/responses/{id}`, unless a request says `store: false`."""

    keep_hours: Annotated[
        int,
        Meta(
            ge=0,
            description="How long after the last answer of its conversation. 0: nothing is kept, and no response can be continued.",
        ),
    ] = 24
    bytes_max: Annotated[
        int,
        Meta(
            gt=0,
            description="A longer one, its own input and its answer together, is not kept, and says so when asked for.",
        ),
    ] = MIB


class Explain(Section, frozen=True, kw_only=True):
    """`POST /v1/explain` (see docs/explain.md)."""

    enabled: Annotated[
        bool,
        Meta(
            description="Explanations name upstreams and their addresses: switch them off where keys are for strangers."
        ),
    ] = True


class Log(Section, frozen=True, kw_only=True):
    """What the process says on its standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least severe line that is written."),
    ] = "info"
    format: Annotated[
        Literal["json", "text"],
        Meta(description="`json`: one object per line; `text`: for reading at a terminal."),
    ] = "json"


class Settings(Section, frozen=True, kw_only=True):
    """All of them; then what is not a setting: the rows that the same file declares (None: no file was given, serve
    what the database holds), and the folder from which its relative paths count."""

    server: Server = Server()
    database: Database = Database()
    stream: Stream = Stream()
    timeouts: Timeouts = Timeouts()
    pool: Pool = Pool()
    egress: Egress = Egress()
    ledger: Ledger = Ledger()
    secrets: Secrets = Secrets()
    request_log: RequestLog = RequestLog()
    responses: Responses = Responses()
    explain: Explain = Explain()
    log: Log = Log()
    declared: Declaration | None = None
    folder: Path = Path()


SECTIONS: tuple[str, ...] = tuple(
    name for name in Settings.__struct_fields__ if name not in ("declared", "folder")
)
