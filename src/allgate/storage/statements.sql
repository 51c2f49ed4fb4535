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
-- Publish the revision that follows the present one; no row is written if somebody else did so before.
INSERT INTO revision (id, number, published_ms, document) VALUES (:id, :number, :published_ms, :document) ON CONFLICT (id) DO UPDATE SET number = excluded.number, published_ms = excluded.published_ms, document = excluded.document WHERE revision.number = excluded.number - 1;

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
INSERT INTO models (name, sheet, output_tokens_default, owned_by, family, aliases, profile, rules, family_rules, free, managed_by, disabled, changed_ms) VALUES (:name, :sheet, :output_tokens_default, :owned_by, :family, :aliases, :profile, :rules, :family_rules, :free, :managed_by, :disabled, :changed_ms) ON CONFLICT (name) DO UPDATE SET sheet = excluded.sheet, output_tokens_default = excluded.output_tokens_default, owned_by = excluded.owned_by, family = excluded.family, aliases = excluded.aliases, profile = excluded.profile, rules = excluded.rules, family_rules = excluded.family_rules, free = excluded.free, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: delete_deployments
-- Forget the deployments of a model, before its present ones are written.
DELETE FROM deployments WHERE deployments.public_model = :public_model;

-- name: write_deployment
-- One deployment of a model, in its place.
INSERT INTO deployments (public_model, position, upstream, model, priority, weight, caps, rules) VALUES (:public_model, :position, :upstream, :model, :priority, :weight, :caps, :rules);

-- name: write_price
-- A dated price sheet; the same prices under the same name are there already.
INSERT INTO prices (id, name, input, output, cache_read, cache_write_5m, cache_write_1h, reasoning, input_audio, input_image, input_video, output_audio, output_image, call, second, character, web_search, web_fetch, code_execution, file_search, images, variants, source, valid_from_ms) VALUES (:id, :name, :input, :output, :cache_read, :cache_write_5m, :cache_write_1h, :reasoning, :input_audio, :input_image, :input_video, :output_audio, :output_image, :call, :second, :character, :web_search, :web_fetch, :code_execution, :file_search, :images, :variants, :source, :valid_from_ms) ON CONFLICT DO NOTHING;

-- name: write_sheet
-- Which prices a sheet's name means now.
INSERT INTO sheets (name, price_id, managed_by, disabled, changed_ms) VALUES (:name, :price_id, :managed_by, :disabled, :changed_ms) ON CONFLICT (name) DO UPDATE SET price_id = excluded.price_id, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: write_group
-- Create or change a group.
INSERT INTO groups (name, ratio, model_ratios, budget, hold, managed_by, disabled, changed_ms) VALUES (:name, :ratio, :model_ratios, :budget, :hold, :managed_by, :disabled, :changed_ms) ON CONFLICT (name) DO UPDATE SET ratio = excluded.ratio, model_ratios = excluded.model_ratios, budget = excluded.budget, hold = excluded.hold, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: write_account
-- Create or change an account.
INSERT INTO accounts (name, opening_nano_usd, member_of, managed_by, disabled, changed_ms) VALUES (:name, :opening_nano_usd, :member_of, :managed_by, :disabled, :changed_ms) ON CONFLICT (name) DO UPDATE SET opening_nano_usd = excluded.opening_nano_usd, member_of = excluded.member_of, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: write_key
-- Create or change a key.
INSERT INTO keys (account, name, hash, hint, models, dialects, networks, expires, loopback_only, budget, previous, managed_by, disabled, changed_ms) VALUES (:account, :name, :hash, :hint, :models, :dialects, :networks, :expires, :loopback_only, :budget, :previous, :managed_by, :disabled, :changed_ms) ON CONFLICT (account, name) DO UPDATE SET hash = excluded.hash, hint = excluded.hint, models = excluded.models, dialects = excluded.dialects, networks = excluded.networks, expires = excluded.expires, loopback_only = excluded.loopback_only, budget = excluded.budget, previous = excluded.previous, managed_by = excluded.managed_by, disabled = excluded.disabled, changed_ms = excluded.changed_ms;

