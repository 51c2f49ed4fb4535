-- Made by `python -m allgate.storage.statements` from storage/tables.py.

CREATE TABLE accounts (
    name TEXT COLLATE "C" NOT NULL,
    opening_nano_usd BIGINT NOT NULL,
    member_of TEXT COLLATE "C",
    managed_by TEXT COLLATE "C" NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE balances (
    account TEXT COLLATE "C" NOT NULL,
    balance_nano_usd BIGINT NOT NULL,
    pending_nano_usd BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (account),
    CONSTRAINT no_balance_overflows CHECK (balance_nano_usd BETWEEN -9223372036854775807 AND 9223372036854775807),
    CONSTRAINT nothing_available_is_negative CHECK (pending_nano_usd >= 0 AND (account LIKE 'house:%' OR balance_nano_usd >= pending_nano_usd))
);

CREATE TABLE budget_windows (
    scope TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    start_ms BIGINT NOT NULL,
    spent_nano_usd BIGINT NOT NULL,
    PRIMARY KEY (scope, kind, start_ms)
);

CREATE TABLE credentials (
    upstream TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (upstream, position)
);

CREATE TABLE deployments (
    public_model TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    upstream TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    priority INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    caps TEXT COLLATE "C" NOT NULL,
    rules TEXT COLLATE "C",
    PRIMARY KEY (public_model, position)
);

CREATE TABLE groups (
    name TEXT COLLATE "C" NOT NULL,
    ratio TEXT COLLATE "C" NOT NULL,
    model_ratios TEXT COLLATE "C" NOT NULL,
    budget TEXT COLLATE "C",
    hold TEXT COLLATE "C",
    managed_by TEXT COLLATE "C" NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE keys (
    account TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    hint TEXT COLLATE "C" NOT NULL,
    models TEXT COLLATE "C",
    dialects TEXT COLLATE "C",
    networks TEXT COLLATE "C" NOT NULL,
    expires TEXT COLLATE "C",
    loopback_only BOOLEAN NOT NULL,
    budget TEXT COLLATE "C",
    previous TEXT COLLATE "C",
    managed_by TEXT COLLATE "C" NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);

CREATE TABLE models (
    name TEXT COLLATE "C" NOT NULL,
    sheet TEXT COLLATE "C",
    output_tokens_default BIGINT,
    owned_by TEXT COLLATE "C" NOT NULL,
    family TEXT COLLATE "C",
    aliases TEXT COLLATE "C",
    profile TEXT COLLATE "C",
    rules TEXT COLLATE "C",
    family_rules BOOLEAN,
    free BOOLEAN,
    managed_by TEXT COLLATE "C" NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE nodes (
    epoch BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT COLLATE "C" NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (epoch)
);

CREATE TABLE prices (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    input TEXT COLLATE "C" NOT NULL,
    output TEXT COLLATE "C" NOT NULL,
    cache_read TEXT COLLATE "C",
    cache_write_5m TEXT COLLATE "C",
    cache_write_1h TEXT COLLATE "C",
    reasoning TEXT COLLATE "C",
    input_audio TEXT COLLATE "C",
    input_image TEXT COLLATE "C",
    input_video TEXT COLLATE "C",
    output_audio TEXT COLLATE "C",
    output_image TEXT COLLATE "C",
    call TEXT COLLATE "C",
    second TEXT COLLATE "C",
    character TEXT COLLATE "C",
    web_search TEXT COLLATE "C",
    web_fetch TEXT COLLATE "C",
    code_execution TEXT COLLATE "C",
    file_search TEXT COLLATE "C",
    images TEXT COLLATE "C",
    variants TEXT COLLATE "C",
    source TEXT COLLATE "C" NOT NULL,
    valid_from_ms BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE requests (
    request_id TEXT COLLATE "C" NOT NULL,
    started_ms BIGINT NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    dialect TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    upstream TEXT COLLATE "C" NOT NULL,
    upstream_model TEXT COLLATE "C" NOT NULL,
    upstream_dialect TEXT COLLATE "C" NOT NULL,
    passthrough BOOLEAN NOT NULL,
    stream BOOLEAN NOT NULL,
    status INTEGER NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    attempts INTEGER NOT NULL,
    duration_ms BIGINT NOT NULL,
    first_byte_ms BIGINT,
    charged_nano_usd BIGINT NOT NULL,
    hold_nano_usd BIGINT NOT NULL,
    price TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C" NOT NULL,
    notes TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C" NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_5m_tokens BIGINT,
    cache_write_1h_tokens BIGINT,
    cache_write_tokens BIGINT,
    reasoning_tokens BIGINT,
    usage_rest TEXT COLLATE "C",
    estimated BOOLEAN NOT NULL,
    PRIMARY KEY (request_id)
);

CREATE TABLE response_items (
    account TEXT COLLATE "C" NOT NULL,
    item TEXT COLLATE "C" NOT NULL,
    response TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, item)
);

CREATE INDEX response_items_response ON response_items (account, response);

CREATE TABLE responses (
    account TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C",
    root TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    input TEXT COLLATE "C",
    answer TEXT COLLATE "C",
    lost TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, id)
);

CREATE INDEX responses_created ON responses (created_ms);

CREATE INDEX responses_root ON responses (account, root, created_ms);

CREATE TABLE revision (
    id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    published_ms BIGINT NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE sheets (
    name TEXT COLLATE "C" NOT NULL,
    price_id TEXT COLLATE "C" NOT NULL,
    managed_by TEXT COLLATE "C" NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE transfers (
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    debit TEXT COLLATE "C" NOT NULL,
    credit TEXT COLLATE "C" NOT NULL,
    amount_nano_usd BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    price TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id, kind),
    CONSTRAINT no_transfer_runs_backwards CHECK (amount_nano_usd >= 0)
);

CREATE TABLE upstreams (
    name TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    base_url TEXT COLLATE "C",
    dialects TEXT COLLATE "C" NOT NULL,
    proxy TEXT COLLATE "C",
    ca_file TEXT COLLATE "C",
    managed_by TEXT COLLATE "C" NOT NULL,
    disabled BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE holds (
    request_id TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    amount_nano_usd BIGINT NOT NULL,
    key TEXT COLLATE "C" DEFAULT '' NOT NULL,
    PRIMARY KEY (request_id),
    CONSTRAINT no_hold_runs_backwards CHECK (amount_nano_usd >= 0),
    CONSTRAINT a_hold_has_a_living_node FOREIGN KEY(epoch) REFERENCES nodes (epoch)
);

CREATE INDEX holds_account ON holds (account);

CREATE INDEX holds_epoch ON holds (epoch);

CREATE TABLE leases (
    account TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    amount_nano_usd BIGINT NOT NULL,
    recalled BOOLEAN NOT NULL,
    PRIMARY KEY (account, epoch),
    CONSTRAINT no_lease_is_overspent CHECK (amount_nano_usd >= 0),
    CONSTRAINT a_lease_has_a_living_node FOREIGN KEY(epoch) REFERENCES nodes (epoch)
);

CREATE INDEX leases_epoch ON leases (epoch);
