# Every target sets up .venv by itself; `make help` lists them.
PYTHON ?= python3
LOCK := requirements.lock
BIN := .venv/bin
# As many test processes as cores; one more where tests wait for servers, of which each process has its own pair.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
UNIT_TESTS := -n $(CORES) tests/unit tests/property tests/contract tests/acceptance/rules
SERVER_TESTS := -n $(shell expr $(CORES) + 1) --dist loadscope tests/acceptance tests/integration --ignore tests/acceptance/rules
# One installation at a time, and a new one whenever the lock or the project's metadata changes.
STAMP := .venv/.installed-$(shell cat $(LOCK) pyproject.toml | cksum | cut -d' ' -f1)

DURABLE := .venv/.durable-rules-$(shell cksum < requirements-durable-rules.lock | cut -d' ' -f1)

.PHONY: up test check check-types check-rest unit lock clean help setup

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## .venv with everything, versions locked

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Reeve needs Python 3.11 or later as '$(PYTHON)'; install one and name it: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python has no venv module; install it (Debian and Ubuntu: apt install python3-venv) and run make again." >&2; exit 1; }
	@echo "Setting up .venv with everything, versions locked: a minute or two, once."
	@[ -x $(BIN)/python ] && $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@# Where Python may not write bytecode by itself, every command would compile all it loads.
	$(BIN)/python -m compileall -q src services
	@rm -f .venv/.installed-* && touch $@

# The define lets the package of 2020 import on Python 3.13 and later.
$(DURABLE): $(STAMP)
	@if command -v $${CC:-cc} >/dev/null; then \
	  CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject $(BIN)/python -m pip install --quiet \
	    --disable-pip-version-check --require-hashes -r requirements-durable-rules.lock \
	    || echo "durable-rules does not build here: the second matcher's tests are skipped."; \
	else echo "No C compiler here: the second matcher (durable-rules) is not built, its tests are skipped."; fi
	@touch $@

up: $(STAMP) ## everything on one machine; Ctrl-C stops it
	@# The leash drains Reeve when make itself is killed; Ctrl-C reaches Reeve anyway.
	@exec $(BIN)/python -I -S src/reeve/devstack/leash.py $$PPID SIGTERM $(BIN)/reeve up

test: check $(DURABLE) ## all checks and all tests, on real servers
	@$(BIN)/python -m tests.support.language_server
	$(BIN)/python -m pytest $(UNIT_TESTS)
	$(BIN)/python -m pytest $(SERVER_TESTS)

check: $(STAMP) ## format, lint, types, import directions, schemas, rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@# Checking types takes longest, and one core.
	@$(MAKE) --no-print-directory -j 2 check-types check-rest

check-types:
	$(BIN)/mypy src services tests

check-rest:
	$(BIN)/lint-imports
	$(BIN)/reeve schemas --check
	$(BIN)/reeve rules check rules
	$(BIN)/reeve rules test rules

unit: $(STAMP) $(DURABLE) ## the tests that need no server, in under a minute
	@$(BIN)/python -m tests.support.language_server
	$(BIN)/python -m pytest $(UNIT_TESTS)

lock: ## new versions into requirements.lock, for Python 3.11 to 3.14 on every platform
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	.venv-lock/bin/uv pip compile --quiet --no-config --default-index https://pypi.org/simple --upgrade --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' \
	  --extra embedded --group dev -o $(LOCK) pyproject.toml
	rm -rf .venv-lock

clean: ## removes .venv and caches; .reeve (your data) stays
	rm -rf .venv .venv-lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find src services tests -name __pycache__ -type d -prune -exec rm -rf {} +
