"""The ledger's statements on PostgreSQL, as text: each is one round trip, and its own transaction.

They are written by hand, as those of the charge path on SQLite are (ruling 21): what makes them right is the order in which they
lock, which no builder of SQL says. Every transaction locks the rows of `balances` it needs in the order of their names, then
rows of `leases`, and the house's rows last; so two of them wait for each other never, and for a house row only as long as a
commit takes. A row locked `FOR UPDATE` is read as it is then, not as it was when the statement began.

All times are the database's own (NOW_MS), because the clocks of nodes differ.
"""

from allgate.storage.postgres.lines import insert_lines
from allgate.storage.request_log import COLUMNS

NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

SLICES_PER_NODE = 4
"""A slice is this part of the available money divided by the nodes (ruling 11): the last money is never all with one node."""

OPEN_HOUSE = """
INSERT INTO balances (account, balance_nano_usd) VALUES ('house:revenue', 0), ('house:uncollected', 0)
ON CONFLICT DO NOTHING
"""

JOIN = f"INSERT INTO nodes (name, expires_ms) VALUES ($1, {NOW_MS} + $2) RETURNING epoch"  # noqa: S608  only our own text

# $1 epoch, $2 how long in ms. Whoever has not been swept may go on, however late: nothing of his was given away.
RENEW = f"UPDATE nodes SET expires_ms = {NOW_MS} + $2 WHERE epoch = $1 RETURNING epoch"  # noqa: S608  only our own text

RECALLED = "SELECT account FROM leases WHERE epoch = $1 AND recalled"

EXPIRED = f"SELECT epoch FROM nodes WHERE epoch <> $1 AND expires_ms <= {NOW_MS} ORDER BY epoch"  # noqa: S608  only our own text

# $1 epoch, $2 whether only if it has expired. The node's row goes last: nothing can be leased to an epoch without one, so a
# lease that comes while this runs makes it fail as a whole.
SWEEP = f"""
WITH dead AS MATERIALIZED (
    SELECT epoch FROM nodes WHERE epoch = $1 AND (NOT $2 OR expires_ms <= {NOW_MS}) FOR UPDATE SKIP LOCKED
), locked AS MATERIALIZED (
    SELECT b.account FROM balances b WHERE b.account IN (
        SELECT account FROM leases JOIN dead USING (epoch) UNION SELECT account FROM holds JOIN dead USING (epoch)
    ) ORDER BY b.account FOR UPDATE
), ended AS (
    DELETE FROM leases l USING locked, dead WHERE l.account = locked.account AND l.epoch = dead.epoch
    RETURNING l.account, l.amount_nano_usd
), released AS (
    DELETE FROM holds h USING locked, dead WHERE h.account = locked.account AND h.epoch = dead.epoch
    RETURNING h.account, h.amount_nano_usd
), returned AS (
    SELECT account, sum(amount_nano_usd)::bigint AS amount
    FROM (SELECT * FROM ended UNION ALL SELECT * FROM released) AS parts GROUP BY account
), moved AS (
    UPDATE balances b SET pending_nano_usd = b.pending_nano_usd - returned.amount
    FROM returned WHERE b.account = returned.account
), gone AS (
    DELETE FROM nodes USING dead WHERE nodes.epoch = dead.epoch
    AND (SELECT count(*) FROM returned) >= 0
    RETURNING nodes.epoch
)
SELECT (SELECT count(*) FROM gone) AS swept, (SELECT coalesce(sum(amount), 0)::bigint FROM returned) AS amount
"""  # noqa: S608  only our own text

