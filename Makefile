# `make` lists the targets. Each target sets up what it needs; nothing has to be run first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PACKAGES := app erpcore governance readiness training

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment is made again only when the lock or the project's metadata changed.
$(INSTALLED): requirements.lock pyproject.toml
	@echo "Making $(VENV) from requirements.lock ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Wavegate needs Python 3.11 or later; '$(PYTHON)' is older. Name another: make PYTHON=python3.12"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) || .ci/make-venv $(PYTHON) $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@touch $@

.PHONY: setup
setup: $(INSTALLED) ## make .venv from the lock, and install system libraries where allowed
	@.ci/system-packages pdf browser
	@echo "Ready: $(BIN)/wavegate --help"

.PHONY: demo
demo: $(INSTALLED) ## build the demo programme and serve it on loopback (SERVE=0: stop after the table)
	@.ci/system-packages pdf
	@SERVE='$(SERVE)'; $(BIN)/wavegate demo $$([ "$$SERVE" = 0 ] && echo --no-serve)

.PHONY: test
test: $(INSTALLED) ## run all tests, on SQLite and PostgreSQL
	@.ci/system-packages pdf browser
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

.PHONY: check
check: $(INSTALLED) ## format, lint, types, import contracts, architecture tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture

.PHONY: bench
bench: $(INSTALLED) ## measure speed and memory against raw floors of the same run
	@$(BIN)/python -m benchmarks.run $(ARGS)

.PHONY: serve
serve: $(INSTALLED) ## bring the database of WAVEGATE_DATABASE_URL up to date and serve the site
	@$(BIN)/wavegate db upgrade
	@$(BIN)/wavegate serve $(ARGS)

.PHONY: lock
lock: $(INSTALLED) ## resolve pyproject.toml again into requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --group dev pyproject.toml -o requirements.lock
	@if grep -n '://' requirements.lock; then echo "The lock names an address; it must not."; exit 1; fi

.PHONY: clean
clean: ## remove .venv and what the tools wrote; data under instance/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results dist
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
