# The front door: `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# what is installed: what the demo needs (the service and the batch), or what the tests need, too
USABLE := $(VENV)/.usable
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo run test test-quick check format cover bench bench-quick bench-scaling bench-growth docs images cluster clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(USABLE) ## The whole way in under a minute: a small world, a batch, recommendations over HTTP
	$(BIN)/webrec demo

run: $(USABLE) ## The service on http://127.0.0.1:8080
	$(BIN)/webrec serve

test: $(READY) ## All tests
	$(BIN)/python -m pytest

test-quick: $(READY) ## The tests that take less than two minutes in all
	$(BIN)/python -m pytest -m "not slow"

check: $(READY) ## Format, lint, types, import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Bring the code into its form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

cover: $(READY) ## All tests with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

bench: $(READY) ## The reference experiment, beside the published figures: latency of the service
	$(BIN)/webrec bench

bench-quick: $(READY) ## A smaller one, in a minute; AGAINST=<commit> measures that commit beside it
ifdef AGAINST
	@there=$$(mktemp -d) && trap 'rm -rf "$$there"; git worktree prune' EXIT && trap 'exit 1' INT TERM && \
		git worktree add --quiet --detach "$$there/webrec" "$(AGAINST)" && \
		$(BIN)/webrec bench --quick --folder webrec-bench/quick --against "$$there/webrec"
else
	$(BIN)/webrec bench --quick --folder webrec-bench/quick
endif

bench-scaling: $(READY) ## The same while the world grows, to a million URLs and users: an hour
	$(BIN)/webrec bench scaling

bench-growth: bench-scaling # its former name

docs: $(READY) ## Write the reference pages that come from the code
	$(BIN)/python -m tests.support.docs_from_code

images: ## Docker images: the service (webrec), a cluster for tests and trials (webrec-cluster)
	docker build --file docker/service/Dockerfile --tag webrec .
	docker build --tag webrec-cluster docker/cluster

cluster: $(READY) ## HBase and HDFS in a container, until Ctrl-C
	$(BIN)/python -m tests.support.cluster

clean: ## Take away what make made
	rm -rf $(VENV) build *.egg-info .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis webrec-bench

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "webrec needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
NEEDS := setup.cfg pyproject.toml constraints.txt

$(USABLE): $(NEEDS) | $(VENV)/bin/python
	$(INSTALL) '.[batch]'
	touch $@

$(READY): $(NEEDS) | $(VENV)/bin/python
	$(INSTALL) '.[dev]'
	touch $@ $(USABLE)
