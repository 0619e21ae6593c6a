# One word per job. Each works on a fresh checkout: `setup` is a prerequisite, and does nothing when it is done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FAULT_TESTS := tests/integration/test_views_under_faults.py tests/integration/test_views_through_a_bad_network.py \
	tests/integration/test_unclear_replies.py tests/acceptance/test_two_servers.py tests/acceptance/test_cluster_under_chaos.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench docs screenshots browser golden simulate soak chaos faults clouds clean

help:  ## Print these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(VENV)/installed  ## Make the environment in .venv, with everything the other words need

demo: setup  ## Start everything, run a flow, show what happened, end everything
	$(BIN)/headwater demo

test: setup  ## Run all tests against a real NATS server and a real PostgreSQL, started by the tests
	$(BIN)/pytest -n 3 --dist loadfile

check: setup  ## Lint, check formatting, types and the arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## Format the code
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: setup  ## Measure: the floor and ours in one run, with ratios
	$(BIN)/python -m benchmarks

docs: setup  ## Write the generated references under docs/reference/
	$(BIN)/python docs/generate.py

screenshots: setup  ## Take the pictures of every page for the documentation (needs Chromium)
	$(BIN)/python -P docs/screenshots.py

browser:  ## Install the Chromium of Debian, which the tests of the pages drive
	command -v chromium || (apt-get update && apt-get install --yes --no-install-recommends chromium)

lock: setup  ## Write down the versions installed now as those that everybody gets
	{ head -n 1 constraints.txt; $(BIN)/pip freeze --exclude-editable; } > constraints.new && mv constraints.new constraints.txt

golden: setup  ## Write golden files for events that have none yet
	$(BIN)/python tests/golden_events.py

simulate: setup  ## Live through the history of one seed in virtual time: make simulate SEED=42
	PYTHONPATH=tests $(BIN)/python -m simulation.simulate --trace --seed $(or $(SEED),1)

soak: setup  ## Live through histories of chance for so long: make soak MINUTES=10
	PYTHONPATH=tests $(BIN)/python -m simulation.simulate --minutes $(or $(MINUTES),1)

chaos: setup  ## Kill something real every second for 5 minutes while 1,000 runs are executed
	PYTHONPATH=tests $(BIN)/python -m simulation.chaos --seconds $(or $(SECONDS),300) --runs $(or $(RUNS),1000) $(if $(SEED),--seed $(SEED))

faults: setup  ## What the tests do a little, at length: 100 projectors and 20 leaders killed, minutes without PostgreSQL; about 12 minutes
	FAULTS=full UNCLEAR_COMMANDS=1000 $(BIN)/pytest -s --timeout 1800 $(FAULT_TESTS)

clouds: setup  ## Keep results in the emulators of Google's and Azure's storage, which this installs
	$(BIN)/pip install --quiet '.[gcs,azure]' gcp-storage-emulator
	npm install --silent --no-save --prefix $(VENV) azurite
	PATH="$(CURDIR)/$(VENV)/node_modules/.bin:$$PATH" $(BIN)/pytest -rs tests/integration/test_sdk_clouds.py

clean:  ## Remove what was made here
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
