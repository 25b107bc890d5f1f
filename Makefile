# Everything runs in .venv, which each target sets up by itself. Needs only Python 3.11 or later and make.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help report test lab lint format notebooks bench lock clean

help:  ## Show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

report: $(READY)  ## Make the reports of the built-in data: reports/demo/2017-12-31/index.html
	$(BIN)/crm-analysis run demo

test: $(READY)  ## Run all tests: package, notebooks, browser, JupyterLab
	$(BIN)/python -m pytest tests crm_analysis --numprocesses auto --dist loadfile --cov --cov-report=term
	$(BIN)/python -m pytest --nbval --nbval-current-env notebooks

lab: $(READY)  ## Open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

lint: $(READY)  ## Check style, types, layers and docstrings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/numpydoc lint $(shell find crm_analysis -name '*.py')

format: $(READY)  ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

notebooks: $(READY)  ## Renew the baseline: committed outputs and tests/data/results.json
	$(BIN)/python tests/renew_baseline.py

bench: $(READY)  ## Run the benchmarks and print their figures
	$(BIN)/python -m benchmarks

lock: $(READY)  ## Resolve the dependencies anew: requirements.lock and environment.yml
	$(BIN)/python tests/lock.py

clean:  ## Remove what make and the tests have made, .venv included
	rm -rf .venv .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock tests/peers.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12 …"; exit 2; }
	@echo "Setting up .venv: a few minutes the first time, nothing the next"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-build-isolation -r tests/peers.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
