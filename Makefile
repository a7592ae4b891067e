# make demo   set everything up, then run fsprobe on the built-in reference, before and after the historic fix
# make test   set everything up, the daemons that tests use too, then run the tests
# make lint   ruff and mypy        make docs    the documentation, build/docs/index.html, every warning an error
# make bench   what the relay costs        make clean   forget all of it
#
# As root on Debian or Ubuntu the system packages are installed; otherwise the one command to run is printed.
# PYTHON=/path/to/python3 picks the interpreter of the venv; TESTS="-k rename" is passed to pytest.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS ?= 2
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench clean

help:
	@sed -n '1,4s/^# //p' Makefile

demo: $(VENV)/.run-installed
	@echo '== fsprobe run vexfs:before-fix    (the file system as it was: findings, exit 1)'
	@$(BIN)/fsprobe run vexfs:before-fix; code=$$?; \
	  [ $$code -eq 1 ] || { echo "make demo: expected exit 1 before the fix, got $$code" >&2; exit 1; }
	@echo '== fsprobe run vexfs               (the file system as it is: all as expected, exit 0)'
	@$(BIN)/fsprobe run vexfs; code=$$?; \
	  [ $$code -eq 0 ] || { echo "make demo: expected exit 0 after the fix, got $$code" >&2; exit 1; }
	@echo 'make demo: exit 1 before the fix and 0 after it, as expected'

test: $(VENV)/.test-installed
	$(BIN)/python -m pytest -n $(JOBS) $(TESTS)

lint: $(VENV)/.test-installed
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/.docs-installed
	$(BIN)/python -m sphinx -W --keep-going -n -q -b html -d build/doctrees docs build/docs
	@echo 'make docs: build/docs/index.html'

bench: $(VENV)/.test-installed
	$(BIN)/python bench/relay.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/programs/bin
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The packages script prints the Python to use as its last line, and fails where something is missing.
$(VENV)/.run-packages $(VENV)/.test-packages: $(VENV)/.%-packages: tools/packages
	@python=$$(tools/packages $*) && { \
	  $(BIN)/python -c '' 2>/dev/null || { echo "making $(VENV) with $$python"; "$$python" -m venv $(VENV); }; }
	@touch $@

$(VENV)/.run-installed: $(VENV)/.run-packages pyproject.toml
	$(PIP) install --use-pep517 --editable .
	@touch $@

$(VENV)/.docs-installed: $(VENV)/.run-installed pyproject.toml
	$(PIP) install --use-pep517 --editable '.[docs]'
	@touch $@

# pyfuse3 is compiled against libfuse 3, and only its own tests need it.
$(VENV)/.test-installed: $(VENV)/.test-packages pyproject.toml
	$(PIP) install --use-pep517 --editable '.[dev,libfuse3]'
	@$(PIP) install --use-pep517 --editable '.[pyfuse3]' >$(VENV)/pyfuse3.log 2>&1 || \
	  echo 'pyfuse3 cannot be built here: its tests are skipped ($(VENV)/pyfuse3.log says why)' >&2
	@touch $@ $(VENV)/.run-installed
