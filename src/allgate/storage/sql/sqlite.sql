-- Made by `python -m allgate.storage.statements` from storage/statements.py.

-- name: read_revision
-- The published revision: its number and all configuration as one document.
SELECT revision.number, revision.document
FROM revision
WHERE revision.id = 1;

-- name: read_revision_number
-- Only the number: what a serving node asks for again and again.
SELECT revision.number
FROM revision
WHERE revision.id = 1;

-- name: write_revision
-- Publish a revision; there is one row.
INSERT INTO revision (id, number, published_ms, document) VALUES (:id, :number, :published_ms, :document) ON CONFLICT (id) DO UPDATE SET number = excluded.number, published_ms = excluded.published_ms, document = excluded.document;

-- name: write_upstream
-- Create or change an upstream.
INSERT INTO upstreams (name, provider, base_url, dialects, proxy, ca_file, managed_by, disabled, changed_ms) VALUES (:name, :provider, :base_url, :dialects, :proxy, :ca_file, :managed_by, :disabled, :changed_ms) ON CONFLICT (name) DO UPDATE SET provider = excluded.provider, base_url = excluded.base_url, dialects = excluded.dialects, proxy = excluded.proxy, ca_file = excluded.ca_file, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: delete_credentials
-- Forget the credentials of an upstream, before its present ones are written.
DELETE FROM credentials WHERE credentials.upstream = :upstream;

-- name: write_credential
-- One credential of an upstream, in its place.
INSERT INTO credentials (upstream, position, reference) VALUES (:upstream, :position, :reference);

-- name: write_model
-- Create or change a public model.
INSERT INTO models (name, sheet, output_tokens_default, owned_by, managed_by, disabled, changed_ms) VALUES (:name, :sheet, :output_tokens_default, :owned_by, :managed_by, :disabled, :changed_ms) ON CONFLICT (name) DO UPDATE SET sheet = excluded.sheet, output_tokens_default = excluded.output_tokens_default, owned_by = excluded.owned_by, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: delete_deployments
-- Forget the deployments of a model, before its present ones are written.
DELETE FROM deployments WHERE deployments.public_model = :public_model;

-- name: write_deployment
-- One deployment of a model, in its place.
INSERT INTO deployments (public_model, position, upstream, model, priority, weight, caps) VALUES (:public_model, :position, :upstream, :model, :priority, :weight, :caps);

-- name: write_price
-- A dated price sheet; the same prices under the same name are there already.
INSERT INTO prices (id, name, input, output, cache_read, cache_write_5m, cache_write_1h, reasoning, input_audio, input_image, output_audio, output_image, call, web_search, source, valid_from_ms) VALUES (:id, :name, :input, :output, :cache_read, :cache_write_5m, :cache_write_1h, :reasoning, :input_audio, :input_image, :output_audio, :output_image, :call, :web_search, :source, :valid_from_ms) ON CONFLICT DO NOTHING;

-- name: write_sheet
-- Which prices a sheet's name means now.
INSERT INTO sheets (name, price_id, managed_by, disabled, changed_ms) VALUES (:name, :price_id, :managed_by, :disabled, :changed_ms) ON CONFLICT (name) DO UPDATE SET price_id = excluded.price_id, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: write_account
-- Create or change an account.
INSERT INTO accounts (name, opening_nano_usd, managed_by, disabled, changed_ms) VALUES (:name, :opening_nano_usd, :managed_by, :disabled, :changed_ms) ON CONFLICT (name) DO UPDATE SET opening_nano_usd = excluded.opening_nano_usd, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: write_key
-- Create or change a key.
INSERT INTO keys (account, name, hash, hint, models, networks, expires, loopback_only, managed_by, disabled, changed_ms) VALUES (:account, :name, :hash, :hint, :models, :networks, :expires, :loopback_only, :managed_by, :disabled, :changed_ms) ON CONFLICT (account, name) DO UPDATE SET hash = excluded.hash, hint = excluded.hint, models = excluded.models, networks = excluded.networks, expires = excluded.expires, loopback_only = excluded.loopback_only, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: write_transfer
-- One movement of money; a repeated one is there already.
INSERT INTO transfers (id, kind, debit, credit, amount_nano_usd, at_ms, "key", price, reason) VALUES (:id, :kind, :debit, :credit, :amount_nano_usd, :at_ms, :key, :price, :reason) ON CONFLICT DO NOTHING;

-- name: move_balance
-- Add to an account's balance; a new account starts at zero.
INSERT INTO balances (account, balance_nano_usd) VALUES (:account, :balance_nano_usd) ON CONFLICT (account) DO UPDATE SET balance_nano_usd = (balances.balance_nano_usd + excluded.balance_nano_usd);

-- name: read_balances
-- Every account with its balance.
SELECT balances.account, balances.balance_nano_usd
FROM balances;

-- name: read_balance
-- The balance of one account.
SELECT balances.balance_nano_usd
FROM balances
WHERE balances.account = :account;

-- name: read_transfers
-- What was posted under one id, in the order of its kinds: charge, overage, uncollected.
SELECT transfers.id, transfers.kind, transfers.debit, transfers.credit, transfers.amount_nano_usd, transfers.at_ms, transfers."key", transfers.price, transfers.reason
FROM transfers
WHERE transfers.id = :id ORDER BY transfers.kind;

-- name: expire_requests
-- Forget the oldest log rows of one account, a bounded number of them.
DELETE FROM requests WHERE requests.request_id IN (SELECT requests.request_id
FROM requests
WHERE requests.account = :account AND requests.started_ms < :before_ms
 LIMIT :rows_max OFFSET 0);
