# Needs only python3 (>= 3.11), make and a shell.

SHELL  := /bin/sh
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
LOCK   := build/lock-venv
UV     := $(LOCK)/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-jit test-nojit mutants serve lint format bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; set PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --only-binary :all: --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

venv: $(STAMP) ## Create .venv with the pinned packages

demo: $(STAMP) ## Run the demonstration
	$(BIN)/carbonbook demo

test: test-jit test-nojit ## Run all tests, compiled and then interpreted under coverage

test-jit: $(STAMP) ## Run the tests with compiled kernels
	$(BIN)/python -m pytest

test-nojit: $(STAMP) ## Run the tests marked nojit without compilation, under coverage
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m coverage run -m pytest -m nojit tests
	$(BIN)/python -m coverage report

mutants: $(STAMP) ## Check that the tests notice seeded faults
	$(BIN)/python -m tests.mutants

serve: $(STAMP) ## Run the gateway
	$(BIN)/carbonbook serve

lint: $(STAMP) ## Check style, formatting and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy engine gateway replay benchmarks

format: $(STAMP) ## Reformat the code and apply safe fixes
	$(BIN)/python -m ruff check --fix-only .
	$(BIN)/python -m ruff format .

bench: $(STAMP) ## Measure the matching engine
	$(BIN)/carbonbook bench engine

lock: ## Regenerate the pinned requirement files from pyproject.toml
	@test -x $(UV) || { $(PYTHON) -m venv $(LOCK) && $(LOCK)/bin/python -m pip install --quiet uv==0.13.9; }
	$(COMPILE) --upgrade -o requirements.txt pyproject.toml
	$(COMPILE) --upgrade --extra dev -o requirements-dev.txt pyproject.toml

clean: ## Remove everything the other targets create, except journals
	rm -rf $(VENV) build dist .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis .numba_cache
	rm -rf *.egg-info
	find . -type d -name __pycache__ -prune -exec rm -rf {} +
