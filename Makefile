# One word per job. Each works on a fresh checkout: `setup` is a prerequisite, and does nothing when it is done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FAULT_TESTS := tests/integration/test_views_under_faults.py tests/integration/test_views_through_a_bad_network.py \
	tests/integration/test_unclear_replies.py tests/acceptance/test_two_servers.py tests/acceptance/test_cluster_under_chaos.py \
	tests/acceptance/test_schedules_chaos.py
# What people do first, and what other packages' new versions have broken: the demo, the guides, stored code, schedules, retries, pages.
MAIN_TESTS := tests/acceptance/test_readme.py tests/unit/test_agent_failures.py tests/unit/sdk/test_sdk_pickling.py \
	tests/unit/sdk/test_sdk_retries_and_signals.py tests/unit/sdk/test_sdk_schedules.py tests/integration/test_agent_runs.py \
	tests/integration/test_agent_long_retries.py tests/integration/test_web_pages.py tests/integration/test_web_graphql.py \
	tests/unit/sdk/test_sdk_storage.py tests/unit/sdk/test_sdk_building_flows.py tests/unit/sdk/test_sdk_mapping.py \
	tests/unit/sdk/test_sdk_control_flow.py tests/unit/sdk/test_sdk_metadata_and_hash.py tests/unit/sdk/test_sdk_task_library.py \
	tests/integration/test_sdk_multiprocessing.py
# The flow language, which other versions of Python change most: its unit tests, storage and pickles among them, processes of tasks, and one journey.
LANGUAGE_TESTS := tests/unit/sdk tests/integration/test_sdk_multiprocessing.py tests/integration/test_agent_runs.py \
	tests/acceptance/test_readme.py::test_the_quickstart_works_as_it_is_written
# Where these are tested with other versions than everybody's: made anew each time.
LATEST := $(VENV)-latest
OLDEST := $(VENV)-oldest
MATRIX := $(VENV)-matrix

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-latest test-oldest test-matrix check format bench bench-scale docs screenshots browser lock golden simulate soak chaos faults mutants clouds clean

help:  ## Print these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# In two steps: who only wants to see it needs a fifth of what developing it needs. pip says what it is doing.
$(VENV)/runs: pyproject.toml constraints.txt
	@echo "Installing Headwater and what its server needs into $(VENV): about 50 packages, 200 MB on disk. Only the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --constraint constraints.txt --editable '.[server]'
	@touch $@

$(VENV)/installed: $(VENV)/runs
	@echo "Installing what developing needs into $(VENV): about 100 packages more, 750 MB on disk. Only the first time."
	$(BIN)/pip install --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(VENV)/installed  ## Make the environment in .venv, with everything the other words need

demo: $(VENV)/runs  ## Start everything, run a flow, show what happened, end everything
	$(BIN)/headwater demo

test: setup  ## Run all tests against a real NATS server and a real PostgreSQL, started by the tests
	$(BIN)/pytest -n 3 --dist loadfile

test-latest:  ## Test the main paths with what `pip install` brings today, without constraints
	$(PYTHON) -m venv --clear $(LATEST)
	$(LATEST)/bin/pip install --quiet --editable '.[server,test]'
	$(LATEST)/bin/pip freeze --exclude-editable | grep --invert-match --line-regexp --fixed-strings --file constraints.txt || true
	$(LATEST)/bin/pytest -n 2 --dist worksteal $(MAIN_TESTS)

test-oldest:  ## Test the main paths with the oldest versions that pyproject.toml lets in
	$(PYTHON) -m venv --clear $(OLDEST)
	$(PYTHON) tests/harness/oldest_versions.py > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/pip install --quiet --constraint $(OLDEST)/constraints.txt --editable '.[server,test]'
	$(OLDEST)/bin/pytest -n 2 --dist worksteal $(MAIN_TESTS)

test-matrix:  ## Test the flow language with every supported Python that is on this machine, and say which are not
	@failed=; for python in $$($(PYTHON) tests/harness/python_versions.py); do \
		echo "== $$($$python --version)"; \
		$$python -m venv --clear $(MATRIX) \
		&& $(MATRIX)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]' \
		&& $(MATRIX)/bin/pytest -n 2 --dist worksteal $(LANGUAGE_TESTS) || failed="$$failed $$python"; \
	done; test -z "$$failed" || { echo "Failed with:$$failed" >&2; exit 1; }

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

bench-scale: setup  ## The same for a million runs: views, run monitor and listings; RUNS=100000 for fewer
	$(BIN)/python -P benchmarks/scale.py --runs $(or $(RUNS),1000000)
	$(BIN)/python -P benchmarks/listing.py --runs $(or $(RUNS),1000000)

docs: setup  ## Write docs/reference/ and projections/schema.sql from the code
	$(BIN)/python docs/generate.py

screenshots: setup  ## Take the pictures of every page for the documentation (needs Chromium)
	$(BIN)/python -P docs/screenshots.py

browser:  ## Install the Chromium of Debian, which the tests of the pages drive
	command -v chromium || (apt-get update && apt-get install --yes --no-install-recommends chromium)

lock: setup  ## Write down the versions installed now as those that everybody gets
	{ head -n 1 constraints.txt; $(BIN)/pip freeze --exclude-editable; } > constraints.new && mv constraints.new constraints.txt

golden: setup  ## Write golden files for events that have none yet
	$(BIN)/python tests/harness/golden_events.py

simulate: setup  ## Live through the history of one seed in virtual time: make simulate SEED=42
	PYTHONPATH=tests $(BIN)/python -m simulation.simulate --trace --seed $(or $(SEED),1)

soak: setup  ## Live through histories of chance for so long: make soak MINUTES=10
	PYTHONPATH=tests $(BIN)/python -m simulation.simulate --minutes $(or $(MINUTES),1)

chaos: setup  ## Kill something real every second for 5 minutes while 1,000 runs are executed
	PYTHONPATH=tests $(BIN)/python -m simulation.chaos --seconds $(or $(SECONDS),300) --runs $(or $(RUNS),1000) $(if $(SEED),--seed $(SEED))

faults: setup  ## What the tests do a little, at length: 100 projectors and 20 leaders killed, minutes without PostgreSQL; about 12 minutes
	FAULTS=full UNCLEAR_COMMANDS=1000 $(BIN)/pytest -s --timeout 1800 $(FAULT_TESTS)

mutants: setup  ## Break the rules in 2,000 small ways, and tell which their tests do not notice; about 5 minutes. ONLY=core/runs/restart.py: one module
	$(BIN)/pip install --quiet 'mutmut>=3.8,<4'
	PYTHONPATH=tests $(BIN)/python -P -m mutation.mutants $(if $(ONLY),--only $(ONLY)) $(if $(JOBS),--jobs $(JOBS))

clouds: setup  ## Keep results in the emulators of Google's and Azure's storage, which this installs
	$(BIN)/pip install --quiet '.[gcs,azure]' gcp-storage-emulator
	npm install --silent --no-save --prefix $(VENV) azurite
	PATH="$(CURDIR)/$(VENV)/node_modules/.bin:$$PATH" $(BIN)/pytest -rs tests/integration/test_sdk_clouds.py

clean:  ## Remove what was made here
	rm -rf $(VENV) $(LATEST) $(OLDEST) $(MATRIX) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