# $1 account, $2 epoch, $3 what the node still needs of its lease: the rest of it goes back first. $4 the amount wanted (null:
# nothing), $5 the request that wants it, $6 whether a slice will do. One conditional update; the answer says what came of it.
CLAIM = f"""
WITH own AS MATERIALIZED (
    SELECT b.account, b.balance_nano_usd - b.pending_nano_usd AS available
    FROM balances b WHERE b.account = $1 FOR UPDATE
), lease AS MATERIALIZED (
    SELECT l.amount_nano_usd AS amount FROM leases l JOIN own USING (account) WHERE l.epoch = $2 FOR UPDATE OF l
), sums AS (
    SELECT own.available + greatest(coalesce(lease.amount, 0) - $3::bigint, 0) AS available,
           greatest(coalesce(lease.amount, 0) - $3::bigint, 0) AS returned,
           {SLICES_PER_NODE} * greatest(1, (SELECT count(*) FROM nodes WHERE expires_ms > {NOW_MS})) AS slices
    FROM own LEFT JOIN lease ON true
), granted AS MATERIALIZED (
    SELECT available, returned, CASE
        WHEN $6::boolean AND available / slices >= $4::bigint THEN 'slice'
        WHEN available >= $4::bigint THEN 'hold'
        ELSE 'nothing' END AS outcome, available / slices AS slice
    FROM sums
), moved AS (
    UPDATE balances b SET pending_nano_usd = b.pending_nano_usd - g.returned
        + CASE g.outcome WHEN 'slice' THEN g.slice WHEN 'hold' THEN $4::bigint ELSE 0 END
    FROM granted g WHERE b.account = $1 AND (g.outcome <> 'nothing' OR g.returned > 0)
), changed AS (
    UPDATE leases l SET recalled = l.recalled AND g.outcome = 'slice',
        amount_nano_usd = l.amount_nano_usd - g.returned + CASE g.outcome WHEN 'slice' THEN g.slice ELSE 0 END
    FROM granted g WHERE l.account = $1 AND l.epoch = $2
), opened AS (
    INSERT INTO leases (account, epoch, amount_nano_usd, recalled)
    SELECT $1, $2, slice, false FROM granted WHERE outcome = 'slice' AND NOT EXISTS (SELECT FROM lease)
), held AS (
    INSERT INTO holds (request_id, account, epoch, amount_nano_usd)
    SELECT $5::text, $1, $2, $4::bigint FROM granted WHERE outcome = 'hold'
)
SELECT outcome, slice, available,
       EXISTS (SELECT FROM leases WHERE account = $1 AND epoch <> $2 AND amount_nano_usd > 0) AS others
FROM granted
"""  # noqa: S608  only our own text

# $1 account, $2 epoch: other nodes see it when they look next.
RECALL = "UPDATE leases SET recalled = true WHERE account = $1 AND epoch <> $2 AND amount_nano_usd > 0"

UNANSWERED = "SELECT EXISTS (SELECT FROM leases WHERE account = $1 AND epoch <> $2 AND recalled)"

# $1 account, $2 epoch: a lease that nobody needs.
CLOSE = """
WITH own AS MATERIALIZED (
    SELECT account FROM balances WHERE account = $1 FOR UPDATE
), ended AS (
    DELETE FROM leases l USING own WHERE l.account = own.account AND l.epoch = $2 RETURNING l.amount_nano_usd
)
UPDATE balances SET pending_nano_usd = pending_nano_usd - ended.amount_nano_usd FROM ended WHERE account = $1
"""

# $1 accounts, $2 ids: durable holds that end without a charge.
RELEASE = """
WITH locked AS MATERIALIZED (
    SELECT b.account FROM balances b WHERE b.account = ANY($1) ORDER BY b.account FOR UPDATE
), ended AS (
    DELETE FROM holds h USING locked WHERE h.request_id = ANY($2) AND h.account = locked.account
    RETURNING h.account, h.amount_nano_usd
), returned AS (
    SELECT account, sum(amount_nano_usd)::bigint AS amount FROM ended GROUP BY account
)
UPDATE balances b SET pending_nano_usd = b.pending_nano_usd - returned.amount
FROM returned WHERE b.account = returned.account
"""

# $1 epoch; $2, $3 accounts and what each pays; then the transfers, one array for each column. The answer: accounts whose lease
# is not there (the node was swept), of which nothing was written. A transfer that was there already, or a balance that would
# overflow, is an error, and nothing is written at all.
POST = f"""
WITH due AS MATERIALIZED (
    SELECT account, paid FROM unnest($2::text[], $3::bigint[]) AS due(account, paid)
), locked AS MATERIALIZED (
    SELECT b.account FROM balances b WHERE b.account = ANY($2) ORDER BY b.account FOR UPDATE
), leased AS (
    UPDATE leases l SET amount_nano_usd = l.amount_nano_usd - due.paid
    FROM due JOIN locked USING (account)
    WHERE l.account = due.account AND l.epoch = $1 AND l.amount_nano_usd >= due.paid
    RETURNING l.account, due.paid
), moved AS (
    UPDATE balances b SET balance_nano_usd = b.balance_nano_usd - leased.paid,
        pending_nano_usd = b.pending_nano_usd - leased.paid
    FROM leased WHERE b.account = leased.account
), kept AS (
    INSERT INTO transfers (id, kind, debit, credit, amount_nano_usd, at_ms, key, price, reason)
    SELECT t.id, t.kind, t.debit, 'house:revenue', t.amount, t.at_ms, t.key, t.price, t.reason
    FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[])
        AS t(id, kind, debit, amount, at_ms, key, price, reason)
    WHERE t.debit IN (SELECT account FROM leased)
), logged AS (
    {insert_lines((f"${12 + place}" for place in range(len(COLUMNS))), "l.account IN (SELECT account FROM leased)")}
), earned AS (
    UPDATE balances SET balance_nano_usd = balance_nano_usd + (SELECT coalesce(sum(paid), 0) FROM leased)::bigint
    WHERE account = 'house:revenue'
)
SELECT account FROM due WHERE account NOT IN (SELECT account FROM leased)
"""  # noqa: S608  only our own text

