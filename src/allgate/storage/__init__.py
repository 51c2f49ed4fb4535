"""SQL and files behind the ports of the floors below.

There are two stores: `sqlite`, a file of one process, and `postgres`, shared by many nodes. A process uses one of them, and
neither sees the other. Each has a ledger of its own, because charges are many and the loop waits for them. Everything else is
written once, here, as jobs that run on both; nothing here imports a store. In the order to read it:

    connection                                     what a job may ask of a database
    tables, statements, sql_text, schema, migrate  the tables and the SQL, of which processes run the text (`*.sql`)
    group_commit, outbox                           charges on their way, also while the database is gone
    transfers, corrections, house_costs            money that moves otherwise
    write_behind, request_log                      what is written after the answer
    retention, response_store                      what else is kept, and for how long
    config_store, prices, spending, output_sizes   read at a start, and when something was published
    reading, books, audit, export                  what is told of all that
"""
