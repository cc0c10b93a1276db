# Everything a clone needs: `make` lists the targets. Each sets up `.venv` from the lock first,
# and only when lock, pyproject.toml or Python changed. Another Python: PYTHON=python3.12 make test

PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(6, 2 * (os.cpu_count() or 1)))' 2>/dev/null)

# A stamp's name carries what was installed, so that a checkout that only touches files, or goes
# back to an older lock, is judged by content. Stamps are written last: an interrupted set-up
# leaves none and starts over.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
LOCKED := .venv/.locked-$(VERSION)-$(shell cksum <requirements-dev.lock | cut -d' ' -f1)
READY := $(LOCKED)-$(shell cksum <pyproject.toml | cut -d' ' -f1)

.PHONY: help setup demo dev quick test campaign lint bench figures variables screenshots lock release clean

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## set up .venv from the lock, and nothing else

demo: $(READY) ## the whole story in a minute: sample database, dump, commit, push, refusal
	@exec $(BIN)/ppr-assets demo

dev: $(READY) ## PostgreSQL and the pipeline's user interface, until Ctrl-C
	@exec $(BIN)/ppr-assets dev

quick: lint ## lint, and the tests that need no server and take no long: a minute on two cores
	@exec $(BIN)/pytest -q -n $(WORKERS) --dist worksteal -m "not server and not campaign and not slow"

# Each worker has a PostgreSQL of its own; a file stays with one worker. Tests wait for servers and
# disks as well, so there are two workers for each core: with more it takes as long, and more memory.
# Files are taken in the order of their names, rules and settings last: xdist would keep those of few
# and long tests for the end, where the last of them has the machine to itself.
test: $(READY) ## lint, then every test
	@$(MAKE) --no-print-directory --jobs=2 lint collected
	@exec $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

campaign: SEED ?= $(shell date +%s)
campaign: MINUTES ?= 30
campaign: $(READY) ## kills, races and dying servers for longer: SEED=1 MINUTES=30
	@exec $(BIN)/pytest -m campaign --campaign-seed=$(SEED) --campaign-minutes=$(MINUTES)

lint: $(READY) ## style, types and layers, without tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Python compiles what it imports for the first time: here once, and not in each worker.
.PHONY: collected
collected: $(READY)
	@collected=$$($(BIN)/pytest --collect-only -q 2>&1) || { echo "$$collected"; exit 1; }

bench: $(READY) ## how fast it is beside a bare pg_dump and git
	@exec $(BIN)/python -m benchmarks

figures: $(READY) ## how large the code is, and how far a night and the verbs reach into it
	@exec $(BIN)/python -m benchmarks.figures

variables: $(READY) ## README's table of variables, .env.example and the policy's table, from the code
	@$(BIN)/python -m ppr_assets_tests.variables
	@exec $(BIN)/python -m ppr_assets_tests.published

screenshots: $(READY) ## pictures of Dagster's UI for README and docs; needs Chromium
	@exec $(BIN)/python -m ppr_assets_tests.screenshots

# Keeps the versions that are locked, and changes what pyproject.toml asks to be changed. The
# server's lock is made within the developers' one, so that what runs is what was tested.
lock: export UV_CUSTOM_COMPILE_COMMAND = make lock
lock: UV = "$$scratch/bin/uv" pip compile pyproject.toml --group $(1) --quiet --universal \
  --python-version 3.11 --generate-hashes --no-strip-extras
lock: ## write both locks anew after a change of the dependencies
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT \
	  && $(PYTHON) -m venv "$$scratch" && "$$scratch/bin/pip" install --quiet uv \
	  && $(call UV,dev) --output-file requirements-dev.lock >/dev/null \
	  && $(call UV,build) --extra kubernetes --extra docker \
	    --constraint requirements-dev.lock --output-file requirements.lock >/dev/null

release: test ## after every test: build and try sdist and wheel, and set the tag; pushes nothing
	@exec .ci/release

# Whoever cannot look what .local holds does not remove it.
clean: ## remove the demo's .local, .venv and caches; never a real set-up's history
	@if [ -d .local ] && [ -x $(BIN)/python ]; then $(BIN)/python -m ppr_assets.cli.local.clean; \
	elif [ -d .local ]; then \
	  echo "error: .local is there and .venv is not, so nobody can look what it holds: run make setup first" >&2; \
	  exit 1; \
	fi
	@rm -rf .local .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find ppr_assets ppr_assets_tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# --no-deps: the lock is complete. --only-binary: a build from source would fetch unlocked tools.
$(LOCKED):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null \
	  || { echo "error: '$(PYTHON)' $(if $(VERSION),is Python $(VERSION),cannot be run), need Python 3.11 to 3.14: install one and name it, as in PYTHON=python3.12 make test" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "error: '$(PYTHON)' has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv), then run make again" >&2; exit 1; }
	@echo "Setting up .venv from requirements-dev.lock (Python $(VERSION); under a minute, once)" >&2
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --only-binary :all: -r requirements-dev.lock
	@touch $@

$(READY): $(LOCKED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --editable .
	@touch $@
