# Everyday tasks; `make help` lists them. For GNU make 3.81 and later.
# The first task makes the virtual environment with what a user needs, the first `make test`, `lint` or `bench` adds the developers' tools
# (both need the network). After that no task needs it, and pip runs again only when pyproject.toml, constraints.txt or
# tests/pipelines.txt changes.

VENV   ?= .venv
PYTHON ?= python3
DEMO_ARGS   ?=
PYTEST_ARGS ?=
BENCH_ARGS  ?=
COMPARE     ?=
FAULTS_ARGS ?=

BIN   := $(VENV)/bin
USER_STAMP      := $(VENV)/.installed
DEVELOPER_STAMP := $(VENV)/.installed-for-developers
PIP_INSTALL := $(BIN)/python -m pip install -c constraints.txt
RECENT := import sys; sys.exit(sys.version_info < (3, 11))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install develop demo test lint site bench bench-smoke faults models dist clean

help:  ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s  %s\n", $$1, $$2 }' Makefile
	@echo "Options: PYTHON=python3.12  VENV=folder  DEMO_ARGS='--lang zh'  PYTEST_ARGS='-n 2 -k brat'  BENCH_ARGS=--quick  COMPARE=main  FAULTS_ARGS='--minutes 5'  MINILM=folder  E5=folder  URL=https://HOST/OWNER/NAME"

install: $(USER_STAMP)  ## make .venv with relsift and the pinned packages it needs, if it is missing or out of date

develop: $(DEVELOPER_STAMP)  ## the same, and what tests, style checks and figures need

demo: $(USER_STAMP)  ## train on the shipped corpus, score it, write predictions and an HTML page to demo-out
	$(BIN)/relsift demo --out demo-out $(DEMO_ARGS)

test: lint  ## lint, then all tests; those that need a corpus that is not there are skipped
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(DEVELOPER_STAMP)  ## style and types
	$(BIN)/ruff check
	$(BIN)/mypy

site: $(DEVELOPER_STAMP)  ## build the documentation as a site in build/site, with every link checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

BENCHMARKS := pair_rate training_rate add_max end_to_end memory growth start gpu

bench: $(DEVELOPER_STAMP)  ## measure speed and memory (half an hour on a quiet machine) and write docs/performance.md; COMPARE=commit only says what that commit did faster or slower
ifneq ($(COMPARE),)
	$(BIN)/python benchmarks/compare.py $(COMPARE) $(BENCH_ARGS)
else
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py $(BENCH_ARGS); done
	$(BIN)/python benchmarks/performance_page.py $(BENCH_ARGS)
endif

bench-smoke: $(DEVELOPER_STAMP)  ## does every script of benchmarks still run? each once, on small invented data; no file changes
	$(BIN)/python benchmarks/smoke.py $(BENCH_ARGS)

faults: $(DEVELOPER_STAMP)  ## kill, fill, damage and mutate (eight minutes on two free cores), and write docs/faults.md
	$(BIN)/python tests/faults/run_faults.py $(FAULTS_ARGS); status=$$?; $(BIN)/python benchmarks/faults_page.py && exit $$status

models: $(DEVELOPER_STAMP)  ## train the models that come with relsift anew; MINILM=folder E5=folder are all-MiniLM-L6-v2 and multilingual-e5-small
	$(BIN)/python benchmarks/shipped_models.py $(MINILM) $(E5)

dist: $(DEVELOPER_STAMP)  ## build the source distribution and the wheel in dist; URL=… is the public address of the repository
	$(BIN)/python .ci/dist.py dist $(URL)

clean:  ## remove caches, build products and demo-out; keeps .venv and runs
	rm -rf build dist demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# torch goes first, so that a package that asks for "any torch" finds this one. setuptools goes with it, since building without
# isolation uses the pinned one and needs no network when only pyproject.toml changed.
$(USER_STAMP): pyproject.toml constraints.txt
	@$(BIN)/python -c 'import pip; $(RECENT)' 2>/dev/null || { \
	  $(PYTHON) -c '$(RECENT)' 2>/dev/null || { \
	    echo "relsift needs Python 3.11 or later, and '$(PYTHON)' is `$(PYTHON) --version 2>/dev/null || echo not there`; name another one: make PYTHON=python3.12 ..." >&2; exit 1; }; \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "relsift needs Python's venv module, which '$(PYTHON)' lacks; install it (Debian, Ubuntu: the package python3-venv) or name another Python" >&2; exit 1; }; \
	  echo "$(PYTHON) -m venv --clear $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	$(PIP_INSTALL) torch setuptools
	$(PIP_INSTALL) --no-build-isolation -e .
	@touch $@

$(DEVELOPER_STAMP): $(USER_STAMP) tests/pipelines.txt
	$(PIP_INSTALL) --no-build-isolation -e '.[dev]'
	$(BIN)/python -m pip install --no-deps --require-hashes -r tests/pipelines.txt
	@touch $@
