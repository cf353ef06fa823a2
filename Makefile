# `make demo` and `make test` set everything up themselves: Python 3.11 or newer is all they need.
PYTHON ?= python3
BIN := .venv/bin
# Options for pytest, such as ARGS='-k wait'
ARGS ?=
PYTEST := $(BIN)/pytest -n auto --dist worksteal
# What lfx stands on warns of its own ways.
LANGFLOW_PYTEST := .venv-langflow/bin/python -m pytest -n auto --dist worksteal -W default --ignore=tests/hosts/langflow/test_canvas.py tests/hosts/langflow

# With compiled modules kept, the processes that tests start are faster.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test quick soak runtimes peers exports flows export-sim export-n8n frameworks langflow canvas floors bench format lint types check generate docs clean

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/.runs ## play one onboarding on the offline Persona
	@$(BIN)/persona-block demo

test: .venv/.ready ## run the tests; ARGS='-k wait' chooses some, here and in quick and soak
	$(PYTEST) $(ARGS)

quick: .venv/.ready ## run the tests that start no browser and no process and are not slow
	$(PYTEST) --quick --durations=5 --durations-min=1 $(ARGS)

soak: .venv/.ready ## run the soaks, the walks and the properties with their full budget
	$(PYTEST) --hypothesis-profile=full -o faulthandler_timeout=300 -m 'soak or hypothesis' $(ARGS)

runtimes: .venv/.ready ## prove the runtimes in other languages with the full budget; JavaScript needs node
	$(PYTEST) --hypothesis-profile=full tests/runtimes $(ARGS)

# Without them their tests are skipped.
peers: ## install other people's checks of the MCP server from the npm registry
	npm install --prefix tests/peers --no-package-lock --no-audit --no-fund --loglevel=error

# Dify's SDK changes Python's threads and sockets as it is imported, so it has an environment of its own.
exports: .venv/.ready ## test the exported blocks with the SDKs of their platforms, from the package index
	@reason=$$($(MAKE) .venv-dify/.ready 2>&1) || \
		echo "Dify's SDK cannot be had here, so its tests are skipped: $$(echo "$$reason" | grep -m 1 ERROR)"
	$(PYTEST) $(ARGS) tests/export

# Without Postgres its tests are skipped. The campaign is timed, and so runs alone; FLOW_CAMPAIGN_ROWS=5000 makes it larger.
flows: .venv/.ready ## prove durable flows with the full budget: every template, and crashes at every step; needs Postgres
	$(PYTEST) --hypothesis-profile=full -o faulthandler_timeout=300 --ignore=tests/flows/test_campaign.py $(ARGS) tests/flows
	$(BIN)/pytest --hypothesis-profile=full -o faulthandler_timeout=300 -s tests/flows/test_campaign.py

export-sim: .venv/.ready ## check the types of the exported Sim block, and play the test vectors through its tools
	@if reason=$$($(MAKE) --silent tests/export/sim/node_modules/.ready 2>&1); then tests/export/sim/run; else \
		echo "npm's packages cannot be had here, so the Sim block is not run: $$(echo "$$reason" | head -n 1)"; fi

export-n8n: .venv/.ready ## check the types of the exported n8n node, and run it in n8n's own runner of workflows
	@if reason=$$($(MAKE) --silent tests/export/n8n/node_modules/.ready 2>&1); then \
		$(PYTEST) $(ARGS) tests/export/test_n8n.py tests/export/test_n8n_package.py; else \
		echo "npm's packages cannot be had here, so the n8n node is not run: $$(echo "$$reason" | head -n 1)"; fi

frameworks: .venv/.ready ## play a conversation through the own runner of each agent framework, from the package index
	$(BIN)/python -m scripts.frameworks $(ARGS)