-- name: write_transfer
-- One movement of money; a repeated one is there already.
INSERT INTO transfers (id, kind, debit, credit, amount_nano_usd, at_ms, "key", price, reason) VALUES (:id, :kind, :debit, :credit, :amount_nano_usd, :at_ms, :key, :price, :reason) ON CONFLICT DO NOTHING;

-- name: add_to_balance
-- Add to an account's balance, if it has one.
UPDATE balances SET balance_nano_usd=(balances.balance_nano_usd + :change) WHERE balances.account = :account;

-- name: open_balance
-- Add to an account's balance; a new account starts at zero.
INSERT INTO balances (account, balance_nano_usd) VALUES (:account, :balance_nano_usd) ON CONFLICT (account) DO UPDATE SET balance_nano_usd = (balances.balance_nano_usd + excluded.balance_nano_usd);

-- name: read_available
-- The balance of one account less what is set aside of it.
SELECT balances.balance_nano_usd - balances.pending_nano_usd AS anon_1
FROM balances
WHERE balances.account = :account;

-- name: read_balances
-- Every account with its balance.
SELECT balances.account, balances.balance_nano_usd
FROM balances;

-- name: read_balance
-- The balance of one account.
SELECT balances.balance_nano_usd
FROM balances
WHERE balances.account = :account;

-- name: read_movements
-- What all transfers of each pair of accounts add up to, and how many they are.
SELECT transfers.debit, transfers.credit, CAST(sum(transfers.amount_nano_usd) AS BIGINT) AS sum_1, count(*) AS count_1
FROM transfers GROUP BY transfers.debit, transfers.credit;

-- name: read_openings
-- Every account with the balance that it was promised, and the one that it was opened with (null: never).
SELECT accounts.name, accounts.opening_nano_usd, (SELECT transfers.amount_nano_usd
FROM transfers
WHERE transfers.id = ('opening:' || accounts.name) AND transfers.kind = 'opening') AS anon_1
FROM accounts;

-- name: read_charged_lines
-- Every line of the request log with its usage, what it says was charged, and what was transferred (null: nothing).
SELECT requests.request_id, requests.price, requests.charged_nano_usd, (SELECT CAST(sum(transfers.amount_nano_usd) AS BIGINT) AS sum_1
FROM transfers
WHERE transfers.id = requests.request_id) AS anon_1, requests.input_tokens, requests.output_tokens, requests.cache_read_tokens, requests.cache_write_5m_tokens, requests.cache_write_1h_tokens, requests.cache_write_tokens, requests.reasoning_tokens, requests.usage_rest, requests.estimated
FROM requests;

-- name: count_charges_without_line
-- Charges whose line of the request log was lost in a crash, or deleted by its age.
SELECT count(*) AS count_1
FROM transfers
WHERE transfers.kind = 'charge' AND NOT (EXISTS (SELECT *
FROM requests
WHERE requests.request_id = transfers.id));

-- name: read_granted
-- All that was ever added to an account: its opening balance, its top-ups and corrections, which lie together.
SELECT coalesce(CAST(sum(transfers.amount_nano_usd) AS BIGINT), 0) AS coalesce_1
FROM transfers
WHERE transfers.credit = :account AND (transfers.id = ('opening:' || :account) OR transfers.id >= 'topup:' AND transfers.id < 'topup;' OR transfers.id >= 'correction:' AND transfers.id < 'correction;');

-- name: read_debited
-- All that operators took from an account again.
SELECT coalesce(CAST(sum(transfers.amount_nano_usd) AS BIGINT), 0) AS coalesce_1
FROM transfers
WHERE transfers.debit = :account AND transfers.id >= 'debit:' AND transfers.id < 'debit;';

-- name: read_corrected
-- What was given back of a request's charge: the transfers whose ids begin with it.
SELECT coalesce(CAST(sum(transfers.amount_nano_usd) AS BIGINT), 0) AS coalesce_1
FROM transfers
WHERE transfers.id >= :from_id AND transfers.id < :before_id;

