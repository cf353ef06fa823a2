# `make demo` and `make test` set everything up themselves: Python 3.11 or newer is all they need.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test peers lint types check generate clean

demo: .venv/.runs
	@$(BIN)/persona-block demo

test: .venv/.ready
	$(BIN)/pytest -n auto

# Other people's checks of the MCP server, from the npm registry; without them their tests are skipped.
peers:
	npm install --prefix tests/peers --no-package-lock --no-audit --no-fund --loglevel=error

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy

check: lint types test

generate: .venv/.ready
	$(BIN)/python -m scripts.generate

# The demo needs a fraction of what the tests need, and so is ready in a fraction of the time.
.venv/.runs: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[sandbox]'
	@touch $@

.venv/.ready: .venv/.runs
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv dist
