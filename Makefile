# Two commands for users: `make demo` and `make test`. Both need Python >= 3.11 with pip and venv;
# everything else goes into the virtual environment $(VENV).
#
# For maintainers: `make lint`, `make types`, `make docs`.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Where the demo writes.
OUT ?= demo
# Extra arguments of pytest: make test PYTEST_ARGS="-k whitening"
PYTEST_ARGS ?=

.PHONY: help demo test lint types docs

help:
	@echo "make demo   verify the embedded sample against Brainstorm, write a figure into demo/"
	@echo "make test   run the tests"
	@echo
	@echo "for maintainers: make lint, make types, make docs"

demo: $(VENV)/.installed
	$(BIN)/mne-bstinv demo --out "$(OUT)" --overwrite

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-dev
	$(BIN)/mypy

docs: $(VENV)/.installed-dev
	rm -rf docs/_build docs/_generated docs/auto_examples docs/api/generated
	$(BIN)/python -m sphinx -W -n --keep-going -q -b html docs docs/_build/html
	$(BIN)/python docs/check_links.py docs/_build/html
	@echo "docs/_build/html/index.html"

# Each stamp says that the environment holds what pyproject.toml asks for; the install is editable,
# so that a change of the source needs no new one.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