-- name: read_spent
-- What an account paid for requests whose ids lie in a range, which is a range of time.
SELECT coalesce(CAST(sum(transfers.amount_nano_usd) AS BIGINT), 0) AS coalesce_1
FROM transfers
WHERE transfers.id >= :from_id AND transfers.id < :before_id AND transfers.debit = :account;

-- name: read_spent_by_key
-- What each account paid with each of its keys, for requests from an id on.
SELECT transfers.debit, transfers."key", CAST(sum(transfers.amount_nano_usd) AS BIGINT) AS sum_1
FROM transfers
WHERE transfers.id >= :from_id AND transfers.id < 'req`' GROUP BY transfers.debit, transfers."key";

-- name: lock_budget_window
-- Make a window of a budget, or lock the one that is there.
INSERT INTO budget_windows (scope, kind, start_ms, spent_nano_usd) VALUES (:scope, :kind, :start_ms, :spent_nano_usd) ON CONFLICT (scope, kind, start_ms) DO UPDATE SET spent_nano_usd = budget_windows.spent_nano_usd;

-- name: write_budget_window
-- What a window has spent, as the transfers say.
INSERT INTO budget_windows (scope, kind, start_ms, spent_nano_usd) VALUES (:scope, :kind, :start_ms, :spent_nano_usd) ON CONFLICT (scope, kind, start_ms) DO UPDATE SET spent_nano_usd = excluded.spent_nano_usd;

-- name: expire_budget_windows
-- Forget the windows of earlier months.
DELETE FROM budget_windows WHERE budget_windows.kind != 'total' AND budget_windows.start_ms < :before_ms;

-- name: read_request
-- A line of the request log, if it is this account's.
SELECT requests.request_id, requests.started_ms, requests.account, requests."key", requests.dialect, requests.operation, requests.model, requests.upstream, requests.upstream_model, requests.upstream_dialect, requests.passthrough, requests.stream, requests.status, requests.outcome, requests.attempts, requests.duration_ms, requests.first_byte_ms, requests.charged_nano_usd, requests.hold_nano_usd, requests.price, requests.error, requests.notes, requests.user_agent, requests.input_tokens, requests.output_tokens, requests.cache_read_tokens, requests.cache_write_5m_tokens, requests.cache_write_1h_tokens, requests.cache_write_tokens, requests.reasoning_tokens, requests.usage_rest, requests.estimated
FROM requests
WHERE requests.request_id = :request_id AND requests.account = :account;

-- name: read_price
-- A dated price sheet.
SELECT prices.id, prices.name, prices.input, prices.output, prices.cache_read, prices.cache_write_5m, prices.cache_write_1h, prices.reasoning, prices.input_audio, prices.input_image, prices.input_video, prices.output_audio, prices.output_image, prices.call, prices.second, prices.character, prices.web_search, prices.web_fetch, prices.code_execution, prices.file_search, prices.images, prices.variants, prices.source, prices.valid_from_ms
FROM prices
WHERE prices.id = :id;

-- name: read_price_dates
-- Every version of a sheet, and since when it was in force; the newest first.
SELECT prices.id, prices.valid_from_ms
FROM prices
WHERE prices.name = :name ORDER BY prices.valid_from_ms DESC, prices.id;

-- name: read_transfers
-- What was posted under one id, in the order of its kinds: charge, overage, uncollected.
SELECT transfers.id, transfers.kind, transfers.debit, transfers.credit, transfers.amount_nano_usd, transfers.at_ms, transfers."key", transfers.price, transfers.reason
FROM transfers
WHERE transfers.id = :id ORDER BY transfers.kind;

