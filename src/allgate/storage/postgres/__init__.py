"""The store of many nodes: a PostgreSQL that all of them write (docs/decisions/0040 to 0043, 0062).

So money is set aside in the database before a node may spend it. In the order to read it:

    wire             asyncpg, as much of it as we use. Only who serves from PostgreSQL imports it
    jobs, schema     the thread that runs jobs (`storage.connection`), and today's tables (`schema.sql`)
    lease            what this node may spend, in memory
    link             the ledger's own connections, on the loop
    statements       what the ledger asks, and the order in which it locks
    node, teller     this node among the others; money fetched for requests that no lease covers
    budgets          requests that have a budget: holds in the database
    lines, postings  the request log and the charges as rows
    ledger           the port of the request path, made of all these
"""
