-- Made by `python -m allgate.storage.statements` from storage/tables.py.

CREATE TABLE accounts (
    name TEXT NOT NULL,
    opening_nano_usd BIGINT NOT NULL,
    member_of TEXT,
    managed_by TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
)
 WITHOUT ROWID;

CREATE TABLE balances (
    account TEXT NOT NULL,
    balance_nano_usd BIGINT NOT NULL,
    pending_nano_usd BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (account),
    CONSTRAINT no_balance_overflows CHECK (balance_nano_usd BETWEEN -9223372036854775807 AND 9223372036854775807)
)
 WITHOUT ROWID;

CREATE TABLE budget_windows (
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,
    start_ms BIGINT NOT NULL,
    spent_nano_usd BIGINT NOT NULL,
    PRIMARY KEY (scope, kind, start_ms)
)
 WITHOUT ROWID;

CREATE TABLE credentials (
    upstream TEXT NOT NULL,
    position INTEGER NOT NULL,
    reference TEXT NOT NULL,
    PRIMARY KEY (upstream, position)
)
 WITHOUT ROWID;

CREATE TABLE deployments (
    public_model TEXT NOT NULL,
    position INTEGER NOT NULL,
    upstream TEXT NOT NULL,
    model TEXT NOT NULL,
    priority INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    caps TEXT NOT NULL,
    rules TEXT,
    PRIMARY KEY (public_model, position)
)
 WITHOUT ROWID;

CREATE TABLE groups (
    name TEXT NOT NULL,
    ratio TEXT NOT NULL,
    model_ratios TEXT NOT NULL,
    budget TEXT,
    hold TEXT,
    managed_by TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
)
 WITHOUT ROWID;

CREATE TABLE keys (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    hint TEXT NOT NULL,
    models TEXT,
    dialects TEXT,
    networks TEXT NOT NULL,
    expires TEXT,
    loopback_only BOOLEAN NOT NULL,
    budget TEXT,
    previous TEXT,
    managed_by TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (account, name)
)
 WITHOUT ROWID;

CREATE TABLE models (
    name TEXT NOT NULL,
    sheet TEXT,
    output_tokens_default BIGINT,
    owned_by TEXT NOT NULL,
    family TEXT,
    aliases TEXT,
    profile TEXT,
    rules TEXT,
    family_rules BOOLEAN,
    free BOOLEAN,
    managed_by TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
)
 WITHOUT ROWID;

CREATE TABLE nodes (
    epoch BIGINT NOT NULL,
    name TEXT NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (epoch)
)
 WITHOUT ROWID;

CREATE TABLE prices (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    input TEXT NOT NULL,
    output TEXT NOT NULL,
    cache_read TEXT,
    cache_write_5m TEXT,
    cache_write_1h TEXT,
    reasoning TEXT,
    input_audio TEXT,
    input_image TEXT,
    input_video TEXT,
    output_audio TEXT,
    output_image TEXT,
    call TEXT,
    second TEXT,
    character TEXT,
    web_search TEXT,
    web_fetch TEXT,
    code_execution TEXT,
    file_search TEXT,
    images TEXT,
    variants TEXT,
    source TEXT NOT NULL,
    valid_from_ms BIGINT NOT NULL,
    PRIMARY KEY (id)
)
 WITHOUT ROWID;

CREATE TABLE requests (
    request_id TEXT NOT NULL,
    started_ms BIGINT NOT NULL,
    account TEXT NOT NULL,
    "key" TEXT NOT NULL,
    dialect TEXT NOT NULL,
    operation TEXT NOT NULL,
    model TEXT NOT NULL,
    upstream TEXT NOT NULL,
    upstream_model TEXT NOT NULL,
    upstream_dialect TEXT NOT NULL,
    passthrough BOOLEAN NOT NULL,
    stream BOOLEAN NOT NULL,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    duration_ms BIGINT NOT NULL,
    first_byte_ms BIGINT,
    charged_nano_usd BIGINT NOT NULL,
    hold_nano_usd BIGINT NOT NULL,
    price TEXT NOT NULL,
    error TEXT NOT NULL,
    notes TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_5m_tokens BIGINT,
    cache_write_1h_tokens BIGINT,
    cache_write_tokens BIGINT,
    reasoning_tokens BIGINT,
    usage_rest TEXT,
    estimated BOOLEAN NOT NULL,
    PRIMARY KEY (request_id)
)
 WITHOUT ROWID;

CREATE TABLE response_items (
    account TEXT NOT NULL,
    item TEXT NOT NULL,
    response TEXT NOT NULL,
    PRIMARY KEY (account, item)
)
 WITHOUT ROWID;

CREATE INDEX response_items_response ON response_items (account, response);

CREATE TABLE responses (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    root TEXT NOT NULL,
    model TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    input TEXT,
    answer TEXT,
    lost TEXT NOT NULL,
    PRIMARY KEY (account, id)
);

CREATE INDEX responses_created ON responses (created_ms);

CREATE INDEX responses_root ON responses (account, root, created_ms);

CREATE TABLE revision (
    id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    published_ms BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE sheets (
    name TEXT NOT NULL,
    price_id TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
)
 WITHOUT ROWID;

CREATE TABLE transfers (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount_nano_usd BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    "key" TEXT NOT NULL,
    price TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (id, kind),
    CONSTRAINT no_transfer_runs_backwards CHECK (amount_nano_usd >= 0)
)
 WITHOUT ROWID;

CREATE TABLE upstreams (
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    base_url TEXT,
    dialects TEXT NOT NULL,
    proxy TEXT,
    ca_file TEXT,
    managed_by TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
)
 WITHOUT ROWID;

CREATE TABLE holds (
    request_id TEXT NOT NULL,
    account TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    amount_nano_usd BIGINT NOT NULL,
    "key" TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (request_id),
    CONSTRAINT no_hold_runs_backwards CHECK (amount_nano_usd >= 0),
    CONSTRAINT a_hold_has_a_living_node FOREIGN KEY(epoch) REFERENCES nodes (epoch)
)
 WITHOUT ROWID;

CREATE INDEX holds_account ON holds (account);

CREATE INDEX holds_epoch ON holds (epoch);

CREATE TABLE leases (
    account TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    amount_nano_usd BIGINT NOT NULL,
    recalled BOOLEAN NOT NULL,
    PRIMARY KEY (account, epoch),
    CONSTRAINT no_lease_is_overspent CHECK (amount_nano_usd >= 0),
    CONSTRAINT a_lease_has_a_living_node FOREIGN KEY(epoch) REFERENCES nodes (epoch)
)
 WITHOUT ROWID;

CREATE INDEX leases_epoch ON leases (epoch);