-- name: export_transfers
-- Transfers of a range of time behind the last one that was read, in the order of their ids.
SELECT transfers.id, transfers.kind, transfers.debit, transfers.credit, transfers.amount_nano_usd, transfers.at_ms, transfers."key", transfers.price, transfers.reason
FROM transfers
WHERE (transfers.id, transfers.kind) > (:after_id, :after_kind) AND transfers.at_ms >= :from_ms AND transfers.at_ms < :before_ms ORDER BY transfers.id, transfers.kind
 LIMIT :rows_max OFFSET 0;

-- name: export_requests
-- Lines of the request log of a range of time behind the last one that was read, in the order of their ids.
SELECT requests.request_id, requests.started_ms, requests.account, requests."key", requests.dialect, requests.operation, requests.model, requests.upstream, requests.upstream_model, requests.upstream_dialect, requests.passthrough, requests.stream, requests.status, requests.outcome, requests.attempts, requests.duration_ms, requests.first_byte_ms, requests.charged_nano_usd, requests.hold_nano_usd, requests.price, requests.error, requests.notes, requests.user_agent, requests.input_tokens, requests.output_tokens, requests.cache_read_tokens, requests.cache_write_5m_tokens, requests.cache_write_1h_tokens, requests.cache_write_tokens, requests.reasoning_tokens, requests.usage_rest, requests.estimated
FROM requests
WHERE requests.request_id > :after_id AND requests.started_ms >= :from_ms AND requests.started_ms < :before_ms ORDER BY requests.request_id
 LIMIT :rows_max OFFSET 0;

-- name: read_output_sizes
-- How long the newest answers were, and of which models; the newest first.
SELECT requests.model, requests.outcome, requests.output_tokens
FROM requests ORDER BY requests.request_id DESC
 LIMIT :rows_max OFFSET 0;

-- name: expire_requests
-- Forget a bounded number of log rows whose ids lie in a range, which is a range of time.
DELETE FROM requests WHERE requests.request_id IN (SELECT requests.request_id
FROM requests
WHERE requests.request_id >= :from_id AND requests.request_id < :before_id
 LIMIT :rows_max OFFSET 0);

-- name: write_response
-- Keep a response; a provider that uses an id twice means the newer one.
INSERT INTO responses (account, id, parent, root, model, created_ms, input, answer, lost) VALUES (:account, :id, :parent, :root, :model, :created_ms, :input, :answer, :lost) ON CONFLICT (account, id) DO UPDATE SET parent = excluded.parent, root = excluded.root, model = excluded.model, created_ms = excluded.created_ms, input = excluded.input, answer = excluded.answer, lost = excluded.lost;

-- name: write_response_item
-- Where an output item stands; the newest response that has it counts.
INSERT INTO response_items (account, item, response) VALUES (:account, :item, :response) ON CONFLICT (account, item) DO UPDATE SET response = excluded.response;

-- name: read_response
-- A kept response of one account.
SELECT responses.account, responses.id, responses.parent, responses.root, responses.model, responses.created_ms, responses.input, responses.answer, responses.lost
FROM responses
WHERE responses.account = :account AND responses.id = :id;

-- name: read_response_of_item
-- The kept response of one account in which an output item stands.
SELECT responses.account, responses.id, responses.parent, responses.root, responses.model, responses.created_ms, responses.input, responses.answer, responses.lost
FROM responses JOIN response_items ON response_items.account = responses.account AND response_items.response = responses.id
WHERE response_items.account = :account AND response_items.item = :item;

-- name: delete_response
-- Forget a response.
DELETE FROM responses WHERE responses.account = :account AND responses.id = :id;

-- name: delete_response_items
-- Forget where the items of a response stand.
DELETE FROM response_items WHERE response_items.account = :account AND response_items.response = :id;

-- name: read_expired_responses
-- Responses that are too old, of conversations in which nothing is newer, a bounded number of them.
SELECT responses.account, responses.id
FROM responses
WHERE responses.created_ms < :before_ms AND NOT (EXISTS (SELECT *
FROM responses AS newer
WHERE newer.account = responses.account AND newer.root = responses.root AND newer.created_ms >= :before_ms))
 LIMIT :rows_max OFFSET 0;
