"""The places of `failpoints` in a process that serves from PostgreSQL, and those that only such a one has.

    postgres_after_hold       the money is set aside, nothing was sent
    postgres_claimed          the database has set money aside for this node, which does not know it yet
    postgres_before_enqueue   the answer has ended, its charge is not decided
    postgres_enqueued         the charge is decided and waits
    postgres_written          charges are about to be sent to the database
    postgres_committed        charges are durable, nobody was told
    postgres_before_last_byte the charge is durable, and one answer is about to be completed
    postgres_sweep            a dead node is about to be swept
    postgres_swept            a dead node was swept, the sweeper does not know it yet
    postgres_renewal          the node is about to renew its leases
    postgres_renewed          they are renewed

A statement is a transaction of its own, so there is nothing between its two ends that a kill could leave half done. Imported
only where a failpoint is asked for: asyncpg is not for processes that serve from SQLite.
"""

from allgate.gateway.exchange import Exchange
from allgate.storage.postgres import ledger
from allgate.storage.postgres.ledger import PostgresLedger
from allgate.storage.postgres.node import Node
from allgate.storage.postgres.teller import Teller
from allgate.wiring.failpoint import Failpoint

POSTGRES_FAILPOINTS = {
    "postgres_after_hold": Failpoint(PostgresLedger, "hold", after=True),
    "postgres_claimed": Failpoint(Teller, "_claim", after=True),
    "postgres_before_enqueue": Failpoint(PostgresLedger, "settle", after=False),
    "postgres_enqueued": Failpoint(PostgresLedger, "settle", after=True),
    "postgres_written": Failpoint(ledger, "post", after=False),
    "postgres_committed": Failpoint(ledger, "post", after=True),
    "postgres_before_last_byte": Failpoint(Exchange, "_deliver", after=False),
    "postgres_sweep": Failpoint(Node, "_sweep", after=False),
    "postgres_swept": Failpoint(Node, "_sweep", after=True),
    "postgres_renewal": Failpoint(Node, "renew", after=False),
    "postgres_renewed": Failpoint(Node, "renew", after=True),
}