WRITE_LINES = insert_lines(f"${1 + place}" for place in range(len(COLUMNS)))

# What follows is one transaction, in this order: the charges that only the database can decide.

LOCK_BALANCES = """
SELECT account, balance_nano_usd, pending_nano_usd FROM balances WHERE account = ANY($1) ORDER BY account FOR UPDATE
"""
LOCK_LEASES = """
SELECT account, amount_nano_usd FROM leases WHERE account = ANY($1) AND epoch = $2 ORDER BY account FOR UPDATE
"""
TAKE_HOLDS = "DELETE FROM holds WHERE request_id = ANY($1) RETURNING request_id, amount_nano_usd"
READ_POSTED = "SELECT id, kind, amount_nano_usd FROM transfers WHERE id = ANY($1)"
WRITE_TRANSFERS = """
INSERT INTO transfers (id, kind, debit, credit, amount_nano_usd, at_ms, key, price, reason)
SELECT t.id, t.kind, t.debit, 'house:revenue', t.amount, t.at_ms, t.key, t.price, t.reason
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[])
    AS t(id, kind, debit, amount, at_ms, key, price, reason)
"""
MOVE_LEASES = """
UPDATE leases l SET amount_nano_usd = l.amount_nano_usd - m.paid
FROM unnest($2::text[], $3::bigint[]) AS m(account, paid) WHERE l.account = m.account AND l.epoch = $1
"""
MOVE_BALANCES = """
UPDATE balances b SET balance_nano_usd = b.balance_nano_usd + m.balance, pending_nano_usd = b.pending_nano_usd + m.pending
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS m(account, balance, pending) WHERE b.account = m.account
"""

# What follows are requests that have a budget, in this order, in one transaction (`budgets`). Windows of budgets are
# locked after the rows of `leases` and before the house's, in the order in which they are named.

# $1 account; then the keys of windows: made where they are not there.
LOCK_WINDOWS = """
WITH own AS MATERIALIZED (
    SELECT account FROM balances WHERE account = $1 FOR UPDATE
)
INSERT INTO budget_windows (scope, kind, start_ms, spent_nano_usd)
SELECT w.scope, w.kind, w.start_ms, 0
FROM own, unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS w(scope, kind, start_ms, place) ORDER BY w.place
ON CONFLICT (scope, kind, start_ms) DO UPDATE SET spent_nano_usd = budget_windows.spent_nano_usd
RETURNING scope, kind, spent_nano_usd
"""

# $1, $2 ids from which and before which a window's requests are, $3 whether it is of the key $5 alone; $4 accounts.
HELD = """
SELECT coalesce(sum(h.amount_nano_usd), 0)::bigint
FROM unnest($1::text[], $2::text[], $3::boolean[]) WITH ORDINALITY AS w(from_id, before_id, of_key, place)
LEFT JOIN holds h ON h.account = ANY($4::text[]) AND (NOT w.of_key OR h.key = $5::text)
    AND h.request_id >= w.from_id AND h.request_id < w.before_id
GROUP BY w.place ORDER BY w.place
"""

# $1 account, $2 epoch, $3 amount, $4 request, $5 key. Leases are left as they are.
HOLD = """
WITH own AS MATERIALIZED (
    SELECT account, balance_nano_usd - pending_nano_usd AS available FROM balances WHERE account = $1 FOR UPDATE
), moved AS (
    UPDATE balances b SET pending_nano_usd = b.pending_nano_usd + $3::bigint
    FROM own WHERE b.account = own.account AND own.available >= $3::bigint
    RETURNING b.account
), held AS (
    INSERT INTO holds (request_id, account, epoch, amount_nano_usd, key)
    SELECT $4::text, account, $2::bigint, $3::bigint, $5::text FROM moved
)
SELECT CASE WHEN available >= $3::bigint THEN 'hold' ELSE 'nothing' END, 0::bigint, available,
       EXISTS (SELECT FROM leases l WHERE l.account = own.account AND l.amount_nano_usd > 0)
FROM own
"""

# Keys of windows, and what was paid for requests that belong to them.
COUNT_SPENT = """
INSERT INTO budget_windows (scope, kind, start_ms, spent_nano_usd)
SELECT w.scope, w.kind, w.start_ms, w.paid
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS w(scope, kind, start_ms, paid, place)
ORDER BY w.place
ON CONFLICT (scope, kind, start_ms) DO UPDATE SET spent_nano_usd = budget_windows.spent_nano_usd + excluded.spent_nano_usd
"""

# $1 account.
FUNDS = "SELECT balance_nano_usd, balance_nano_usd - pending_nano_usd FROM balances WHERE account = $1"