# lfx pins what it stands on, and the whole of Langflow is 1.8 GB, so each has an environment of its own.
langflow: .venv/.ready ## test the Langflow component and its example flows with lfx, from the package index
	@if reason=$$($(MAKE) .venv-langflow/.ready 2>&1); then $(LANGFLOW_PYTEST) $(ARGS); else \
		echo "lfx cannot be had here, so the Langflow component is not run: $$(echo "$$reason" | grep -m 1 ERROR)"; fi

canvas: .venv/.ready ## use the block on Langflow's canvas, with a whole Langflow and Chromium, and make its picture
	@if [ ! -x /usr/bin/chromium ]; then echo "Chromium cannot be had here, so the canvas of Langflow is not tried"; \
		elif reason=$$($(MAKE) .venv-canvas/.ready 2>&1); then LANGFLOW_CANVAS=$(or $(LANGFLOW_CANVAS),1) $(BIN)/pytest -s tests/hosts/langflow/test_canvas.py $(ARGS); \
		else echo "Langflow cannot be had here, so its canvas is not tried: $$(echo "$$reason" | grep -m 1 ERROR)"; fi

floors: .venv/.ready ## run tests on the oldest versions that pyproject.toml allows
	$(BIN)/python -m scripts.floors $(ARGS)

bench: .venv/.ready ## print what calls, starts, files and the offline Persona cost, in some five minutes; ARGS=calls for a part
	$(BIN)/python -m benchmarks $(ARGS)

format: .venv/.ready ## mend what ruff can mend, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: .venv/.ready ## check the rules and the format with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready ## check the types with mypy
	$(BIN)/mypy

check: lint types test ## lint, types and test

generate: .venv/.ready ## write the files that are made from others
	$(BIN)/python -m scripts.generate

# Quiet, it would not count warnings; what Material says of other programs is not about the pages.
docs: .venv/.ready ## build the documentation into site/; a link that leads nowhere is an error
	@reason=$$($(MAKE) --silent .venv/mermaid.min.js 2>&1) || \
		echo "Mermaid cannot be had from npm, so the pictures of the architecture stay text: $$(echo "$$reason" | head -n 1)"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict $(ARGS)

# The demo needs a fraction of what the tests need, and so is ready in a fraction of the time.
.venv/.runs: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[sandbox,flows]'
	@touch $@

.venv/.ready: .venv/.runs
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

.venv-dify/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-dify
	.venv-dify/bin/python -m pip install --quiet --upgrade pip
	.venv-dify/bin/python -m pip install --quiet --editable '.[dify]'
	@touch $@

.venv-langflow/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-langflow
	.venv-langflow/bin/python -m pip install --quiet --upgrade pip
	.venv-langflow/bin/python -m pip install --quiet --editable '.[langflow]' 'lfx-slack>=0.2,<1' pytest pytest-asyncio pytest-xdist hypothesis
	@touch $@

.venv-canvas/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-canvas
	.venv-canvas/bin/python -m pip install --quiet --upgrade pip
	.venv-canvas/bin/python -m pip install --quiet --editable '.[langflow]' 'langflow-base>=1.13,<1.14' 'lfx-slack>=0.2,<1'
	@touch $@

# One file of the package, without what others would need to build it.
.venv/mermaid.min.js:
	@mkdir -p .venv/mermaid
	npm pack --silent --pack-destination .venv/mermaid mermaid@11 > .venv/mermaid/name
	tar -xzf .venv/mermaid/$$(cat .venv/mermaid/name) -C .venv/mermaid package/dist/mermaid.min.js
	@mv .venv/mermaid/package/dist/mermaid.min.js $@
	@rm -r .venv/mermaid

# Their install scripts compile what no test needs.
tests/export/n8n/node_modules/.ready: tests/export/n8n/package.json
	npm install --prefix tests/export/n8n --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

tests/export/sim/node_modules/.ready: tests/export/sim/package.json
	npm install --prefix tests/export/sim --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

clean: ## remove the environment, what was built and what tools remember
	rm -rf .venv .venv-dify .venv-langflow .venv-canvas dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
