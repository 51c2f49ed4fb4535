"""The store of one process: a SQLite file that nobody else writes (ruling 21).

So decisions are made in memory, and the file is only told of them. In the order to read it:

    lock, schema     the file is this process's alone, and has today's tables (`schema.sql`)
    writer, reader   the one thread that writes, and those that read beside it: both run jobs (`storage.connection`)
    rows             many rows in one statement
    lines, postings  the request log and the charges as such rows
    ledger           the port of the request path: the book decides, groups of charges go to the writer
"""
