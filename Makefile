# The menu of this house. `make help` lists the verbs; each makes .venv first when it is missing.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.made: requirements.lock pyproject.toml
	@echo "packhouse: making $(VENV) with the locked dependencies"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "packhouse: Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Name another with PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/packhouse assets build >/dev/null
	@touch $@

setup: $(VENV)/.made ## Make .venv with the locked dependencies

up: setup ## Run the whole shop on embedded servers at http://127.0.0.1:8000
	@$(BIN)/packhouse up

test: setup ## Run every test that pip alone can supply
	@$(BIN)/python -m pytest -m "not browser and not peers and not scale and not citus" --numprocesses $(WORKERS) --dist loadgroup

test-browser: setup ## Walk the shop in a real Chromium (needs Debian's chromium package)
	@$(BIN)/python -m pytest -m browser tests/browser

test-peers: setup ## Measure the Express and FastAPI peers for a second each (needs Node, npm and wrk)
	@$(BIN)/python -m pytest -m peers tests/peers

$(VENV)-scale/.made: requirements-scale.lock
	@echo "packhouse: making $(VENV)-scale with what the tests of scale run beside the shop"
	@$(PYTHON) -m venv $(VENV)-scale
	@$(VENV)-scale/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary python-etcd,ydiff --require-hashes --requirement requirements-scale.lock
	@touch $@

test-scale: setup $(VENV)-scale/.made ## Balancers, replicas, failover, caches, as real processes (needs Debian's haproxy, nginx-light, varnish, etcd-server)
	@$(BIN)/python -m pytest -m scale tests/scale

$(VENV)-loadtest/.made: requirements-loadtest.lock
	@echo "packhouse: making $(VENV)-loadtest with Locust"
	@$(PYTHON) -m venv $(VENV)-loadtest
	@$(VENV)-loadtest/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement requirements-loadtest.lock
	@touch $@

USERS ?= 50
TIME ?= 1m
HOST ?= http://127.0.0.1:8000
RESULTS ?= .packhouse/load-tests
loadtest: $(VENV)-loadtest/.made ## Load a shop of yours for tests: HOST=… USERS=… TIME=…, headless; fails beyond the plan's targets
	@PACKHOUSE_LOADTEST_RESULTS=$(RESULTS) $(VENV)-loadtest/bin/locust -f loadtest/locustfile.py --headless --only-summary --users $(USERS) --spawn-rate 10 --run-time $(TIME) --host $(HOST)

test-citus: setup ## The shop on a Citus cluster, named by PACKHOUSE_TEST_CITUS_URL
	@$(BIN)/python -m pytest -m citus tests/citus

pictures: setup ## Take the README's pictures anew (needs Debian's chromium package)
	@README_PICTURES=docs/images $(BIN)/python -m pytest -m browser tests/browser/test_readme_pictures.py

check: setup ## Formatter, linter, import contracts and strict typing
	@$(BIN)/ruff format --check src tests
	@$(BIN)/ruff check src tests
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy

fix: setup ## Let the formatter and the linter repair what they can
	@$(BIN)/ruff format src tests
	@$(BIN)/ruff check --fix src tests

lock: setup ## Choose newest versions within pyproject.toml and write the locks
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade --output-file requirements-image.lock
	@$(BIN)/uv pip compile --group loadtest --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade --output-file requirements-loadtest.lock
	@$(BIN)/uv pip compile --group scale --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade --output-file requirements-scale.lock

clean: ## Remove .venv and caches (never the shop's data)
	@rm -rf $(VENV) $(VENV)-scale $(VENV)-loadtest .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help setup up test test-browser test-peers test-scale test-citus loadtest pictures check fix lock clean
