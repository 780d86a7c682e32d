# The habits of this project. `make help` lists them; each target sets up what it needs.
# Settings: PYTHON, PYTEST_ARGS, and the PBX_... variables of tests/pbx/settings.py.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.NOTPARALLEL:

BIN := .venv/bin
SUDO := $(if $(filter 0,$(shell id -u)),,$(shell command -v sudo))
PBX_SETTINGS := $(foreach name,$(filter PBX_%,$(.VARIABLES)),$(name)='$($(name))')
# Tests and the PBX run as root: they start programs as other users. Nothing of theirs is left in the tree.
AS_ROOT := $(if $(SUDO),$(SUDO) env PYTHONDONTWRITEBYTECODE=1 $(PBX_SETTINGS),env $(PBX_SETTINGS))
PYTEST := -m pytest $(if $(SUDO),-p no:cacheprovider) $(PYTEST_ARGS)
export PYTHON

.PHONY: help demo test check style types rules tests unit coverage pbx-up pbx-down pbx-status bench packages clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: .venv/complete packages ## the main job on a real Asterisk, with real callers
	@$(AS_ROOT) $(BIN)/python -m tests.pbx.demo

test: check tests ## everything that must hold

check: style types rules ## style, types, import rule, links in the docs

style: .venv/complete ## ruff: rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/complete ## mypy --strict
	$(BIN)/mypy

rules: .venv/complete ## import rule and links in the docs
	$(BIN)/python -m pytest -q tests/test_imports.py tests/test_docs.py

tests: .venv/complete packages ## all tests, those on the real Asterisk included
	@.ci/packages unit
	$(AS_ROOT) $(BIN)/python $(PYTEST)

unit: .venv/complete ## the tests that need no Asterisk
	@.ci/packages unit
	$(BIN)/python -m pytest -m "not pbx" $(PYTEST_ARGS)

coverage: .venv/complete ## branch coverage of the tests that need no Asterisk
	@.ci/packages unit
	$(BIN)/coverage run -m pytest -q -m "not pbx" $(PYTEST_ARGS)
	$(BIN)/coverage report --show-missing --skip-covered

pbx-up: .venv/complete packages ## a development PBX on loopback, with the service, left running
	@$(AS_ROOT) $(BIN)/python -m tests.pbx up

pbx-down: .venv/complete ## end what pbx-up started
	@$(AS_ROOT) $(BIN)/python -m tests.pbx down

pbx-status: .venv/complete ## what of it runs
	@$(AS_ROOT) $(BIN)/python -m tests.pbx status

bench: .venv/complete ## measure, on the development PBX
	@.ci/packages bench
	@$(AS_ROOT) $(BIN)/python -m bench $(BENCH_ARGS)

packages:
	@.ci/packages pbx

clean: ## remove what make made: .pbx (recordings and ledger included) and .venv
	@if [ -d .pbx/run ] && [ -x $(BIN)/python ]; then $(AS_ROOT) $(BIN)/python -m tests.pbx down; fi
	$(SUDO) rm -rf .pbx
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage build *.egg-info

.venv/complete: setup.cfg pyproject.toml
	@.ci/venv
